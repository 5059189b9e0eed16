"""Calendar feeds: private addresses at which a calendar program reads planned stops, one a person and team."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.events.record import Actor, record
from dispersed_web.events.security import note_account
from dispersed_web.jobs.models import ENDED, IN_CLOUD, CalendarFeed, Job
from dispersed_web.teams.models import Membership, Team

TOKEN_BYTES = 32
TOUCH_EVERY = dt.timedelta(minutes=1)
# So long ago ended jobs are still told of, and so many at most.
PAST = dt.timedelta(days=30)
MOST_ACTIVE = 300
MOST_ENDED = 300


@sensitive_variables()
def make(user: User, team: Team | None, *, now: dt.datetime) -> tuple[CalendarFeed, str]:
    """A new address of the feed of all the person's jobs, or of a team's; an older one is dead from now on.

    The token exists only in this answer: show it once. The caller has made sure that the person is in the team.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)
        CalendarFeed.objects.filter(user=user, team=team).delete()
        feed = CalendarFeed.objects.create(user=user, team=team, token_digest=_digest(token), created_at=now)
        if team is None:
            note_account(user, "calendar.made", f"{user} made a private address of their calendar.", now)
        else:
            sentence = f"{user} made a private address of the team's calendar."
            record(team.pk, Actor.person(user), "calendar.made", ("user", user.pk), sentence, now=now)
    return feed, token


def of(user: User, team: Team | None) -> CalendarFeed | None:
    """The person's calendar of the team's jobs, or of their own in all teams (``None``), if they made one."""
    return CalendarFeed.objects.filter(user=user, team=team).first()


def switch_off(user: User, team: Team | None, *, now: dt.datetime) -> bool:
    """The address is dead from now on; False when there was none."""
    with transaction.atomic():
        gone = bool(CalendarFeed.objects.filter(user=user, team=team).delete()[0])
        if gone and team is None:
            sentence = f"{user} switched off the address of their calendar."
            note_account(user, "calendar.switched_off", sentence, now)
        elif gone and team is not None:
            sentence = f"{user} switched off their address of the team's calendar."
            record(team.pk, Actor.person(user), "calendar.switched_off", ("user", user.pk), sentence, now=now)
    return gone


@sensitive_variables()
def find(token: str) -> CalendarFeed | None:
    """The feed of this token with its person and team; ``None`` for an unknown one, for somebody who is not active, and
    for somebody who is not in the feed's team any more."""
    seats = Membership.objects.filter(user=OuterRef("user"), team=OuterRef("team"))
    rows = CalendarFeed.objects.filter(Q(team=None) | Exists(seats), user__is_active=True)
    return rows.filter(token_digest=_digest(token)).select_related("user", "team").first()


def touch(feed: CalendarFeed, now: dt.datetime) -> None:
    """Notes the use, at most once a minute."""
    unused = Q(last_used_at=None) | Q(last_used_at__lte=now - TOUCH_EVERY)
    CalendarFeed.objects.filter(unused, pk=feed.pk).update(last_used_at=now)


def jobs_of(feed: CalendarFeed, now: dt.datetime) -> tuple[list[Job], list[Job]]:
    """The jobs that the feed tells of: those at the cloud, the soonest stop first, and those that ended lately, the
    latest first. Of a person's own feed those that they own, in the teams that they are in now."""
    if feed.team_id is None:
        seats = Membership.objects.filter(user=feed.user_id).values("team")
        rows = Job.objects.filter(owner=feed.user_id, team__in=seats)
    else:
        rows = Job.objects.filter(team=feed.team_id)
    rows = rows.select_related("team", "owner", "current_run").defer("spec_secrets_sealed", "notes")
    active = rows.filter(status__in=IN_CLOUD).order_by("stop_at", "pk")
    return list(active[:MOST_ACTIVE]), list(_ended(rows, now)[:MOST_ENDED])


def _ended(rows: QuerySet[Job], now: dt.datetime) -> QuerySet[Job]:
    """What never ran had no stop."""
    ran = rows.filter(status__in=ENDED, ended_at__gte=now - PAST, launched_at__isnull=False)
    return ran.order_by("-ended_at", "pk")


@sensitive_variables()
def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
