"""Events of a job as lines of its timeline. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dispersed_web.events.models import Event

# Kind → (icon, tone)
LOOKS = {
    "job.requested": ("launch", ""),
    "job.launched": ("check", "green"),
    "job.found": ("status-unknown", "violet"),
    "job.unconfirmed": ("status-unknown", "violet"),
    "job.warned": ("bell", "amber"),
    "job.reminded": ("bell", "amber"),
    "job.checkin": ("status-unknown", "amber"),
    "job.called_off": ("check", "green"),
    "job.blind": ("status-unknown", "violet"),
    "job.would_stop": ("show", "blue"),
    "job.extended": ("extend", "accent"),
    "job.in_use": ("check", "accent"),
    "job.protected": ("shield", "accent"),
    "job.unprotected": ("shield", "grey"),
    "job.rate_accepted": ("money", "accent"),
    "job.connected": ("terminal", "accent"),
    "job.handed_over": ("user", "accent"),
    "job.renamed": ("edit", "grey"),
    "job.notes_changed": ("edit", "grey"),
    "job.tagged": ("edit", "grey"),
    "job.heartbeat_shown": ("key", "grey"),
    "job.ready": ("check", "green"),
    "job.token_shown": ("key", "grey"),
    "job.stop_requested": ("stop", "amber"),
    "job.stop_sent": ("status-stopping", "amber"),
    "job.stop_unconfirmed": ("status-alarm", "red"),
    "job.missing": ("status-alarm", "red"),
    "job.settled": ("check", "accent"),
    "job.warning_failed": ("status-alarm", "red"),
    "job.back": ("status-alarm", "red"),
    "job.duplicate": ("status-alarm", "red"),
    "job.refused": ("status-failed", "red"),
    "job.never_arrived": ("status-failed", "red"),
    "job.not_launched": ("status-failed", "red"),
}
STATUS_LOOKS = {"RUNNING": ("status-running", "green"), "FAILING": ("status-alarm", "red")}
END_LOOKS = {
    "COMPLETED": ("status-completed", "blue"),
    "FAILED": ("status-failed", "red"),
    "CANCELLED": ("status-stopped", "grey"),
}


@dataclass(frozen=True, slots=True)
class EventLine:
    id: int
    icon: str
    tone: str
    sentence: str
    actor: str
    at: datetime


def lines(events: Iterable[Event]) -> list[EventLine]:
    """Events as pages list them, in their order."""
    return [_line(event) for event in events]


def _line(event: Event) -> EventLine:
    icon, tone = look(event)
    return EventLine(event.pk, icon, tone, event.sentence, event.actor_label, event.at)


def look(event: Event) -> tuple[str, str]:
    """The icon and the tone of what happened."""
    if event.kind == "job.status":
        return STATUS_LOOKS.get(event.data.get("to", ""), ("status-waiting", "amber"))
    if event.kind == "job.ended":
        return END_LOOKS.get(event.data.get("status", ""), ("status-stopped", "grey"))
    return LOOKS.get(event.kind, ("history", ""))
