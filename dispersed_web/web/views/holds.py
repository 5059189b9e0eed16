"""Stops for idleness that were held because too many came at once: everybody of the team sees them, admins decide."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from dispersed_web.autostop import breaker
from dispersed_web.autostop.models import Hold
from dispersed_web.clock import database_now
from dispersed_web.jobs import queries
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Membership, Team
from dispersed_web.teams.roles import Action, Role
from dispersed_web.web import access, answers, live
from dispersed_web.web.jobs import rows
from dispersed_web.web.policy import hold_page

# Who may decide: it can stop jobs of anybody in the team.
DECIDE = Action.MANAGE_LIMITS


@require_GET
def hold(request: HttpRequest, slug: str, hold_id: int) -> HttpResponse:
    """What is held, why, what it costs to wait, and the two buttons."""
    place = access.seat(request, slug)
    found = _hold(place.team, hold_id)
    now, zone = timezone.now(), timezone.get_current_timezone()
    jobs = _jobs(found)
    waiting = hold_page.waiting(jobs)
    context = {
        "team": place.team,
        "hold": found,
        "rows": [(rows.row(job, now, zone), hold_page.quiet_of(job, now)) for job in jobs],
        "summary": hold_page.summary(found, waiting, now, zone),
        "choices": hold_page.choices(found, len(waiting)),
        "outcome": hold_page.outcome(found, now, zone) if found.decided_at else "",
        "may_decide": place.may(DECIDE),
        "admins": _admins(place.team),
    }
    return render(request, "holds/hold.html", context)


@require_GET
def ask(request: HttpRequest, slug: str, hold_id: int, decision: str) -> HttpResponse:
    """The jobs that the decision concerns, before it is made: a dialog, or a page without JavaScript."""
    place = access.seat(request, slug, DECIDE)
    found = _hold(place.team, hold_id)
    now, zone = timezone.now(), timezone.get_current_timezone()
    waiting = hold_page.waiting(_jobs(found))
    choice = next((one for one in hold_page.choices(found, len(waiting)) if one.decision == decision), None)
    if choice is None:
        raise Http404
    context = {
        "team": place.team,
        "hold": found,
        "choice": choice,
        "rows": [(rows.row(job, now, zone), hold_page.quiet_of(job, now)) for job in waiting],
        "summary": hold_page.summary(found, waiting, now, zone),
        "outcome": hold_page.outcome(found, now, zone) if found.decided_at else "",
    }
    if live.is_part(request):
        return render(request, "holds/_ask.html", context)
    return render(request, "holds/ask.html", context)


@require_POST
def decide(request: HttpRequest, slug: str, hold_id: int) -> HttpResponse:
    """The decision. Somebody who decided before is named, and nothing changes."""
    place = access.seat(request, slug, DECIDE)
    found = _hold(place.team, hold_id)
    decision = request.POST.get("decision", "")
    if decision not in (hold_page.STOP, hold_page.KEEP):
        raise Http404
    now, zone = database_now(), timezone.get_current_timezone()
    level, text = "success", ""
    if breaker.decide(found, decision, place.actor, now):
        text = _done(found, decision)
    else:
        found.refresh_from_db()
        level, text = "info", f"This was decided before. {hold_page.outcome(found, now, zone)}"
    return answers.done(request, text, level, reverse("web:jobs", args=[slug]))


def _done(found: Hold, decision: str) -> str:
    if decision == hold_page.KEEP:
        return "The held jobs go on; their idle time counts anew from now."
    if found.kind == Hold.Kind.ALL_SILENT:
        return "Auto-stop goes on without the silent heartbeats."
    return "The held jobs are stopped one after another, each after a last look."


def _hold(team: Team, hold_id: int) -> Hold:
    return get_object_or_404(Hold.objects.select_related("decided_by"), pk=hold_id, team=team)


def _jobs(found: Hold) -> list[Job]:
    """The held jobs, the dearest first."""
    held = Job.objects.filter(team=found.team_id, pk__in=found.job_ids)
    return sorted(queries.for_list(held), key=lambda job: (-(job.hourly_rate_usd or 0), job.created_at))


def _admins(team: Team) -> list[str]:
    """Whom to ask for a decision."""
    seats = Membership.objects.filter(team=team, role__in=[Role.OWNER, Role.ADMIN], user__is_service=False)
    return [str(seat.user) for seat in seats.select_related("user").order_by("joined_at")[:5]]
