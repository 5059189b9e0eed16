"""Launches that name secrets of the team in the place of values.

An order says in ``secret_refs`` which of its parts do: ``env.NAME``, ``registry_secret``, or ``volume.`` and the path of a
volume; each to the id or the name of a secret. Its specification holds ``PLACEHOLDER`` there. When the order is stored,
inside that transaction, each is resolved by the right of whoever launches, whoever wrote the recipe; the value is sealed
into the job as a typed one is. So a secret that is changed or removed later changes nothing of a job that was launched.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.credentials import team_secrets, use_log, vault
from dispersed_web.credentials.models import TeamSecret
from dispersed_web.credentials.secret_rules import host_of
from dispersed_web.credentials.use import may_use
from dispersed_web.dispersed import JobSpec, Secret, problems_of
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.orders import Order
from dispersed_web.recipes.document import REGISTRY_SECRET
from dispersed_web.recipes.references import VOLUME
from dispersed_web.teams import seats
from dispersed_web.teams.models import Team

PLACEHOLDER = "(a-secret-of-the-team)"


@dataclass(frozen=True)
class Known:
    """The team's secrets as whoever launches may use them. ``usable`` has the ids of those that they may."""

    rows: tuple[TeamSecret, ...] = ()
    usable: frozenset[uuid.UUID] = frozenset()
    user_id: int | None = None
    _by_ref: Mapping[str, TeamSecret] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, team: Team, user_id: int | None, at_most: str | None = None) -> Known:
        """Read afresh, with the person's role as it is now, cut down to ``at_most``."""
        rows = tuple(team_secrets.of(team))
        if not rows:
            return cls()
        role = seats.role_of(team, user_id, at_most)
        usable = frozenset(
            row.pk
            for row in rows
            if may_use(role, user_id, row.usable_by, {one.user_id for one in row.chosen.all()})
        )
        by_ref = {str(row.pk): row for row in rows} | {row.name.lower(): row for row in rows}
        return cls(rows, usable, user_id, by_ref)

    def find(self, ref: str) -> TeamSecret | None:
        """The secret with this id or name."""
        return self._by_ref.get(ref.lower())

    def may(self, secret: TeamSecret) -> bool:
        return secret.pk in self.usable

    def for_whom_launches(self) -> list[TeamSecret]:
        """Those that may be chosen."""
        return [row for row in self.rows if self.may(row)]

    def name(self, ref: str) -> str:
        """What a reference is called; an id that is nothing here stays what it is."""
        found = self.find(ref)
        return found.name if found else ref


NONE = Known()


# Orders -----------------------------------------------------------------------------------------------------------------


@sensitive_variables()
def marked(spec: JobSpec, refs: Iterable[str]) -> JobSpec:
    """The specification with a placeholder in every part of ``refs``, whatever stood there. Pure."""
    return _filled(spec, dict.fromkeys(refs, PLACEHOLDER))


def settled(order: Order, known: Known) -> Order:
    """The order with every reference as an id, as far as it is one, and with nothing but placeholders in their parts: two
    orders that name the same secrets are equal, whatever the values are."""
    if not order.secret_refs:
        return order
    refs = {}
    for target, ref in order.secret_refs.items():
        found = known.find(ref)
        refs[target] = str(found.pk) if found else ref
    names = {target.removeprefix("env.") for target in refs if target.startswith("env.")}
    return replace(
        order,
        spec=marked(order.spec, refs),
        secret_env=order.secret_env | names,
        secret_refs=refs,
    )


def names_of(refs: Mapping[str, str], known: Known) -> dict[str, str]:
    """Part to name, for a settled order."""
    return {target: known.name(ref) for target, ref in refs.items()}


@sensitive_variables()
def resolved(order: Order, team: Team, known: Known) -> JobSpec:
    """The whole specification of a settled order, with the values. Raises :class:`LaunchRefused` at the first part whose
    secret is gone, not for whoever launches, not for that use, or cannot be opened."""
    values = {target: _value(order, target, ref, team, known) for target, ref in order.secret_refs.items()}
    spec = _filled(order.spec, values)
    for name, sentence in problems_of(spec).items():
        raise LaunchRefused("invalid", sentence, field=_part(name, order))
    return spec


def note_use(order: Order, known: Known, user: User, now: dt.datetime) -> None:
    """Remembers who launched with them. Call with the team's row held."""
    found = {row.pk: row for ref in order.secret_refs.values() if (row := known.find(ref))}
    if found:
        team_secrets.note_use(found.values(), user, now)


