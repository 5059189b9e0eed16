"""Where one lands after signing in, and a team's home: what burns, what is mine, what stops soon, what needs a person."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_safe

from dispersed_web.accounts.models import User
from dispersed_web.autostop.models import Hold
from dispersed_web.events.record import Actor
from dispersed_web.jobs import figures as job_figures
from dispersed_web.jobs import queries
from dispersed_web.jobs.departed import long_lost
from dispersed_web.jobs.models import ENDED, Job, UnmanagedJob
from dispersed_web.jobs.states import Reason
from dispersed_web.recipes import starters
from dispersed_web.teams import first_run, keeping
from dispersed_web.teams.models import Membership, Team
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, around, first_steps, live, shell, words
from dispersed_web.web.forms.team import NewTeamForm
from dispersed_web.web.job import observing
from dispersed_web.web.jobs import cells, rows, stats
from dispersed_web.web.jobs.row_acts import DECIDE
from dispersed_web.web.jobs.rows import Row
from dispersed_web.web.people import signup

ROWS = 6
SOON = dt.timedelta(hours=4)


@dataclass(frozen=True)
class Figures:
    """What the team's jobs amount to now; ``unpriced`` counts those that bill at a rate nobody knows yet, ``quiet_usd`` is
    what burns per hour for jobs that nobody uses, ``unmanaged_usd`` for those that were not launched here: they burn
    along, as on the page of the jobs."""

    burning_usd: Decimal
    quiet_usd: Decimal
    billing: int
    unpriced: int
    active: int
    mine: int
    soon: int
    idle_soon: int
    attention: int
    unmanaged: int
    unmanaged_usd: Decimal


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the team one was in last, or that opens first; without any, to the invitation whose link one followed, or to a
    page that says what to do. While nobody has an account, to the page
    that makes the first."""
    if not request.user.is_authenticated:
        return redirect("web:setup") if first_run.is_empty() else redirect_to_login(request.path)
    slugs = list(
        Membership.objects.filter(user=request.user.pk)
        .order_by("-is_default", "team__name")
        .values_list("team__slug", flat=True)
    )
    last = request.session.get("team")
    if not slugs and signup.invitation_of(request):
        return redirect("web:join")
    if not slugs:
        return render(request, "home/no_team.html")
    return redirect("web:team-home", last if last in slugs else slugs[0])


@require_safe
def team_home(request: HttpRequest, slug: str) -> HttpResponse:
    """The live part asks for itself again, and is answered 204 while nothing changed."""
    seat = access.seat(request, slug)
    now = timezone.now()
    # What is late or stuck shows by itself after a while, so the minute counts as a change.
    state = f"{seat.team.version}.{int(now.timestamp()) // 60}"
    is_part = live.is_part(request)
    if is_part and request.GET.get("state") == state:
        return live.unchanged()
    context = _context(seat, request.user, now) | {
        "team": seat.team,
        "state": state,
        "may_launch": seat.may(Action.LAUNCH),
        "may_manage": seat.may(Action.MANAGE_CREDENTIALS),
        "may_decide": seat.may(Action.MANAGE_LIMITS),
    }
    if not is_part:
        return render(request, "home/home.html", context)
    response = render(request, "home/_live.html", context)
    shown = shell.recent_banners(seat.team, says_age=False)
    live.tell_frame(response, shell.news(seat.team), shown)
    return response


@require_http_methods(["GET", "POST"])
def new_team(request: HttpRequest) -> HttpResponse:
    """Whoever is signed in may make a team, and owns it."""
    form = NewTeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            team = keeping.create_team(
                form.cleaned_data["name"],
                request.user,
                actor=Actor.person(request.user),
                now=timezone.now(),
            )
        except keeping.TeamRefused as refused:
            form.add_error("name", refused.sentence)
        else:
            starters.install(team, timezone.now())
            return redirect("web:team-home", team.slug)
    return render(request, "home/new_team.html", {"form": form}, status=422 if form.errors else 200)


