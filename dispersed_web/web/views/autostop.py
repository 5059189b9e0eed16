"""A team's auto-stop: what holds, what it would have stopped, what it saved; and changing it, tried on the past first."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dispersed_web.autostop import history, keeping, observed, savings
from dispersed_web.clock import database_now
from dispersed_web.events.models import Event
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import AutostopPolicy
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.me import time_zones
from dispersed_web.web.forms.policy import PolicyForm
from dispersed_web.web.people.sudo import needs_sudo
from dispersed_web.web.policy import policy_page, policy_words

OBSERVED_FOR = dt.timedelta(days=30)
SAVED_FOR = dt.timedelta(days=183)
FEW = 8
CHANGED = "team.autostop_changed"


@require_safe
def autostop(request: HttpRequest, slug: str) -> HttpResponse:
    """What holds, for everybody in the team."""
    seat = access.seat(request, slug)
    now, zone = timezone.now(), timezone.get_current_timezone()
    policy = AutostopPolicy.of(seat.team.pk)
    context = {
        "team": seat.team,
        "may_change": seat.may(Action.MANAGE_LIMITS),
        "enforcement": policy_words.enforcement(policy, now, zone),
        "lines": policy_words.read_back(policy, seat.team),
        "last_change": Event.objects.filter(team=seat.team, kind=CHANGED).order_by("-id").first(),
    }
    context |= _observed(seat, request, now, zone) | _saved(seat, now, zone)
    return render(request, "autostop/page.html", context)


def _observed(seat: Seat, request: HttpRequest, now: dt.datetime, zone: dt.tzinfo) -> dict[str, Any]:
    stops = observed.of_team(seat.team.pk, now - OBSERVED_FOR, now)
    totals = observed.sum_up(stops)
    shown = stops if "all" in request.GET else stops[:FEW]
    return {
        "observed": policy_page.observed_lines(shown, now, zone),
        "observed_totals": totals,
        "observed_saved": policy_page.money(totals.saved_usd),
        "observed_more": len(stops) - len(shown),
        "observed_days": OBSERVED_FOR.days,
    }


def _saved(seat: Seat, now: dt.datetime, zone: dt.tzinfo) -> dict[str, Any]:
    months = savings.by_month(savings.of_team(seat.team.pk, now - SAVED_FOR), now, zone)
    this_month = months.get(savings.month_of(now, zone), savings.Saved())
    return {
        "saved": policy_page.money_range(this_month),
        "saved_stops": this_month.stops,
        "months": policy_page.month_lines(months),
        "saved_method": savings.METHOD,
    }


@require_POST
def autostop_enforce(request: HttpRequest, slug: str) -> HttpResponse:
    """Carries out stops for idleness from now on. Asks for no password: it is a brake."""
    seat = access.seat(request, slug, Action.MANAGE_LIMITS)
    try:
        changed = keeping.enforce(seat.team, actor=seat.actor, now=database_now())
    except TeamRefused as refused:
        messages.error(request, refused.sentence)
    else:
        if changed:
            messages.success(
                request, "Stops for idleness are enforced now. Each is warned about in full first."
            )
        else:
            messages.info(request, "Stops for idleness are enforced already.")
    return redirect("web:autostop", slug)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@needs_sudo
def autostop_change(request: HttpRequest, slug: str) -> HttpResponse:
    """The form. It is saved, or only tried on the runs of the last days."""
    seat = access.seat(request, slug, Action.MANAGE_LIMITS)
    row = AutostopPolicy.of(seat.team.pk)
    trying = "try" in request.POST
    form = PolicyForm(request.POST or None, request=request, row=row, trying=trying)
    if request.method != "POST":
        return _change_page(request, seat, form)
    if not form.is_valid():
        return _change_page(request, seat, form, status=422)
    if trying:
        return _change_page(request, seat, form, **_tried(form))
    try:
        changed = keeping.change(
            seat.team,
            form.values(),
            actor=seat.actor,
            now=database_now(),
            seen_version=form.cleaned_data["version"],
        )
    except TeamRefused as refused:
        return _refused(request, seat, form, refused)
    if changed:
        messages.success(request, "The policy holds from now on, for running jobs too.")
    return redirect("web:autostop", slug)


def _refused(request: HttpRequest, seat: Seat, form: PolicyForm, refused: TeamRefused) -> HttpResponse:
    form.blame(refused)
    meanwhile = None
    if refused.code == "outdated":
        form.seen(AutostopPolicy.of(seat.team.pk))
        meanwhile = Event.objects.filter(team=seat.team, kind=CHANGED).order_by("-id").first()
    return _change_page(request, seat, form, status=422, meanwhile=meanwhile)


def _tried(form: PolicyForm) -> dict[str, Any]:
    now, zone = database_now(), timezone.get_current_timezone()
    draft = form.draft()
    tried = history.try_out(draft, now)
    lines = policy_page.tried_lines(tried.stops, now, zone)
    return {
        "tried": tried,
        "tried_false": [line for line in lines if line.is_false],
        "tried_right": [line for line in lines if not line.is_false],
        "tried_limits": policy_page.limit_lines(tried, dt.timedelta(seconds=draft.high_idle_s)),
        "tried_saved": policy_page.money(tried.totals.saved_usd),
        "tried_how": policy_page.how_tried(tried),
    }


def _change_page(
    request: HttpRequest, seat: Seat, form: PolicyForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {"team": seat.team, "form": form, "time_zones": time_zones(), "days": history.LOOKS_BACK.days}
    context["lifetime"] = policy_words.lifetime(seat.team)
    context |= _reading(seat, form) | more
    return render(request, "autostop/change.html", context, status=status)


@require_POST
@sensitive_post_parameters("password")
def autostop_read(request: HttpRequest, slug: str) -> HttpResponse:
    """What is typed so far, read back."""
    seat = access.seat(request, slug, Action.MANAGE_LIMITS)
    row = AutostopPolicy.of(seat.team.pk)
    form = PolicyForm(request.POST, request=request, row=row, trying=True)
    form.is_valid()
    return render(request, "autostop/_reading.html", {"team": seat.team} | _reading(seat, form))


def _reading(seat: Seat, form: PolicyForm) -> dict[str, Any]:
    """The draft in sentences; without any while something in it is not valid."""
    draft = form.row
    if form.is_bound:
        if form.errors.keys() - {"password", "__all__"} or form.stops.total_error_count():
            return {"reading": None}
        draft = form.draft()
    held = policy_words.enforcement(draft, timezone.now(), timezone.get_current_timezone())
    return {"reading": policy_words.read_back(draft, seat.team), "reading_held": held}
