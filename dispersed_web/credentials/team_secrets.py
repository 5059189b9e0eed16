"""A team's named secrets: registry logins and access tokens that launches and recipes name instead of holding them.

A value is sealed when it is stored and leaves only into a job that somebody launches with it (``jobs/secret_refs.py``).
Nothing gives it back to a person. Whether the actor may manage secrets is proved by the caller.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.credentials import use_log, vault
from dispersed_web.credentials.models import TeamSecret, TeamSecretUser, UsableBy
from dispersed_web.credentials.secret_names import name_problem
from dispersed_web.credentials.secret_rules import (
    SecretRefused,
    clean_hosts,
    clean_note,
    clean_use,
    clean_value,
    may_go_further,
)
from dispersed_web.events.changes import CHANGED, HIDDEN
from dispersed_web.events.record import Actor, record
from dispersed_web.teams.models import Membership, Team

MOST = 200
NEEDS_VALUE = (
    "Type its value anew. Without it, a secret that is kept to registries can be kept to fewer of them, and not be let "
    "go to others."
)


def of(team: Team) -> QuerySet[TeamSecret]:
    """The team's secrets by name, whatever the case, with who was chosen for each."""
    return (
        TeamSecret.objects.filter(team=team)
        .select_related("created_by", "last_used_by")
        .prefetch_related("chosen__user")
        .order_by("name")
    )


def place_of(secret: TeamSecret) -> vault.Place:
    """What the sealed value of a secret is bound to."""
    return vault.Place("teamsecret", secret.pk, secret.team_id, "value")


@sensitive_variables()
def value_of(secret: TeamSecret, *, team_id: uuid.UUID) -> str:
    """The value, for a job of the team. Raises :class:`vault.CannotOpen`, also for a row of another team."""
    if secret.team_id != team_id:
        raise vault.CannotOpen("", "The secret belongs to another team.")
    try:
        return vault.unseal(secret.value_sealed, place_of(secret))
    except vault.CannotOpen:
        use_log.note(team_id, "secret", secret.pk, "launch", failed=True)
        raise


@sensitive_variables()
def add(
    team: Team,
    name: str,
    value: str,
    *,
    note: str = "",
    usable_by: str = UsableBy.MEMBERS,
    chosen: Collection[int] = (),
    hosts: Iterable[str] = (),
    user: User,
    actor: Actor,
    now: dt.datetime,
) -> TeamSecret:
    """Stores a secret under a new name. Raises :class:`SecretRefused`."""
    if problem := name_problem(name):
        raise SecretRefused("invalid", problem, "name")
    value = clean_value(value)
    secret = TeamSecret(team=team, name=name, created_by=user, created_at=now, changed_at=now)
    secret.note, secret.usable_by, secret.hosts = clean_note(note), clean_use(usable_by), clean_hosts(hosts)
    _put(secret, value)
    try:
        with transaction.atomic():
            _hold(team)
            if TeamSecret.objects.filter(team=team).count() >= MOST:
                raise SecretRefused(
                    "too_many", f"A team has at most {MOST} secrets. Remove one first.", "name"
                )
            secret.save(force_insert=True)
            _choose(secret, chosen)
            sentence = f"{actor.label} added the secret “{name}”."
            _record(secret, actor, "secret.added", sentence, now, **_about(secret))
    except IntegrityError:
        raise SecretRefused("name_taken", "The team has a secret of this name.", "name") from None
    return secret


@sensitive_variables()
def change_value(secret: TeamSecret, value: str, *, actor: Actor, now: dt.datetime) -> bool:
    """Puts another value in its place; jobs that were launched keep the old one. False when it is the same. Raises
    :class:`SecretRefused`."""
    value = clean_value(value)
    with transaction.atomic():
        row = _held(secret)
        is_same = row.fingerprint == _fingerprint(value)
        if is_same and vault.opens(
            row.value_sealed, place_of(row)
        ):  # else it is stored again, so that it can be
            return False
        _put(row, value)
        row.changed_at = now
        row.save(update_fields=["value_sealed", "fingerprint", "changed_at"])
        sentence = f"{actor.label} changed the value of the secret “{row.name}”."
        hidden = {"before": {"value_sealed": HIDDEN}, "after": {"value_sealed": CHANGED}}
        _record(row, actor, "secret.changed", sentence, now, **hidden)
    return True


