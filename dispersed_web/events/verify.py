"""Whether a chain of events is whole: every link is computed anew and compared with what is stored."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q

from dispersed_web.events import chain
from dispersed_web.events.models import Audience, ChainHead, Event
from dispersed_web.events.record import LAUNCHER, record

log = logging.getLogger(__name__)
CHUNK = 2000
# Sealing takes seconds; what waits for so long was left out.
SEALED_WITHIN = dt.timedelta(minutes=10)
CHECKED_EVERY = dt.timedelta(hours=24)
BROKEN = "audit.broken"


@dataclass(frozen=True)
class Check:
    """One look at a whole chain: how far it is sound (``number`` and the ``hash`` there), and the first ``fault`` as a
    sentence, empty when there is none. ``waiting``: events that should have been sealed long ago."""

    scope: str
    number: int
    hash: str
    fault: str = ""
    waiting: int = 0


def check(team_id: uuid.UUID | None, now: dt.datetime) -> Check:
    """Walks the chain of a team, or of accounts, from its first event to its end."""
    scope = chain.scope_of(team_id)
    head = ChainHead.objects.filter(pk=scope).first() or ChainHead(scope=scope)
    # What is sealed while this runs lies behind the end that was read.
    rows = Event.objects.filter(team=team_id, chain_number__lte=head.number).order_by("chain_number", "id")
    found = walk(rows.values(*chain.FIELDS, "chain_number", "chain_hash").iterator(CHUNK), head)
    found = found if found[2] else (*found[:2], _beyond(team_id, scope))
    waiting = Event.objects.filter(team=team_id, chain_number=None, at__lt=now - SEALED_WITHIN).count()
    return Check(scope, *found, waiting)


def walk(rows: Iterable[Mapping[str, Any]], head: ChainHead) -> tuple[int, str, str]:
    """How far ``rows``, in the order of their numbers, are a chain that ends as ``head`` says: the last sound number, its
    hash, and the first fault. Pure."""
    number, last = 0, ""
    for row in rows:
        if row["chain_number"] > number + 1:
            return number, last, f"Number {number + 1} is missing: an event was removed or moved."
        if row["chain_number"] < number + 1:
            return number, last, f"Number {number} is there twice: event {row['id']} was put in."
        expected = chain.digest(last, number + 1, row)
        if expected != row["chain_hash"]:
            return number, last, f"Number {number + 1} (event {row['id']}) is not as it was sealed."
        number, last = number + 1, expected
    if number != head.number:
        return (
            number,
            last,
            f"The chain ends at number {number} instead of {head.number}: its end was removed.",
        )
    if last != head.hash:
        return number, last, f"The hash of number {number} is not the one noted as the end of the chain."
    return number, last, ""


def _beyond(team_id: uuid.UUID | None, scope: str) -> str:
    """A fault where events were put behind the end of the chain. The end moves with its events, so it is read last."""
    highest = Event.objects.filter(team=team_id).aggregate(highest=Max("chain_number"))["highest"] or 0
    end = ChainHead.objects.filter(pk=scope).values_list("number", flat=True).first() or 0
    return f"Number {highest} lies behind the end of the chain: an event was put in." if highest > end else ""


def check_due(now: dt.datetime) -> None:
    """Checks every chain that was not checked for a day, the longest unchecked first."""
    due = ChainHead.objects.filter(Q(checked_at=None) | Q(checked_at__lt=now - CHECKED_EVERY), number__gt=0)
    for scope in list(due.order_by(F("checked_at").asc(nulls_first=True)).values_list("pk", flat=True)):
        keep(check(chain.team_of(scope), now), now)


def keep(found: Check, now: dt.datetime) -> None:
    """Notes the outcome. A fault is logged and, when it is new, told to the team's owners."""
    if found.fault:
        log.error("The chain of events %s is broken. %s", found.scope, found.fault)
    heads, team_id = ChainHead.objects.filter(pk=found.scope), chain.team_of(found.scope)
    with transaction.atomic():
        is_new = bool(found.fault and heads.filter(fault="").update(fault=found.fault))
        heads.update(checked_at=now, checked_number=found.number, fault=found.fault)
        if is_new and team_id is not None:
            sentence = f"The audit log is not whole any more. {found.fault}"
            about, data = ("team", team_id), {"number": found.number}
            record(team_id, LAUNCHER, BROKEN, about, sentence, now=now, data=data, audience=Audience.OWNERS)
