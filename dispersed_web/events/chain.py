"""The chain of events: each is sealed with a hash over itself and the one before it, so that nobody can change, remove or
insert one unnoticed without making all later hashes anew.

Events are sealed some seconds after they were written, in a pass of its own: the acts themselves wait for nobody. So the
chain's order is that of sealing; an event with a lower id whose transaction ended later comes later.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from dispersed_web.events.models import ChainHead, Event

log = logging.getLogger(__name__)
ACCOUNTS = "accounts"
BATCH = 500
MOST_BATCHES = 40
# What a hash covers beside the number and the hash before: everything that is written once.
FIELDS = (
    "id",
    "team_id",
    "at",
    "kind",
    "subject_type",
    "subject_id",
    "actor_kind",
    "actor_user_id",
    "actor_label",
    "sentence",
    "data",
    "audience",
    "ip_address",
    "user_agent",
    "request_id",
)


def digest(previous: str, number: int, values: Mapping[str, Any]) -> str:
    """The hash of the event at ``number`` of a chain, after the event of the hash ``previous`` (empty: the first).
    ``values`` has each of ``FIELDS``; see docs/audit.md for how anybody can compute it. Pure."""
    content = {"previous": previous, "number": number} | {name: plain(values[name]) for name in FIELDS}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """A value as JSON has it: moments in UTC with six digits of a second, everything else unchanged or as its text."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, uuid.UUID) else value


def scope_of(team_id: uuid.UUID | None) -> str:
    """The chain that a team's events belong to, or those of accounts."""
    return str(team_id) if team_id else ACCOUNTS


def team_of(scope: str) -> uuid.UUID | None:
    """Whose chain it is; ``None`` for that of the accounts."""
    return None if scope == ACCOUNTS else uuid.UUID(scope)


def seal_waiting() -> int:
    """Seals the events that are in no chain yet; says how many. What is too much for one pass is left to the next. May
    run in many processes at once. A chain that cannot go on is logged, and stops no other."""
    sealed, stuck = 0, set()
    for _ in range(MOST_BATCHES):
        waiting = list(_waiting(stuck).values_list("team_id", "id")[:BATCH])
        batches: dict[uuid.UUID | None, list[int]] = {}
        for team_id, event_id in waiting:
            batches.setdefault(team_id, []).append(event_id)
        for team_id, ids in batches.items():
            try:
                sealed += _seal(team_id, ids)
            except DatabaseError:
                log.exception("The chain of events %s cannot go on.", scope_of(team_id))
                stuck.add(team_id)
        if len(waiting) < BATCH:
            break
    return sealed


def _waiting(stuck: set[uuid.UUID | None]) -> QuerySet[Event]:
    rows = Event.objects.filter(chain_number=None).exclude(team_id__in=stuck - {None})
    return (rows.exclude(team_id=None) if None in stuck else rows).order_by("id")


def _seal(team_id: uuid.UUID | None, ids: list[int]) -> int:
    """Seals those of the events that are not sealed yet, behind the lock of their chain's end. (On SQLite a transaction
    holds the whole database.)"""
    scope = scope_of(team_id)
    ChainHead.objects.get_or_create(scope=scope)
    with transaction.atomic():
        head = ChainHead.objects.select_for_update().get(pk=scope)
        number, last, sealed = head.number, head.hash, []
        for values in Event.objects.filter(pk__in=ids, chain_number=None).order_by("id").values(*FIELDS):
            number += 1
            last = digest(last, number, values)
            sealed.append((number, last, values["id"]))
        _write(sealed)
        ChainHead.objects.filter(pk=scope).update(number=number, hash=last)
    return len(sealed)


def _write(sealed: list[tuple[int, str, int]]) -> None:
    """One statement for all rows instead of a query each."""
    if sealed:
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE events_event SET chain_number = %s, chain_hash = %s WHERE id = %s AND chain_number IS NULL",
                sealed,
            )