@sensitive_variables()
def change_about(
    secret: TeamSecret,
    *,
    note: str,
    usable_by: str,
    chosen: Collection[int] = (),
    hosts: Iterable[str] = (),
    value: str = "",
    actor: Actor,
    now: dt.datetime,
) -> bool:
    """Its note, who may use it, and for which registries, with another ``value`` or the same one typed anew if wanted;
    False when nothing changes.

    Raises :class:`SecretRefused`, also where it could then go to registries that it could not go to before and no value
    was given: nobody who does not know it may have it sent to a place of their own.
    """
    note, usable_by, bound = clean_note(note), clean_use(usable_by), clean_hosts(hosts)
    with transaction.atomic():
        row = _held(secret)
        if may_go_further(row.hosts, bound) and not value:
            raise SecretRefused("invalid", NEEDS_VALUE, "value")
        is_new = bool(value) and change_value(row, value, actor=actor, now=now)
        before = _about(row)
        row.note, row.usable_by, row.hosts = note, usable_by, bound
        _choose(row, chosen)
        after = _about(row)
        if before == after:
            return is_new
        row.changed_at = now
        row.save(update_fields=["note", "usable_by", "hosts", "changed_at"])
        sentence = f"{actor.label} changed the secret “{row.name}”: {_changed(before, after)}."
        changed = [name for name in after if before[name] != after[name]]
        told = ({name: one[name] for name in changed} for one in (before, after))
        _record(row, actor, "secret.changed", sentence, now, before=next(told), after=next(told))
    return True


def remove(secret: TeamSecret, *, actor: Actor, now: dt.datetime) -> None:
    """Destroys it. Jobs that were launched with it hold what they got and go on; recipes and presets that name it are
    refused until somebody mends them."""
    with transaction.atomic():
        row = _held(secret)
        sentence = f"{actor.label} removed the secret “{row.name}”."
        _record(row, actor, "secret.removed", sentence, now)
        row.delete()


def note_use(secrets: Iterable[TeamSecret], user: User, now: dt.datetime) -> None:
    """Remembers who used them last, and counts the use. Call with the team's row held."""
    used = list(secrets)
    ids = [secret.pk for secret in used]
    TeamSecret.objects.filter(pk__in=ids).update(last_used_at=now, last_used_by=user)
    for secret in used:
        use_log.note(secret.team_id, "secret", secret.pk, "launch", user_id=user.pk, now=now)


def _hold(team: Team) -> None:
    """The team's row comes before those of its secrets, as in a launch."""
    Team.objects.select_for_update().only("pk").get(pk=team.pk)


def _held(secret: TeamSecret) -> TeamSecret:
    """The row as it is now, behind its team's lock. Raises :class:`SecretRefused` when it is gone."""
    _hold(secret.team)
    row = TeamSecret.objects.select_related("team").filter(pk=secret.pk, team=secret.team_id).first()
    if row is None:
        raise SecretRefused("gone", "This secret was removed meanwhile.")
    return row


@sensitive_variables()
def _put(secret: TeamSecret, value: str) -> None:
    secret.value_sealed = vault.seal(value, place_of(secret))
    secret.fingerprint = _fingerprint(value)


@sensitive_variables()
def _fingerprint(value: str) -> str:
    return vault.fingerprint(value)[:8]


def _choose(secret: TeamSecret, user_ids: Collection[int]) -> None:
    """Exactly these people are chosen, where it is for chosen ones. Raises :class:`SecretRefused` for strangers."""
    wanted = set(user_ids) if secret.usable_by == UsableBy.CHOSEN else set()
    people = Membership.objects.filter(team=secret.team_id, user__in=wanted, user__is_service=False)
    if wanted - set(people.values_list("user", flat=True)):
        raise SecretRefused("invalid", "Choose members of this team.", "chosen")
    if secret.usable_by == UsableBy.CHOSEN and not wanted:
        raise SecretRefused("invalid", "Choose at least one member.", "chosen")
    rows = TeamSecretUser.objects.filter(secret=secret)
    known = set(rows.values_list("user", flat=True))
    rows.exclude(user__in=wanted).delete()
    TeamSecretUser.objects.bulk_create(
        TeamSecretUser(secret=secret, user_id=user_id) for user_id in wanted - known
    )


def _about(secret: TeamSecret) -> dict[str, Any]:
    chosen = TeamSecretUser.objects.filter(secret=secret).order_by("user").values_list("user", flat=True)
    return {
        "note": secret.note,
        "usable_by": str(secret.usable_by),
        "chosen": list(chosen),
        "hosts": list(secret.hosts),
    }


def _changed(before: dict[str, Any], after: dict[str, Any]) -> str:
    words = {
        "note": "its note",
        "usable_by": "who may use it",
        "chosen": "who may use it",
        "hosts": "its registries",
    }
    return ", ".join(dict.fromkeys(words[name] for name in words if before[name] != after[name]))


def _record(
    secret: TeamSecret, actor: Actor, kind: str, sentence: str, now: dt.datetime, **data: Any
) -> None:
    data = {"name": secret.name, **data}
    record(secret.team_id, actor, kind, ("secret", secret.pk), sentence, now=now, data=data)
