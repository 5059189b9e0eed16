"""Checking every stored secret, and sealing anew with the first key what was sealed with another.

Both go through all sealed columns, some rows at a time, beside whatever else runs. A secret that cannot be opened is
counted and named, and left as it is.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials import canary, sealed, vault
from dispersed_web.credentials.models import KeyCanary
from dispersed_web.credentials.sealed import Column
from dispersed_web.events.record import Actor, record
from dispersed_web.teams.models import Installation

MOST_NAMED = 20


@dataclass(frozen=True)
class Damage:
    """A stored secret that cannot be opened although its key is here and right."""

    column: str
    row_id: str
    why: str


@dataclass
class Census:
    """What a check found: how many secrets each column holds under each key, how many of them could not be opened, which
    keys are missing or wrong, and some of the damaged rows by name."""

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    unreadable: Counter[tuple[str, str]] = field(default_factory=Counter)
    troubles: list[canary.KeyTrouble] = field(default_factory=list)
    damaged: list[Damage] = field(default_factory=list)

    def of_key(self, key_id: str) -> tuple[int, int]:
        """How many secrets are sealed with this key, and how many of them could not be opened."""
        rows = sum(count for (_, one), count in self.rows.items() if one == key_id)
        return rows, sum(count for (_, one), count in self.unreadable.items() if one == key_id)

    @property
    def key_ids(self) -> list[str]:
        return sorted({key_id for _, key_id in self.rows} | {one.key_id for one in self.troubles})

    @property
    def is_well(self) -> bool:
        return not self.troubles and not self.unreadable


def check(now: dt.datetime) -> Census:
    """Opens every stored secret once and forgets it; the counts are noted with the keys' canaries."""
    found = Census()
    installation = Installation.get().uuid
    bad: set[str] = {one.key_id for one in canary.troubles()}
    for column in sealed.columns():
        for row in column.in_batches(column.rows()):
            text = column.sealed(row)
            key_id = vault.key_id_of(text)
            found.rows[column.name, key_id] += 1
            why = _fault_of(text, column, row, installation)
            if why:
                found.unreadable[column.name, key_id] += 1
                if key_id not in bad and vault.has_key(key_id) and len(found.damaged) < MOST_NAMED:
                    found.damaged.append(Damage(column.name, str(row.pk), why))
    found.troubles = _troubles(found, bad)
    for key_id in found.key_ids:
        canary.note_count(key_id, *found.of_key(key_id), now)
    for key_id in KeyCanary.objects.exclude(pk__in=found.key_ids).values_list("pk", flat=True):
        canary.note_count(key_id, 0, 0, now)
    return found


@sensitive_variables()
def _fault_of(text: str, column: Column, row: Any, installation: uuid.UUID) -> str:
    try:
        vault.unseal_shortly(text, column.place(row), installation)
    except vault.CannotOpen as error:
        return str(error)
    return ""


def _troubles(found: Census, bad: set[str]) -> list[canary.KeyTrouble]:
    """With the canaries, and without one for keys from before there were any."""
    told = []
    for key_id in sorted({key for _, key in found.rows if key} | bad):
        rows, unreadable = found.of_key(key_id)
        if not rows:
            continue  # nothing needs it any more
        if not vault.has_key(key_id):
            told.append(canary.KeyTrouble(key_id, canary.MISSING, rows))
        elif key_id in bad or unreadable == rows:
            told.append(canary.KeyTrouble(key_id, canary.WRONG, rows))
    return told


@dataclass
class Rotated:
    """What became of the secrets under other keys. ``left`` counts what remains, by key; ``of_teams`` what was sealed anew,
    by team, with ``None`` for what belongs to persons."""

    sealed_anew: int = 0
    changed_meanwhile: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    left: dict[str, int] = field(default_factory=dict)
    of_teams: Counter[uuid.UUID | None] = field(default_factory=Counter)


def rotate_and_record(now: dt.datetime, told: Callable[[str, int], None], actor: Actor) -> Rotated:
    """As :func:`rotate`, and an event for each team whose secrets were sealed anew, also where it was broken off."""
    outcome = Rotated()
    try:
        return rotate(told, outcome)
    finally:
        _record(outcome, actor, now)


def _record(outcome: Rotated, actor: Actor, now: dt.datetime) -> None:
    key = vault.first_key_id()
    for team_id, count in outcome.of_teams.items():
        subject = ("team", team_id) if team_id else ("installation", 1)
        many = "1 stored secret" if count == 1 else f"{count:,} stored secrets"
        sentence = f"{actor.label} sealed {many} anew with the encryption key “{key}”."
        data = {"key": key, "count": count}
        record(team_id, actor, "team.secrets_rotated", subject, sentence, now=now, data=data)


def rotate(
    told: Callable[[str, int], None] = lambda column, done: None, outcome: Rotated | None = None
) -> Rotated:
    """Seals with the first key whatever was sealed with another one; ``told`` hears of each column and how many it was.

    A row is written only while it holds what was read, so beside a writer the writer wins, and what it wrote is looked at
    again. Broken off anywhere, it goes on when it is called again.
    """
    outcome = outcome or Rotated()
    installation = Installation.get().uuid
    canary.ensure()
    for column in sealed.columns():
        before = outcome.sealed_anew
        # Once more for what was changed meanwhile by a process that still seals with the old key.
        for _ in range(3):
            missed = outcome.changed_meanwhile
            for row in column.in_batches(_others(column)):
                _seal_anew(column, row, installation, outcome)
            if outcome.changed_meanwhile == missed:
                break
        told(column.name, outcome.sealed_anew - before)
    outcome.left = {key_id: sealed.count_under(key_id) for key_id in _old_keys(outcome)}
    return outcome


def _others(column: Column) -> Any:
    return column.rows().exclude(column.under(vault.first_key_id()))


@sensitive_variables()
def _seal_anew(column: Column, row: Any, installation: uuid.UUID, outcome: Rotated) -> None:
    place, text = column.place(row), column.sealed(row)
    try:
        secret = vault.unseal_shortly(text, place, installation)
    except vault.CannotOpen as error:
        outcome.unreadable[error.key_id] += 1
        return
    if column.replace(row, vault.seal_with(vault.first_key_id(), secret, place, installation)):
        outcome.sealed_anew += 1
        outcome.of_teams[column.team_of(row)] += 1
    else:
        outcome.changed_meanwhile += 1


def _old_keys(outcome: Rotated) -> Iterator[str]:
    known = set(KeyCanary.objects.values_list("key_id", flat=True)) | {
        key for key in outcome.unreadable if key
    }
    yield from sorted(known - {vault.first_key_id()})
