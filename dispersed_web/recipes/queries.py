"""Which recipes somebody may see, use and change."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team


def visible_to(user_id: int, team: Team) -> QuerySet[Recipe]:
    """The team's shared recipes and the person's own, archived ones too. Whether the person belongs to the team is
    proved by the caller."""
    shared = Q(visibility=Recipe.Visibility.TEAM)
    return Recipe.objects.filter(shared | Q(owner=user_id), team=team)


def usable_by(user_id: int, team: Team) -> QuerySet[Recipe]:
    """Those that may be launched: visible, with a version, not archived."""
    return visible_to(user_id, team).filter(archived_at=None).exclude(current=None)
