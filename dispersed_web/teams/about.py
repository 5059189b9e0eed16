"""What a team is called, and which one a person's browser opens first."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from dispersed_web.accounts.models import User
from dispersed_web.events.record import Actor, record
from dispersed_web.teams import seats
from dispersed_web.teams.keeping import OPERATOR, TeamRefused, hold
from dispersed_web.teams.models import Membership, Team
from dispersed_web.teams.roles import Action, may

LONGEST_NAME = 60


def rename(team: Team, name: str, *, actor: Actor, now: dt.datetime) -> bool:
    """Another name for the team; its addresses stay. False when it is called that already. Raises :class:`TeamRefused`."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise TeamRefused("invalid", f"A name has 1 to {LONGEST_NAME} letters or signs.", "name")
    with transaction.atomic():
        row = hold(team)
        if actor != OPERATOR and not may(seats.role_of_actor(row, actor), Action.MANAGE_TEAM):
            raise TeamRefused("not_allowed", "Your role in this team does not allow that.")
        if row.name == name:
            return False
        Team.objects.filter(pk=row.pk).update(name=name)
        sentence = f"{actor.label} renamed the team from “{row.name}” to “{name}”."
        data = {"before": {"name": row.name}, "after": {"name": name}}
        record(row.pk, actor, "team.renamed", ("team", row.pk), sentence, now=now, data=data)
    return True


def open_first(user: User, team: Team) -> bool:
    """The person's browser opens this team after signing in; False when it does so already or they are not in it."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)
        mine = Membership.objects.filter(user=user)
        if not mine.filter(team=team, is_default=False).exists():
            return False
        mine.filter(is_default=True).update(is_default=False)
        return bool(mine.filter(team=team).update(is_default=True))
