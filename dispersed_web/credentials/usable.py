"""Which credentials somebody may launch with, read from the rows; the rule itself stands in ``use.py``."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable

from dispersed_web.credentials.models import Credential, CredentialState, CredentialUser, UsableBy
from dispersed_web.credentials.use import may_use
from dispersed_web.teams.models import Team


def in_team(team: Team, user_id: int | None, role: str | None) -> list[Credential]:
    """The team's active credentials that somebody with ``role`` may launch with, by name."""
    rows = list(Credential.objects.filter(team=team, state=CredentialState.ACTIVE).order_by("name"))
    return of_those(rows, user_id, role)


def of_those(rows: Collection[Credential], user_id: int | None, role: str | None) -> list[Credential]:
    """Which of ``rows`` somebody with ``role`` may launch with, in their order."""
    chosen = chosen_of(rows)
    return [one for one in rows if may_use(role, user_id, one.usable_by, chosen[one.pk])]


def is_usable(credential: Credential, user_id: int | None, role: str | None) -> bool:
    """Whether somebody with ``role`` may launch with it."""
    return bool(of_those([credential], user_id, role))


def may_ask(credential: Credential, user_id: int | None, role: str | None) -> bool:
    """Whether somebody may have the cloud asked with it, for prices and recipes: every member, viewers too, unless it is
    for some alone."""
    return credential.usable_by == UsableBy.MEMBERS or is_usable(credential, user_id, role)


def chosen_of(credentials: Iterable[Credential]) -> dict[uuid.UUID, frozenset[int]]:
    """The chosen people of each credential, in one query at most; empty for those that are not for chosen people."""
    picky = [one.pk for one in credentials if one.usable_by == UsableBy.CHOSEN]
    found: dict[uuid.UUID, set[int]] = defaultdict(set)
    if picky:
        rows = CredentialUser.objects.filter(credential__in=picky)
        for credential_id, user_id in rows.values_list("credential", "user"):
            found[credential_id].add(user_id)
    return {one.pk: frozenset(found[one.pk]) for one in credentials}
