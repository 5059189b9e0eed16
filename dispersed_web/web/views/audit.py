"""The audit log of a team: everybody in it reads what happened; who manages it also from where, what was changed, and
whether the log is whole, and takes it as a file."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dispersed_web.accounts.models import User
from dispersed_web.events import chain, search
from dispersed_web.events.models import ChainHead
from dispersed_web.events.record import record
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.audit import asked as asking
from dispersed_web.web.audit import export as files
from dispersed_web.web.audit.lines import PAGE_SIZE, lines

# How many events are looked through for those who acted and left.
LATELY = 2000
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


@require_safe
def events(request: HttpRequest, slug: str) -> HttpResponse:
    """A page of the events that the address asks for, newest first."""
    seat = access.seat(request, slug)
    whole = seat.may(Action.READ_AUDIT)
    asked = asking.read(request.GET.dict(), timezone.get_current_timezone(), whole=whole)
    found = lines(seat.team, request.user, asked.wanted)
    context = {
        "team": seat.team,
        "lines": found,
        "asked": asked,
        "whole": whole,
        "groups": search.GROUPS.items(),
        "programs": asking.PROGRAMS.items(),
        "people": _people(seat.team, asked.wanted.person),
        "first": asked.wanted.before is None,
        "older": found[-1].event.pk if len(found) == PAGE_SIZE else None,
        "chain": _chain(seat.team) if whole else None,
    }
    return render(request, "team/events.html", context)


@require_safe
def export(request: HttpRequest, slug: str) -> HttpResponse:
    """What the address asks for as a file, ``format=json`` or CSV. That somebody took it is recorded."""
    seat = access.seat(request, slug, Action.READ_AUDIT)
    form = "json" if request.GET.get("format") == "json" else "csv"
    asked = asking.read(request.GET.dict(), timezone.get_current_timezone(), whole=True)
    now = timezone.now()
    _note(seat, form, asked, now)
    events = files.rows(seat.team.pk, asked.wanted)
    if form == "json":
        body = files.json_lines(events, seat.team, now, is_whole=asked.wanted.is_all)
    else:
        body = files.csv_lines(events)
    response = StreamingHttpResponse(body, content_type=TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="audit-{slug}-{now:%Y-%m-%d}.{form}"'
    return response


def _note(seat: access.Seat, form: str, asked: asking.Asked, now: dt.datetime) -> None:
    sentence = f"{seat.actor.label} exported the audit log as {form.upper()}."
    data = {"filter": {name: value for name, value in asked.given.items() if value}}
    about = ("team", seat.team.pk)
    record(seat.team.pk, seat.actor, "export.audit", about, sentence, now=now, data=data, bump=False)


def _people(team: Team, person: int | None) -> list[tuple[int, str]]:
    """Who may have acted: the team's people, then its programs, then those who left: of the latest events, and whoever is
    asked for."""
    found = User.objects.filter(memberships__team=team).order_by("is_service", "name", "email")
    lately = search.of_team(team.pk, search.Wanted())[:LATELY].values("actor_user")
    acted = Q(pk__in=lately)
    if person is not None:
        acted |= Q(pk=person, pk__in=search.of_team(team.pk, search.Wanted()).values("actor_user"))
    gone = User.objects.filter(acted).exclude(memberships__team=team)
    return [
        *((one.pk, one.called) for one in found),
        *((one.pk, f"{one.called}, who left") for one in gone.order_by("is_service", "name", "email")),
    ]


def _chain(team: Team) -> dict[str, Any]:
    """How far the log is sealed, and what the last check found."""
    head = ChainHead.objects.filter(pk=chain.scope_of(team.pk)).first() or ChainHead()
    return {"head": head, "is_checked": head.checked_at is not None}
