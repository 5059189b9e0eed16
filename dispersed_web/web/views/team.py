"""A team: its members and their roles, its limits, its API tokens."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dispersed_web.accounts import second_factor
from dispersed_web.jobs import calendar
from dispersed_web.teams import keeping
from dispersed_web.teams.invitations import roles_to_give, waiting
from dispersed_web.teams.models import Membership, Team, TeamSshKey
from dispersed_web.teams.roles import RANK, Action, Role, may_change_member
from dispersed_web.web import access, audit, words
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.ssh_keys import SshKeyForm
from dispersed_web.web.forms.team import LimitsForm
from dispersed_web.web.job.key_lines import key_lines
from dispersed_web.web.people.sudo import needs_sudo

RECENT = 6


@require_safe
def team(request: HttpRequest, slug: str) -> HttpResponse:
    return page(request, access.seat(request, slug))


def page(request: HttpRequest, seat: Seat, *, ssh: SshKeyForm | None = None, **more: Any) -> HttpResponse:
    """The page, with what was typed into a form at fault, and with ``more`` that is shown this once."""
    now = timezone.now()
    context = _rights(seat) | {
        "members": _members(seat),
        "invitations": _invitations(seat, now) if seat.may(Action.MANAGE_MEMBERS) else [],
        "recent": audit.lines(seat.team, request.user, size=RECENT),
        "limits": _limits(seat.team),
        "keys": key_lines(
            TeamSshKey.objects.filter(team=seat.team).select_related("added_by").order_by("name")
        ),
        "ssh": ssh or SshKeyForm(),
        "calendar": calendar.of(request.user, seat.team),
    }
    return render(request, "team/team.html", context | more, status=422 if ssh and ssh.errors else 200)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@needs_sudo
def team_limits(request: HttpRequest, slug: str) -> HttpResponse:
    seat = access.seat(request, slug, Action.MANAGE_LIMITS)
    form = LimitsForm(request.POST or None, request=request, team=seat.team)
    if request.method == "POST" and form.is_valid():
        try:
            changed = keeping.set_limits(seat.team, form.limits, actor=seat.actor, now=timezone.now())
        except keeping.TeamRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            if changed:
                messages.success(request, "The limits hold for every launch from now on.")
            return redirect("web:team", slug)
    context = _rights(seat) | {"form": form}
    return render(request, "team/limits.html", context, status=422 if form.errors else 200)


@require_POST
def team_freeze(request: HttpRequest, slug: str) -> HttpResponse:
    """Freezes launches, or allows them again. Asks for no password: it is a brake."""
    seat = access.seat(request, slug, Action.MANAGE_LIMITS)
    frozen = request.POST.get("frozen") == "1"
    keeping.set_limits(seat.team, {"launches_frozen": frozen}, actor=seat.actor, now=timezone.now())
    if frozen:
        messages.success(request, "Launches are frozen. Running jobs go on, and are stopped as planned.")
    else:
        messages.success(request, "The team may launch again.")
    return redirect("web:team", slug)


def _rights(seat: Seat) -> dict[str, Any]:
    return {
        "team": seat.team,
        "role": seat.role,
        "may_members": seat.may(Action.MANAGE_MEMBERS),
        "may_credentials": seat.may(Action.MANAGE_CREDENTIALS),
        "may_limits": seat.may(Action.MANAGE_LIMITS),
        "may_notices": seat.may(Action.MANAGE_NOTICES),
        "may_keys": seat.may(Action.MANAGE_TEAM_KEYS),
    }


def _members(seat: Seat) -> list[dict[str, Any]]:
    """The people of the team, those with the most rights first."""
    rows = Membership.objects.filter(team=seat.team, user__is_service=False).select_related("user")
    ranked = sorted(rows, key=lambda one: (-RANK[Role(one.role)], str(one.user).lower()))
    me = seat.actor.user_id
    have = second_factor.who_has_one(one.user_id for one in ranked) if seat.manages else set()
    return [
        {
            "row": one,
            "is_me": one.user_id == me,
            "lacks_factor": seat.team.require_mfa and seat.manages and one.user_id not in have,
            "changeable": may_change_member(seat.role, one.role, one.role),
        }
        for one in ranked
    ]


def _invitations(seat: Seat, now: dt.datetime) -> list[dict[str, Any]]:
    """What is open, for who may invite; to a role above their own they only see it."""
    mine = roles_to_give(seat.role)
    return [
        {"row": one, "is_over": one.expires_at <= now, "changeable": one.role in mine}
        for one in waiting(seat.team)
    ]


def _limits(team: Team) -> list[tuple[str, str]]:
    """The limits in words, with what they are called."""
    jobs, spending = team.max_active_jobs, team.max_hourly_usd
    return [
        ("Usual lifetime", words.round_duration(team.default_lifetime_s)),
        ("Longest lifetime", words.round_duration(team.max_lifetime_s)),
        ("Warning before", words.round_duration(team.warn_lead_s)),
        ("Jobs at once", "no limit" if jobs is None else str(jobs)),
        ("Spending", "no limit" if spending is None else words.rate(spending)),
    ]
