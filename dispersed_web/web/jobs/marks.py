"""What people and auto-stop did to a job, as marks on its evidence strip. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dispersed_web.events.models import Event
from dispersed_web.web import event_rows

PEOPLE, ENGINE = "people", "engine"
# Kind → (whose row it stands in, what it is in the legend)
KINDS = {
    "job.extended": (PEOPLE, "extended"),
    "job.in_use": (PEOPLE, "still in use"),
    "job.protected": (PEOPLE, "protected"),
    "job.unprotected": (PEOPLE, "protection lifted"),
    "job.rate_accepted": (PEOPLE, "price accepted"),
    "job.connected": (PEOPLE, "connection opened"),
    "job.warned": (ENGINE, "warned"),
    "job.checkin": (ENGINE, "asked"),
    "job.reminded": (ENGINE, "reminded"),
    "job.called_off": (ENGINE, "called off"),
    "job.would_stop": (ENGINE, "would have stopped"),
    "job.stop_requested": (ENGINE, "stop"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One act at one moment; ``until`` is how long it keeps the job."""

    at: dt.datetime
    row: str
    name: str
    icon: str
    tone: str
    sentence: str
    until: dt.datetime | None = None


def marks(events: Iterable[Event]) -> list[Mark]:
    """The marks of those events that have one, oldest first."""
    found = []
    for event in sorted(events, key=lambda one: (one.at, one.pk)):
        if event.kind in KINDS:
            row, name = KINDS[event.kind]
            icon, tone = event_rows.look(event)
            found.append(Mark(event.at, row, name, icon, tone, event.sentence, _until(event.data)))
    return _cut(found)


def _until(data: dict[str, Any]) -> dt.datetime | None:
    return dt.datetime.fromisoformat(data["until"]) if data.get("until") else None


def _cut(found: list[Mark]) -> list[Mark]:
    """A protection that was lifted ends there."""
    for place, mark in enumerate(found):
        if mark.name == "protected":
            lifted = next((one.at for one in found[place:] if one.name == "protection lifted"), None)
            if lifted and mark.until and lifted < mark.until:
                found[place] = Mark(mark.at, mark.row, mark.name, mark.icon, mark.tone, mark.sentence, lifted)
    return found
