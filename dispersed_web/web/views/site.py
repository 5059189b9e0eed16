"""The installation as whoever runs it sees it: teams from outside, and two acts for emergencies, each told to the team.

They belong to no team by that. To everybody else these pages do not exist.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection
from decimal import Decimal
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from dispersed_web import tasks
from dispersed_web.credentials import canary
from dispersed_web.events.record import Actor
from dispersed_web.jobs import outside, unstoppable
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.jobs.outside import Outline
from dispersed_web.jobs.unstoppable import Unstoppable
from dispersed_web.teams import keeping
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import Membership
from dispersed_web.teams.roles import RANK, Role
from dispersed_web.web import words
from dispersed_web.web.forms.site import EmergencyStopForm
from dispersed_web.web.people import departure
from dispersed_web.web.people.sudo import needs_sudo

View = Callable[..., HttpResponse]


def for_site_admins(view: View) -> View:
    """Everybody else learns nothing, not even that there is a page."""

    @wraps(view)
    def wrapped(request: HttpRequest, **names: Any) -> HttpResponse:
        if request.user.is_authenticated and not request.user.is_site_admin:
            raise Http404
        return view(request, **names)

    return wrapped


@for_site_admins
@require_safe
def site(request: HttpRequest) -> HttpResponse:
    """All teams."""
    found = outside.outlines()
    stuck = unstoppable.find(lost=_lost_keys())
    of_team = unstoppable.by_team(stuck)
    rows = [
        {
            "outline": one,
            "rate": words.rate(one.burning_usd),
            "stuck": _sum_of(of_team.get(one.team.pk, ())),
        }
        for one in found
    ]
    total = words.rate(sum((one.burning_usd for one in found), start=Decimal(0)))
    context = {
        "rows": rows,
        "total": total,
        "keys": canary.overview(),
        "stuck": _sum_of(stuck),
        "stuck_teams": len(of_team),
    }
    return render(request, "site/site.html", context)


def _lost_keys() -> set[str]:
    return {trouble.key_id for trouble in canary.troubles()}


def _sum_of(stuck: Collection[Unstoppable]) -> dict[str, Any]:
    """Of jobs that cannot be stopped: how many, what they cost per hour as far as that is known, and why."""
    known = unstoppable.rate_usd(stuck)
    rate = words.rate(known) if known else ""
    return {"count": len(stuck), "rate": rate, "why": unstoppable.why(stuck)}


@for_site_admins
@require_safe
def team(request: HttpRequest, team_id: uuid.UUID) -> HttpResponse:
    """One team: its members, and its running jobs by their ids."""
    outline, now = _outline(team_id), timezone.now()
    rows = Membership.objects.filter(team=outline.team, user__is_service=False).select_related("user")
    members = sorted(rows, key=lambda one: (-RANK[Role(one.role)], str(one.user).lower()))
    stuck = {one.job_id: one for one in unstoppable.find(team_id, _lost_keys())}
    context = {
        "outline": outline,
        "team": outline.team,
        "rate": words.rate(outline.burning_usd),
        "members": members,
        "stuck_why": unstoppable.why(stuck.values()),
        "jobs": [_job_row(job, now, stuck.get(job.pk)) for job in outside.running(outline.team)],
    }
    return render(request, "site/team.html", context)


@sensitive_post_parameters("password")
@for_site_admins
@require_http_methods(["GET", "POST"])
@needs_sudo
def stop_job(request: HttpRequest, team_id: uuid.UUID, job_id: uuid.UUID) -> HttpResponse:
    """Asks for a reason, then stops the job as everybody stops jobs."""
    outline, now = _outline(team_id), timezone.now()
    job = (
        Job.objects.only(*outside.SEEN).filter(pk=job_id, team=outline.team).exclude(status__in=ENDED).first()
    )
    if job is None:
        raise Http404
    form = EmergencyStopForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        actor = Actor.person(request.user)
        try:
            changed = outside.stop_in_emergency(job, form.cleaned_data["why"], actor=actor, now=now)
        except JobError as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            tasks.nudge(tasks.pursue_stop, job.pk)
            done = (
                "The job is being stopped; the team's admins are told."
                if changed
                else "It is being stopped already."
            )
            messages.success(request, done)
            return redirect("web:site-team", team_id)
    context = {"team": outline.team, "row": _job_row(job, now), "form": form}
    return render(request, "site/stop.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("password")
@for_site_admins
@require_http_methods(["GET", "POST"])
@needs_sudo
def remove_member(request: HttpRequest, team_id: uuid.UUID, membership_id: int) -> HttpResponse:
    """Takes somebody out of a team, their running jobs handed over to an owner."""
    outline = _outline(team_id)
    rows = Membership.objects.filter(team=outline.team, user__is_service=False).select_related("user", "team")
    membership = rows.filter(pk=membership_id).first()
    if membership is None:
        raise Http404
    who = departure.going(outline.team, membership.user, may_stop=False, from_outside=True)
    form = who.form(request)
    if request.method == "POST" and form.is_valid():
        try:
            done = departure.carry_out(
                who, form, actor=Actor.person(request.user), now=timezone.now(), from_outside=True
            )
        except (TeamRefused, JobError) as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, f"{membership.user} is out of the team.{departure.outcome(done)}")
            return redirect("web:site-team", team_id)
    context = who.context(form, timezone.now()) | {
        "member": membership,
        "last_owner": keeping.is_last_owner(membership),
    }
    return render(request, "site/remove.html", context, status=422 if form.errors else 200)


def _outline(team_id: uuid.UUID) -> Outline:
    found = outside.outlines(team_id)
    if not found:
        raise Http404
    return found[0]


def _job_row(job: Job, now: dt.datetime, stuck: Unstoppable | None = None) -> dict[str, Any]:
    """Of one that cannot be stopped from here also the id by which the console of Dispersed has it."""
    cost = job.meter.read(now)
    return {
        "job": job,
        "age": words.duration(now - job.created_at),
        "rate": words.rate(job.hourly_rate_usd) if job.hourly_rate_usd is not None else "",
        "cost": words.running_cost(cost) if cost is not None else "",
        "stopping": job.stop_requested_at is not None,
        "stuck": stuck is not None,
        "remote_id": stuck.remote_uuid if stuck else "",
    }
