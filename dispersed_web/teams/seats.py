"""The role in which somebody acts, read afresh from the database: the one place where a stored role becomes a right.

Whoever acts through an API token acts in the lower of their own role and what the token's scope is worth, so a token
that may operate can do in every domain what a member can, whoever made it.
"""

from __future__ import annotations

import uuid

from dispersed_web.events.record import Actor
from dispersed_web.teams.models import Membership, Team
from dispersed_web.teams.roles import lower_of


def role_of(team: Team | uuid.UUID, user_id: int | None, at_most: str | None = None) -> str | None:
    """The role of an active user in the team, cut down to ``at_most``; ``None`` for somebody who is not in it."""
    rows = Membership.objects.filter(team=team, user=user_id, user__is_active=True)
    return lower_of(rows.values_list("role", flat=True).first(), at_most)


def role_of_actor(team: Team | uuid.UUID, actor: Actor) -> str | None:
    """The role in which ``actor`` acts in the team. The operator and the product itself have none: whoever lets them do
    what owners may says so."""
    return role_of(team, actor.user_id, actor.at_most)
