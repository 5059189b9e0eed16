"""Setting who may use and who may manage a credential, and its caps. They hold from the next launch on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from dispersed_web.credentials.keeping import CredentialRefused
from dispersed_web.credentials.models import (
    Credential,
    CredentialCaps,
    CredentialState,
    CredentialUser,
    UsableBy,
)
from dispersed_web.credentials.use import may_manage
from dispersed_web.events.changes import plain
from dispersed_web.events.record import Actor, record
from dispersed_web.teams import seats
from dispersed_web.teams.models import Membership
from dispersed_web.teams.roles import Action, Role, may

CAPS = (
    "max_active_jobs",
    "max_hourly_usd",
    "max_day_usd",
    "max_month_usd",
    "task",
    "gpu_models",
    "max_gpu_count",
    "regions",
    "images",
    "max_lifetime_s",
)
MONEY = ("max_hourly_usd", "max_day_usd", "max_month_usd")
MOST_ENTRIES = 50
LONGEST_ENTRY = 300
IMAGE_PATTERN = re.compile(r"[!-~]+")
NOT_YOURS = "You may not manage this credential. Ask one of the team's owners."


def set_use(
    credential: Credential,
    *,
    name: str,
    usable_by: str,
    chosen: Collection[int],
    managed_by: str,
    actor: Actor,
    now: dt.datetime,
) -> bool:
    """What it is called, who may launch with it and who may manage it; False when nothing changes. ``chosen`` are ids of
    members, kept where it is for chosen ones.

    Raises :class:`CredentialRefused` for a name that is taken, for somebody who is no member, and for an act that the
    acting person may not do: only owners keep a credential to owners or give it back.
    """
    with transaction.atomic():
        row, role = _hold(credential, actor)
        if managed_by != row.managed_by and role != Role.OWNER:
            raise CredentialRefused(
                "not_allowed", "Only an owner decides whether admins manage it.", "managed_by"
            )
        others = Credential.objects.filter(team=row.team_id, name=name).exclude(state=CredentialState.GONE)
        if name != row.name and others.exists():
            raise CredentialRefused("name_taken", "The team has a credential of this name.", "name")
        wanted = set(chosen) if usable_by == UsableBy.CHOSEN else set()
        _need_members(row, wanted)
        before = _use_of(row)
        after = {"name": name, "usable_by": usable_by, "managed_by": managed_by, "chosen": sorted(wanted)}
        if before == after:
            return False
        Credential.objects.filter(pk=row.pk).update(name=name, usable_by=usable_by, managed_by=managed_by)
        CredentialUser.objects.filter(credential=row).exclude(user__in=wanted).delete()
        new = wanted - set(before["chosen"])
        CredentialUser.objects.bulk_create(CredentialUser(credential=row, user_id=user) for user in new)
        sentence = f"{actor.label} changed who may use or manage the credential “{name}”."
        _record(row, actor, "credential.use_changed", sentence, before, after, now)
    return True


def set_caps(credential: Credential, caps: Mapping[str, Any], *, actor: Actor, now: dt.datetime) -> bool:
    """All its caps, named as in :data:`CAPS`; False when nothing changes.

    Raises :class:`CredentialRefused` for values that cannot be meant, and for an act that the acting person may not do:
    raising or lifting a cap on money is for owners.
    """
    values = {name: caps[name] for name in CAPS}
    _check(values)
    with transaction.atomic():
        row, role = _hold(credential, actor)
        known = CredentialCaps.objects.filter(credential=row).first() or CredentialCaps(credential=row)
        before = {name: getattr(known, name) for name in CAPS}
        if before == values:
            return False
        _need_to_raise(before, values, role)
        CredentialCaps.objects.update_or_create(credential=row, defaults=values)
        sentence = f"{actor.label} changed the caps of the credential “{row.name}”."
        _record(row, actor, "credential.caps_changed", sentence, before, values, now)
    return True


def _hold(credential: Credential, actor: Actor) -> tuple[Credential, str | None]:
    """The row as it is, locked, and the acting person's role."""
    row = Credential.objects.select_for_update(no_key=True).get(pk=credential.pk)
    if row.state in (CredentialState.RETIRED, CredentialState.GONE):
        raise CredentialRefused("gone", "It is retired: nothing is launched with it any more.")
    role = seats.role_of_actor(row.team_id, actor)
    if not may_manage(role, row.managed_by):
        raise CredentialRefused("not_allowed", NOT_YOURS)
    return row, role


def _use_of(row: Credential) -> dict[str, Any]:
    people = CredentialUser.objects.filter(credential=row).values_list("user", flat=True)
    return {
        "name": row.name,
        "usable_by": row.usable_by,
        "managed_by": row.managed_by,
        "chosen": sorted(people),
    }


def _need_members(row: Credential, wanted: set[int]) -> None:
    people = Membership.objects.filter(team=row.team_id, user__in=wanted, user__is_service=False)
    if wanted - set(people.values_list("user", flat=True)):
        raise CredentialRefused("invalid", "Choose among the members of the team.", "chosen")


def _need_to_raise(before: Mapping[str, Any], after: Mapping[str, Any], role: str | None) -> None:
    if may(role, Action.RAISE_SPENDING):
        return
    for name in MONEY:
        old, new = before[name], after[name]
        if old is not None and (new is None or new > old):
            raise CredentialRefused("not_allowed", "Only an owner may raise or lift a cap on money.", name)


def _check(values: Mapping[str, Any]) -> None:
    for name in ("gpu_models", "regions", "images"):
        entries = values[name]
        if len(entries) > MOST_ENTRIES or any(not 0 < len(entry) <= LONGEST_ENTRY for entry in entries):
            sentence = f"At most {MOST_ENTRIES} entries, each of at most {LONGEST_ENTRY} characters."
            raise CredentialRefused("invalid", sentence, name)
    if not all(IMAGE_PATTERN.fullmatch(entry) for entry in values["images"]):
        raise CredentialRefused("invalid", "An image has no spaces and only plain characters.", "images")
    if values["task"] not in ("", "BATCH", "PERSISTENT"):
        raise CredentialRefused("invalid", "BATCH, PERSISTENT or both.", "task")
    for name in MONEY:
        amount: Decimal | None = values[name]
        if amount is not None and not 0 <= amount < 100_000_000:
            raise CredentialRefused("invalid", "An amount from 0 on, or empty for no cap.", name)
    if values["max_lifetime_s"] is not None and values["max_lifetime_s"] < 60:
        raise CredentialRefused("invalid", "At least a minute.", "max_lifetime_s")


def _record(
    row: Credential,
    actor: Actor,
    kind: str,
    sentence: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now: dt.datetime,
) -> None:
    changed = [name for name in after if before[name] != after[name]]
    data = {
        "before": {name: plain(before[name]) for name in changed},
        "after": {name: plain(after[name]) for name in changed},
    }
    record(row.team_id, actor, kind, ("credential", row.pk), sentence, now=now, data=data)
