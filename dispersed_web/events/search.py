"""Finding events of a team: what may be asked for, and the rows, newest first."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import QuerySet

from dispersed_web.events.models import ActorKind, Event

# Kinds of events by the noun they begin with, and what people call them.
GROUPS = {
    "job": "Jobs",
    "recipe": "Recipes",
    "preset": "Presets",
    "unmanaged": "Inventory",
    "credential": "Credentials",
    "secret": "Secrets",
    "member": "Members",
    "invitation": "Invitations",
    "token": "API tokens",
    "sshkey": "SSH keys",
    "calendar": "Calendars",
    "channel": "Notifications",
    "budget": "Budgets",
    "team": "Team",
    "export": "Exports",
    "audit": "Audit log",
    "account": "Accounts",
}
LONGEST_TEXT = 100


@dataclass(frozen=True)
class Wanted:
    """What is asked for; empty means all. ``group`` is one of ``GROUPS``, ``actor`` a kind of actor, ``person`` whoever
    acted, also by a program; ``subject`` is what it is about, such as ``("job", "6f1c…")``; ``text`` stands in the
    sentence. From ``since`` on, and before ``until``; older than the event ``before``."""

    group: str = ""
    kind: str = ""
    actor: str = ""
    person: int | None = None
    subject: tuple[str, str] | None = None
    address: str = ""
    text: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    before: int | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out, but for older pages."""
        return Wanted(before=self.before) == self


def of_team(team_id: uuid.UUID, wanted: Wanted) -> QuerySet[Event]:
    """The team's events that are asked for, newest first."""
    return _narrowed(Event.objects.filter(team=team_id), wanted).order_by("-id")


def of_account(user_id: int, wanted: Wanted) -> QuerySet[Event]:
    """The events of a person's own account, which belong to no team."""
    rows = Event.objects.filter(subject_type="user", subject_id=str(user_id), team=None)
    return _narrowed(rows, wanted).order_by("-id")


def _narrowed(rows: QuerySet[Event], wanted: Wanted) -> QuerySet[Event]:
    exactly = {
        "kind": wanted.kind,
        "kind__startswith": f"{wanted.group}." if wanted.group else "",
        "actor_kind": wanted.actor if wanted.actor in ActorKind.values else "",
        "actor_user": wanted.person,
        "ip_address": wanted.address,
        "sentence__icontains": wanted.text,
        "at__gte": wanted.since,
        "at__lt": wanted.until,
        "id__lt": wanted.before,
    }
    rows = rows.filter(**{name: value for name, value in exactly.items() if value not in ("", None)})
    if wanted.subject:
        rows = rows.filter(subject_type=wanted.subject[0], subject_id=wanted.subject[1])
    return rows