@sensitive_variables()
def _value(order: Order, target: str, ref: str, team: Team, known: Known) -> str:
    secret = known.find(ref)
    if secret is None:
        raise LaunchRefused("secret_gone", _gone(ref), field=target)
    if not known.may(secret):
        sentence = f"You may not use the team’s secret “{secret.name}”. Ask one of the team's admins."
        raise LaunchRefused("secret_not_for_you", sentence, field=target)
    if secret.hosts:
        _refuse_other_hosts(order.spec, target, secret)
    try:
        value = team_secrets.value_of(secret, team_id=team.pk)
        use_log.note(team.pk, "secret", secret.pk, "launch", user_id=known.user_id)
        return value
    except vault.CannotOpen:
        use_log.note(team.pk, "secret", secret.pk, "launch", user_id=known.user_id, failed=True)
        sentence = (
            f"The team’s secret “{secret.name}” cannot be read just now. Tell the operator, or type a value."
        )
        raise LaunchRefused("secret_unreadable", sentence, field=target) from None


def _gone(ref: str) -> str:
    try:
        uuid.UUID(ref)
    except ValueError:
        return f"The team has no secret “{ref}”. Choose another one, or type a value."
    return "The team has no such secret. Choose another one, or type a value."


def _refuse_other_hosts(spec: JobSpec, target: str, secret: TeamSecret) -> None:
    """A secret that is bound to registries is for nothing else: what a container gets, whoever launched it can read."""
    if not _hosts(spec, target) <= set(secret.hosts) - {""}:
        places = ", ".join(secret.hosts)
        sentence = f"The team’s secret “{secret.name}” is only for images of {places}."
        raise LaunchRefused("secret_bound", sentence, field=target)


def _hosts(spec: JobSpec, target: str) -> set[str]:
    """Every registry that may be given what stands in this part; an empty text for one that is not known. What an image
    source does is not documented, so with one nobody can tell."""
    if target == REGISTRY_SECRET:
        unknown = {""} if spec.image_source else set()
        return {host_of(spec.registry_host)} | _named_by(spec.image) | unknown
    volume = next((one for one in spec.volumes if f"{VOLUME}{one.mount}" == target), None)
    if volume is None:
        return {""}
    return {host_of(volume.registry)} | _named_by(volume.image)


def _named_by(image: str) -> set[str]:
    """The registry that an image names itself, as ``ghcr.io/org/app`` does: empty for the most."""
    first, slash, _ = image.partition("/")
    names_one = slash and ("." in first or ":" in first or first.lower() == "localhost")
    return {host_of(first)} if names_one else set()


@sensitive_variables()
def _filled(spec: JobSpec, values: Mapping[str, str]) -> JobSpec:
    env = {
        target.removeprefix("env."): value for target, value in values.items() if target.startswith("env.")
    }
    registry = values.get(REGISTRY_SECRET)
    return replace(
        spec,
        env={**spec.env, **env},
        registry_secret=Secret(registry) if registry else spec.registry_secret,
        volumes=tuple(
            replace(one, secret=Secret(values[f"{VOLUME}{one.mount}"]))
            if f"{VOLUME}{one.mount}" in values
            else one
            for one in spec.volumes
        ),
    )


def _part(name: str, order: Order) -> str:
    """The part at fault: of a specification that had no problems before, it is one that was filled in."""
    of_env = [target for target in order.secret_refs if target.startswith("env.")]
    return of_env[0] if name == "env" and len(of_env) == 1 else name


# Where a secret is named --------------------------------------------------------------------------------------------------


def plain_with_names(plain: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The plain part of a specification as it is stored, with the name of the secret in every part that has one."""
    if not names:
        return plain
    env = [
        {**row, "team_secret": names[f"env.{row['name']}"]} if f"env.{row['name']}" in names else row
        for row in plain["env"]
    ]
    found = {**plain, "env": env}
    if REGISTRY_SECRET in names:
        found["registry_team_secret"] = names[REGISTRY_SECRET]
    if any(target.startswith(VOLUME) for target in names):
        found["volumes"] = [
            {**row, "team_secret": names[f"{VOLUME}{row['mount']}"]}
            if f"{VOLUME}{row['mount']}" in names
            else row
            for row in plain["volumes"]
        ]
    return found


def without_names(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The plain part as it is without them, for comparing."""
    found = {name: value for name, value in plain.items() if name != "registry_team_secret"}
    for part in ("env", "volumes"):
        if part in found:
            found[part] = [
                {name: value for name, value in row.items() if name != "team_secret"} for row in found[part]
            ]
    return found
