"""The end of a team: nobody belongs to it any more, and its address is free. Its jobs and events stay as rows.

This is the teams' part; ``notifications/closing.py`` does all parts in one transaction.
"""

from __future__ import annotations

import datetime as dt

from dispersed_web.accounts.models import User
from dispersed_web.events.record import Actor, record
from dispersed_web.events.security import tell_person
from dispersed_web.teams import seats
from dispersed_web.teams.keeping import OPERATOR, TeamRefused, hold, open_invitations
from dispersed_web.teams.models import ApiToken, Membership, Team
from dispersed_web.teams.roles import Action, may


def hold_to_delete(team: Team, typed_name: str, *, actor: Actor) -> Team:
    """The team's row, locked, for somebody who may delete it and typed its name.

    Raises :class:`TeamRefused`: ``not_allowed``, ``deleted``, ``wrong_name``.
    """
    row = hold(team)
    if actor != OPERATOR and not may(seats.role_of_actor(row, actor), Action.DELETE_TEAM):
        raise TeamRefused("not_allowed", "Only an owner deletes a team.")
    if typed_name.strip() != row.name:
        raise TeamRefused("wrong_name", f"Type the team's name to delete it: {row.name}", "name")
    return row


def end(row: Team, *, actor: Actor, now: dt.datetime) -> None:
    """Ends memberships, tokens, service accounts and invitations of the team, whose row the transaction holds. Everybody
    who was in it is told."""
    people = list(User.objects.filter(memberships__team=row, is_active=True, is_service=False))
    programs = User.objects.filter(memberships__team=row, is_service=True)
    programs.update(is_active=False)
    tokens = ApiToken.objects.filter(team=row, revoked_at=None).update(revoked_at=now)
    invited = open_invitations(row).update(revoked_at=now)
    Membership.objects.filter(team=row).delete()
    Team.objects.filter(pk=row.pk).update(
        deleted_at=now, slug=f"deleted-{row.pk.hex[:12]}", launches_frozen=True
    )
    sentence = f"{actor.label} deleted the team {row.name}."
    data = {
        "name": row.name,
        "slug": row.slug,
        "members": [one.email for one in people],
        "revoked_tokens": tokens,
        "revoked_invitations": invited,
    }
    record(row.pk, actor, "team.deleted", ("team", row.pk), sentence, now=now, data=data)
    for one in people:
        tell_person(one, "account.team_deleted", sentence, now, {"team": row.name}, actor=actor)
