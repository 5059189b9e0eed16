"""One event as a message: what it says, apart from the way it takes and from the reader's time zone."""

from __future__ import annotations

import datetime as dt
import re
import string
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse

from dispersed_web.accounts import browsers
from dispersed_web.costs.estimate import cents
from dispersed_web.events import security
from dispersed_web.events.models import Audience, Event
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.jobs.states import REASON_WORDS
from dispersed_web.notifications import kinds
from dispersed_web.notifications.kinds import Offer

# Text with moments in it; each way and each reader says a moment differently.
Words = tuple[str | dt.datetime, ...]
LONGEST_TITLE = 80
LONGEST_SENTENCE = 600
_WHY_ENDED = {reason.value: words for reason, words in REASON_WORDS.items()}
_TIMES = (("Stops", "stop_at"), ("Would have stopped", "would_stop_at"), ("Now stops", "until"))
_TEST = "If you read this, notices of {team} arrive here."


@dataclass(frozen=True)
class Notice:
    """``subject`` is one line, ``sentence`` says what happened and why, ``facts`` are names and values, ``calls_off``
    what keeps the job from being stopped. ``page`` is where more stands; ``again`` launches the same once more."""

    event: Event
    job: Job | None
    tone: str
    rule: str
    subject: Words
    sentence: str
    facts: tuple[tuple[str, Words], ...]
    calls_off: str
    page: str
    page_label: str
    again: str = ""
    stop_at: dt.datetime | None = None

    def offers(self, *, in_channel: bool) -> tuple[Offer, ...]:
        """What may be done from the message; nothing once a stop is under way."""
        if self.job is None or self.job.stop_requested_at or not self.job.is_active:
            return ()
        return kinds.offers(self.event.kind, self.rule, in_channel=in_channel)


def compose(event: Event, job: Job | None = None) -> Notice:
    """The message about an event. ``job`` spares the look-up of the job that it is about."""
    if job is None and event.subject_type == "job":
        job = job_of(event)
    kind = kinds.kind_of(event.kind)
    data = event.data if isinstance(event.data, dict) else {}
    rule = _rule(job, data)
    title = one_line(job.title if job else _name_of(event), LONGEST_TITLE)
    page, label = _page(event, job)
    ended = event.kind == "job.ended" and job is not None
    return Notice(
        event=event,
        job=job,
        tone=kind.tone,
        rule=rule,
        subject=_subject(_lead(event, kind, data), title),
        sentence=one_line(_sentence(event, data), LONGEST_SENTENCE),
        facts=tuple(_facts(event, job, data)),
        calls_off=kinds.calls_off(event.kind, rule),
        page=page,
        page_label=label,
        again=f"{_team_page(event)}launch/?again={job.pk}" if ended and job else "",
        stop_at=moment(data.get("stop_at")),
    )


def job_of(event: Event) -> Job | None:
    """The job that the event tells of, without its specification; ``None`` when it tells of something else."""
    rows = Job.objects.select_related("owner", "team").defer("spec", "spec_secrets_sealed")
    return rows.filter(pk=event.subject_id, team=event.team_id).first()


def _lead(event: Event, kind: kinds.Kind, data: dict[str, Any]) -> Words:
    """The subject before the title."""
    if event.kind == "job.ended" and (why := _WHY_ENDED.get(str(data.get("reason")))):
        return (f"Ended ({why})",)
    words: list[str | dt.datetime] = []
    for text, name, _, _ in string.Formatter().parse(kind.subject):
        words.append(text)
        if name is not None:
            value = moment(data.get(name)) if name.endswith(("_at", "until")) else _number(data.get(name))
            if value is None:
                return (kind.plain,)
            words.append(value)
    return tuple(word for word in words if word != "")


def _subject(lead: Words, title: str) -> Words:
    """``Stops at 14:12: Dev Box``; ``Still using it? Dev Box``."""
    asks = str(lead[-1]).endswith("?")
    return (*lead, f"{' ' if asks else ': '}{title}") if title else lead


def _rule(job: Job | None, data: dict[str, Any]) -> str:
    """Which rule set the deadline; a lifetime that cannot be extended any more counts as a rule of its own."""
    rule, stop_at = str(data.get("rule", "")), moment(data.get("stop_at"))
    if rule != "max_lifetime" or not (job and stop_at and job.launched_at and job.ceiling_s):
        return rule
    last = job.launched_at + dt.timedelta(seconds=job.ceiling_s)
    return kinds.LAST_LIFETIME if stop_at >= last else rule