def _context(seat: access.Seat, user: User, now: dt.datetime) -> dict[str, Any]:
    team, zone = seat.team, user.zone
    figures = _figures(team, user, now)
    hold = around.open_hold(team.pk)
    scene = around.around(hold, job_figures.sight(team.pk, now).stale, now)
    made = {
        name: _rows(name, [rows.row(job, now, zone, scene) for job in found[:ROWS]], seat, hold)
        for name, found in _lists(team, user, hold, now).items()
    }
    return {
        "figures": figures,
        "burning": words.money(figures.burning_usd),
        "soon_note": stats.stopping(figures.soon, figures.idle_soon),
        "elsewhere": words.rate(figures.unmanaged_usd) if figures.unmanaged_usd else "",
        "quiet": words.rate(figures.quiet_usd) if figures.quiet_usd else "",
        "hold": hold,
        "observing": observing.of_team(team.pk, now, zone) if figures.active else None,
        "steps": first_steps.of(seat, user),
        **made,
    }


def _lists(team: Team, user: User, hold: Hold | None, now: dt.datetime) -> dict[str, QuerySet[Job]]:
    """What is held, needs a person, stops soon, is one's own. A job that only stops soon is not among what needs a
    person, and a held one only among those."""
    active = queries.for_list(Job.objects.filter(team=team).exclude(status__in=ENDED))
    soon = job_figures.stops_within(SOON, now)
    only_soon = soon & Q(missing_alarmed_at=None, warned_at__isnull=False)
    held = Q(pk__in=hold.job_ids if hold else (), stop_requested_at=None)
    attention = active.filter(queries.needs_attention(now)).exclude(only_soon)
    return {
        "held": active.filter(held).order_by("-hourly_rate_usd") if hold else Job.objects.none(),
        "attention": attention.exclude(held).order_by("-created_at"),
        "soon": active.filter(soon).exclude(held).order_by("stop_at"),
        "mine": active.filter(owner=user).order_by("-created_at"),
    }


def _rows(name: str, made: list[Row], seat: access.Seat, hold: Hold | None) -> SafeString | str:
    """One list as rows of its table; whoever only looks is offered no act. About the held ones is decided together."""
    if not made:
        return ""
    may_act = seat.may(Action.STOP)
    if not may_act:
        made = [replace(row, acts=()) for row in made]
    elif name == "held":
        made = [replace(row, acts=tuple(act for act in row.acts if act != DECIDE)) for row in made]
    places = around.places_of(seat.team, hold)
    return cells.table_rows(
        made, places, template="home/_row.html", section=name, selects=name == "soon" and may_act
    )


def _figures(team: Team, user: User, now: dt.datetime) -> Figures:
    billing = Q(spending_since__isnull=False)
    soon = job_figures.stops_within(SOON, now)
    sums = (
        Job.objects.filter(team=team)
        .exclude(status__in=ENDED)
        .aggregate(
            active=Count("pk"),
            mine=Count("pk", filter=Q(owner=user)),
            soon=Count("pk", filter=soon),
            idle_soon=Count("pk", filter=soon & Q(verdict_rule=Reason.IDLE)),
            attention=Count("pk", filter=queries.needs_attention(now)),
            billing=Count("pk", filter=billing),
            unpriced=Count("pk", filter=billing & Q(hourly_rate_usd=None)),
            burning=Sum("hourly_rate_usd", filter=billing),
            quiet=Sum("hourly_rate_usd", filter=billing & Q(quiet_since__isnull=False)),
        )
    )
    strangers = UnmanagedJob.objects.filter(~long_lost(now), credential__team=team).aggregate(
        shown=Count("pk", filter=Q(ignored_at=None)), usd=Sum("hourly_rate_usd")
    )
    unmanaged_usd = strangers["usd"] or Decimal(0)
    return Figures(
        burning_usd=(sums["burning"] or Decimal(0)) + unmanaged_usd,
        quiet_usd=sums["quiet"] or Decimal(0),
        billing=sums["billing"],
        unpriced=sums["unpriced"],
        active=sums["active"],
        mine=sums["mine"],
        soon=sums["soon"],
        idle_soon=sums["idle_soon"],
        attention=sums["attention"],
        unmanaged=strangers["shown"],
        unmanaged_usd=unmanaged_usd,
    )
