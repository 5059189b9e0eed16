"""Deleting a team, all of it or nothing: refused while something of it runs, then its secrets, ways and members go."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from dispersed_web.events.record import Actor
from dispersed_web.jobs import closing
from dispersed_web.notifications.models import Channel
from dispersed_web.teams import deletion
from dispersed_web.teams.models import Team


def delete_team(team: Team, typed_name: str, *, actor: Actor, now: dt.datetime) -> None:
    """For an owner who typed its name. Raises :class:`TeamRefused`; then nothing was changed."""
    closing.need_nothing_left(team)
    with transaction.atomic():
        closing.let_go(team)
        Channel.objects.filter(team=team).delete()
        row = deletion.hold_to_delete(team, typed_name, actor=actor)
        # Behind the team's lock no launch begins any more.
        closing.need_nothing_left(row)
        deletion.end(row, actor=actor, now=now)