def _sentence(event: Event, data: dict[str, Any]) -> str:
    """The reason without words such as "in 15 min", which are wrong when the message is read."""
    if event.kind == "channel.tested":
        return _TEST.format(team=event.team.name)
    if event.kind in ("job.warned", "job.reminded") and data.get("sentence"):
        return str(data["sentence"])
    # The question stands in the subject.
    return event.sentence.removeprefix("Still using it? ")


def _facts(event: Event, job: Job | None, data: dict[str, Any]) -> list[tuple[str, Words]]:
    """What matters most comes first."""
    found: list[tuple[str, Words]] = []
    for label, name in _TIMES:
        if at := moment(data.get(name)):
            found.append((label, (at,)))
    found += _money(event, job)
    if job:
        found.append(("Job", (one_line(job.title, LONGEST_TITLE),)))
        if job.owner:
            found.append(("Owner", (str(job.owner),)))
    return [*found, *_whence(event), ("Noticed", (event.at,))]


def _name_of(event: Event) -> str:
    """The team's name; nothing for what concerns one person's account, whose reader knows whose it is."""
    return event.team.name if event.team else ""


def _whence(event: Event) -> list[tuple[str, Words]]:
    """The team; of an account's event, which only its person reads, where it came from, unless the sentence says it."""
    if event.team:
        return [("Team", (event.team.name,))]
    if not security.may_tell_whence(event):
        return []
    browser = browsers.name_of(event.user_agent) if event.user_agent else ""
    from_ = (("Network address", event.ip_address), ("Browser", browser))
    return [(label, (value,)) for label, value in from_ if value and value not in event.sentence]


def _money(event: Event, job: Job | None) -> list[tuple[str, Words]]:
    if job is None or job.hourly_rate_usd is None:
        return []
    if job.status in ENDED:
        cost = job.meter.read(event.at)
        return [] if cost is None else [("Cost", (f"{_usd(cost)} (estimate)",))]
    return [("Costs", (f"{_usd(job.hourly_rate_usd)} per hour",))]


def _page(event: Event, job: Job | None) -> tuple[str, str]:
    """Where more stands, and what that link is called."""
    if event.kind.startswith("account.factor_"):
        return settings.PUBLIC_URL + reverse("mfa_index"), "Set up a second factor"
    if event.team is None:
        return f"{settings.PUBLIC_URL}/me/security/", "Open your account's events"
    if job:
        return f"{_team_page(event)}jobs/{job.pk}/", "Open the job"
    if event.kind.startswith("credential."):
        return f"{_team_page(event)}credentials/", "Open the credentials"
    if event.kind.startswith("token.") and event.audience == Audience.PERSON:
        return f"{settings.PUBLIC_URL}/me/", "Open your API tokens"
    if event.kind.startswith("token."):
        return f"{_team_page(event)}team/tokens/", "Open the API tokens"
    if event.kind.startswith("unmanaged."):
        return f"{_team_page(event)}inventory/", "Open the inventory"
    if event.kind.startswith("channel."):
        return f"{_team_page(event)}team/notifications/", "Open the notifications"
    if event.kind.startswith(("member.", "invitation.")):
        return f"{_team_page(event)}team/", "Open the members"
    if event.kind.startswith("audit."):
        return f"{_team_page(event)}team/events/", "Open the audit log"
    return _team_page(event), "Open the team"


def _team_page(event: Event) -> str:
    return f"{settings.PUBLIC_URL}/t/{event.team.slug}/"


def _usd(amount: Decimal) -> str:
    return f"${cents(amount):,}"


def moment(value: object) -> dt.datetime | None:
    """An aware moment of an event's data; ``None`` for anything else."""
    try:
        at = dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else None


def _number(value: object) -> str | None:
    return None if value is None else one_line(str(value), 20)


def one_line(text: str, longest: int) -> str:
    """Text of people or of the cloud as one line, without control characters and marks that turn the reading order."""
    plain = "".join(" " if unicodedata.category(one) == "Cc" else one for one in text)
    plain = re.sub(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", plain)
    plain = " ".join(plain.split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def spoken(at: dt.datetime, zone: dt.tzinfo, near: dt.datetime) -> str:
    """``14:12``, or ``14:12 on 24 Nov`` when that is another day than ``near``."""
    local = at.astimezone(zone)
    if local.date() == near.astimezone(zone).date():
        return f"{local:%H:%M}"
    return f"{local:%H:%M} on {local.day} {local:%b}"


def exact(at: dt.datetime, zone: dt.tzinfo) -> str:
    """``24 November 2026, 14:12 (Europe/Berlin)``."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%B %Y}, {local:%H:%M} ({zone})"
