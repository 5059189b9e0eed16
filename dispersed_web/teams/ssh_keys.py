"""A team's SSH keys, which every member may give to a job. Changes are for who manages them, each with its event."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from dispersed_web.accounts.key_keeping import MOST_KEYS, KeyRefused, checked_name, clean_name
from dispersed_web.accounts.ssh_keys import PublicKey
from dispersed_web.events.record import Actor, record
from dispersed_web.teams import seats
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import Team, TeamSshKey
from dispersed_web.teams.roles import Action, may


def add(team: Team, key: PublicKey, name: str, *, actor: Actor, now: dt.datetime) -> TeamSshKey:
    """Stores the key. Raises :class:`TeamRefused`."""
    name = _clean(name, key)
    with transaction.atomic():
        _hold(team, actor)
        keys = TeamSshKey.objects.filter(team=team)
        if keys.count() >= MOST_KEYS:
            raise TeamRefused(
                "too_many", f"The team has {MOST_KEYS} keys, which is the most. Remove one first."
            )
        if keys.filter(fingerprint=key.fingerprint).exists():
            raise TeamRefused("known", "The team has this key already.", "key")
        stored = TeamSshKey.objects.create(
            team=team,
            name=name,
            line=key.line,
            fingerprint=key.fingerprint,
            added_by_id=actor.user_id,
            created_at=now,
        )
        sentence = f"{actor.label} added the SSH key “{name}” ({key.fingerprint})."
        _tell(stored, actor, "sshkey.added", sentence, now)
    return stored


def rename(key: TeamSshKey, name: str, *, actor: Actor, now: dt.datetime) -> bool:
    """False when it has that name. Raises :class:`TeamRefused`."""
    name = _clean(name)
    if not name:
        raise TeamRefused("invalid", "Give the key a name.", "name")
    with transaction.atomic():
        _hold(key.team, actor)
        changed = TeamSshKey.objects.filter(pk=key.pk).exclude(name=name).update(name=name)
        if changed:
            sentence = f"{actor.label} renamed the SSH key “{key.name}” to “{name}”."
            _tell(key, actor, "sshkey.renamed", sentence, now)
    return bool(changed)


def remove(key: TeamSshKey, *, actor: Actor, now: dt.datetime) -> bool:
    """Forgets the key; jobs that run with it keep it. False when it is gone already. Raises :class:`TeamRefused`."""
    with transaction.atomic():
        _hold(key.team, actor)
        gone = TeamSshKey.objects.filter(pk=key.pk).delete()[0]
        if gone:
            sentence = f"{actor.label} removed the SSH key “{key.name}” ({key.fingerprint})."
            _tell(key, actor, "sshkey.removed", sentence, now)
    return bool(gone)


def _clean(name: str, key: PublicKey | None = None) -> str:
    try:
        return clean_name(name, key) if key else checked_name(name)
    except KeyRefused as error:
        raise TeamRefused(error.code, error.sentence, error.field) from None


def _hold(team: Team, actor: Actor) -> None:
    """Locks the team's row, behind which the actor's role is read."""
    Team.objects.select_for_update().get(pk=team.pk)
    if not may(seats.role_of_actor(team, actor), Action.MANAGE_TEAM_KEYS):
        raise TeamRefused("not_allowed", "Your role in this team does not allow that.")


def _tell(key: TeamSshKey, actor: Actor, kind: str, sentence: str, now: dt.datetime) -> None:
    data = {"fingerprint": key.fingerprint}
    record(key.team_id, actor, kind, ("sshkey", key.pk), sentence, now=now, data=data)
