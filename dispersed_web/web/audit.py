"""The audit log as the pages show it: a page of the team's events, newest first, with what they are about."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job

PAGE_SIZE = 50
# Kinds of events by the noun they begin with: what people call them, and their icon.
GROUPS = {
    "job": ("Jobs", "jobs"),
    "recipe": ("Recipes", "recipes"),
    "unmanaged": ("Inventory", "search"),
    "credential": ("Credentials", "key"),
    "member": ("Members", "user"),
    "token": ("API tokens", "terminal"),
    "sshkey": ("SSH keys", "key"),
    "calendar": ("Calendars", "clock"),
    "channel": ("Notifications", "bell"),
    "team": ("Team", "team"),
}
_TONES = {
    "credential.broken": "red",
    "credential.works": "green",
    "job.missing": "red",
    "job.recordless": "red",
    "unmanaged.unclear": "red",
    "unmanaged.lost": "red",
    "job.duplicate": "red",
    "job.stop_unconfirmed": "red",
    "job.warned": "amber",
    "job.unconfirmed": "violet",
    "team.frozen": "amber",
    "channel.broken": "red",
}


@dataclass(frozen=True)
class Line:
    """One event. ``by`` names who acted where the sentence does not; ``job_id`` and ``title`` are those of the job it is
    about, if it is about one."""

    event: Event
    icon: str
    tone: str
    by: str
    job_id: str = ""
    title: str = ""


def lines(
    team_id: uuid.UUID, group: str = "", before: int | None = None, size: int = PAGE_SIZE
) -> list[Line]:
    """The newest events of the team, of one of ``GROUPS`` or of all, older than the event ``before``."""
    rows = Event.objects.filter(team=team_id).order_by("-id")
    if group in GROUPS:
        rows = rows.filter(kind__startswith=f"{group}.")
    if before is not None:
        rows = rows.filter(id__lt=before)
    events = list(rows[:size])
    titles = _titles(team_id, events)
    return [_line(event, titles.get(event.subject_id, "")) for event in events]


def _titles(team_id: uuid.UUID, events: list[Event]) -> dict[str, str]:
    ids = {event.subject_id for event in events if event.subject_type == "job"}
    rows = Job.objects.filter(team=team_id, pk__in=ids).values_list("pk", "title")
    return {str(job_id): title for job_id, title in rows}


def _line(event: Event, title: str) -> Line:
    _, icon = GROUPS.get(event.kind.partition(".")[0], ("", "info"))
    by = "" if event.sentence.startswith(event.actor_label) else event.actor_label
    return Line(event, icon, _TONES.get(event.kind, ""), by, event.subject_id if title else "", title)
