"""Stopping or extending several jobs at once: first a list of what it hits and what it costs, then the act."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from dispersed_web import tasks
from dispersed_web.autostop.extend import extend
from dispersed_web.clock import database_now
from dispersed_web.jobs import queries, stop
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, answers, extending, live, rows, words

ACTS = {"stop": Action.STOP, "extend": Action.EXTEND}


@require_GET
def ask(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    """Which jobs it hits, which not, and what the hit ones cost per hour."""
    if act not in ACTS:
        raise Http404
    place = access.seat(request, slug, ACTS[act])
    now, zone = timezone.now(), timezone.get_current_timezone()
    found = queries.chosen(place.team.pk, request.GET.getlist("job"))
    hit = [job for job in found if is_hit(job, act, now)]
    context = {
        "team": place.team,
        "act": act,
        "hit": [rows.row(job, now, zone) for job in hit],
        "spared": len(found) - len(hit),
        "rate": words.rate(
            sum((job.hourly_rate_usd or job.quoted_usd or Decimal(0) for job in hit), Decimal(0))
        ),
        "steps": extending.STEPS.items(),
    }
    template = "jobs/_ask_bulk.html"
    if live.is_part(request):
        return render(request, template, context)
    return render(request, "jobs/ask.html", context | {"part": template})


@require_POST
def bulk(request: HttpRequest, slug: str) -> HttpResponse:
    """Does it to each job on its own: one that cannot be stopped or extended does not keep the others."""
    act = request.POST.get("act", "")
    if act not in ACTS:
        raise Http404
    place = access.seat(request, slug, ACTS[act])
    found = queries.chosen(place.team.pk, request.POST.getlist("job"))
    now = database_now()
    if act == "stop":
        done = [job for job in found if _stop(job, place, request, now)]
        text = f"{_jobs(len(done))} asked to stop. They count as stopped once Dispersed shows their end."
    else:
        done = [job for job in found if _extend(job, place, request, now)]
        text = f"{_jobs(len(done))} extended."
    if missed := len(found) - len(done):
        text += f" {_jobs(missed)} left as they were: already stopping, ended, or as long as the team allows."
    return answers.done(request, text, "success" if done else "info", reverse("web:jobs", args=[slug]))


def is_hit(job: Job, act: str, now: dt.datetime) -> bool:
    """Whether the act would change the job."""
    if not job.is_active or job.stop_requested_at is not None:
        return False
    return act == "stop" or extending.options(job, now, dt.UTC).possible


def _stop(job: Job, place: access.Seat, request: HttpRequest, now: dt.datetime) -> bool:
    note = " ".join(request.POST.get("note", "").split())
    asked = stop.request_stop(job, actor=place.actor, reason=Reason.USER, now=now, note=note)
    if asked:
        tasks.nudge(tasks.pursue_stop, job.pk)
    return asked


def _extend(job: Job, place: access.Seat, request: HttpRequest, now: dt.datetime) -> bool:
    try:
        until = extending.wanted(job, request.POST, now, dt.UTC)
        extend(job, until=until, actor=place.actor, now=now, seen_version=job.limits_version)
    except JobError:
        return False
    return True


def _jobs(count: int) -> str:
    return f"{count} job{'s' * (count != 1)}"
