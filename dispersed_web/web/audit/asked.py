"""What the address of the audit log asks for. Pure, but for the reader's time zone."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from dispersed_web.events.models import ActorKind
from dispersed_web.events.search import GROUPS, LONGEST_TEXT, Wanted

PROGRAMS = {
    ActorKind.TOKEN.value: "Programs (API tokens)",
    ActorKind.ENGINE.value: "Dispersed Web itself",
    ActorKind.CLOUD.value: "Dispersed",
}
_ABOUT = re.compile(r"([a-z]{1,20}):([A-Za-z0-9-]{1,36})")
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Asked:
    """``wanted`` is what is looked for; ``given`` what stands in the form, as typed; ``fault`` says what was left out."""

    wanted: Wanted
    given: Mapping[str, str]
    fault: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether something of the part that is folded away is asked for."""
        return any(self.given.get(name) for name in ("from", "to", "address"))

    @property
    def query(self) -> str:
        """The filter for an address, without the page."""
        return urlencode({name: value for name, value in self.given.items() if value})


def read(query: Mapping[str, str], zone: dt.tzinfo, *, whole: bool) -> Asked:
    """``whole``: the reader may ask for addresses too. What is not understood is left out."""
    names = ("kind", "who", "about", "q", "from", "to", *(("address",) if whole else ()))
    given = {name: _line(query.get(name, "")) for name in names}
    given["kind"] = given["kind"] if given["kind"] in GROUPS else ""
    address, fault = _address(given.get("address", ""))
    about = _ABOUT.fullmatch(given["about"])
    since, until = _day(given["from"], zone), _day(given["to"], zone, days=1)
    wanted = Wanted(
        group=given["kind"],
        actor=given["who"] if given["who"] in PROGRAMS else "",
        person=_number(given["who"]),
        subject=(about[1], about[2]) if about else None,
        address=address,
        text=given["q"],
        since=since,
        until=until,
        before=_number(query.get("before", "")),
    )
    for name, found in (("from", since), ("to", until)):
        if given[name] and not found:
            fault = "Write a day as year, month and day, such as 2026-11-25."
            given[name] = ""
    return Asked(wanted, given, fault)


def _line(text: str) -> str:
    plain = "".join(one for one in text if unicodedata.category(one) not in ("Cc", "Cs"))
    return plain.strip()[:LONGEST_TEXT]


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _address(text: str) -> tuple[str, str]:
    try:
        return (str(ipaddress.ip_address(text)) if text else ""), ""
    except ValueError:
        return "", "This is no IP address, so it was left out."


def _day(text: str, zone: dt.tzinfo, days: int = 0) -> dt.datetime | None:
    """The beginning of a day, or of one so many days later."""
    try:
        day = dt.date.fromisoformat(text) + dt.timedelta(days=days)
        return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
