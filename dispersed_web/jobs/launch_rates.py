"""How often launches may be asked for: a brake on programs that run wild, counted from the rows of the jobs themselves.

A person may ask :data:`PER_MINUTE` times a minute, over all teams. A form with several copies is one asking, so that all
of them fit; each of them counts for what comes after, so the next form waits. A team may ask for :data:`PER_HOUR` jobs an
hour, each copy counted; a form that would pass that is refused whole. The request's transaction has the team's turn, so
two of one team never count the same place. Two of one person in two teams may: this guards no money, the caps do.
"""

from __future__ import annotations

import datetime as dt
import math

from django.db.models import Q, QuerySet

from dispersed_web.jobs.errors import TooManyLaunches
from dispersed_web.jobs.models import Job, Origin
from dispersed_web.teams.models import Team

PER_MINUTE = 10
PER_HOUR = 60
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


def refuse_too_many(team: Team, user_id: int, form: str, now: dt.datetime) -> None:
    """``form`` is what the tokens of all copies of one form begin with; empty for one job alone. Raises
    :class:`TooManyLaunches`."""
    asked = Job.objects.filter(origin=Origin.LAUNCHED)
    copies = Q(form_token__startswith=f"{form}:") if form else Q(pk=None)
    mine = asked.filter(created_by=user_id, created_at__gt=now - MINUTE).exclude(copies)
    if wait_s := _wait_s(mine, PER_MINUTE, MINUTE, now):
        sentence = f"You may ask for {PER_MINUTE} launches in a minute. Try again in {_words(wait_s)}."
        raise TooManyLaunches(sentence, wait_s)
    ours = asked.filter(team=team, created_at__gt=now - HOUR)
    if wait_s := _wait_s(ours, PER_HOUR, HOUR, now):
        sentence = f"A team may ask for {PER_HOUR} launches in an hour. Try again in {_words(wait_s)}."
        raise TooManyLaunches(sentence, wait_s)


def _wait_s(jobs: QuerySet[Job], most: int, window: dt.timedelta, now: dt.datetime) -> int:
    """Seconds until one more fits; 0 when it does now."""
    newest = list(jobs.order_by("-created_at").values_list("created_at", flat=True)[:most])
    if len(newest) < most:
        return 0
    return max(1, math.ceil((newest[-1] + window - now).total_seconds()))


def _words(seconds: int) -> str:
    return f"{seconds} s" if seconds <= 90 else f"{math.ceil(seconds / 60)} min"
