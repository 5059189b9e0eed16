"""Stopping several jobs, extending them or saying that they are in use: first a list of what it hits and what they cost,
then the act."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from dispersed_web import tasks
from dispersed_web.autostop import facts, policy
from dispersed_web.autostop.extend import confirm_use, extend
from dispersed_web.clock import database_now
from dispersed_web.jobs import queries, stop
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.web import access, answers, around, live, words
from dispersed_web.web.job import extending
from dispersed_web.web.jobs import bulk_words, rows
from dispersed_web.web.jobs.bulk_words import ACTS


@require_GET
def ask(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    """Which jobs it hits, which not, and what the hit ones cost per hour."""
    if act not in ACTS:
        raise Http404
    asked = ACTS[act]
    place = access.seat(request, slug, asked.needs)
    now, zone = timezone.now(), timezone.get_current_timezone()
    found = queries.chosen(place.team.pk, request.GET.getlist("job"))
    hit = hits(found, act, now)
    jobs = bulk_words.counted(len(hit))
    scene = around.around(around.open_hold(place.team.pk), (), now)
    context = {
        "team": place.team,
        "bulk": asked,
        "question": asked.question.format(jobs=jobs) if hit else asked.heading,
        "button": asked.button.format(jobs=jobs),
        "hit": [rows.row(job, now, zone, scene) for job in hit],
        "spared": len(found) - len(hit),
        "rate": words.rate(
            sum((job.hourly_rate_usd or job.quoted_usd or Decimal(0) for job in hit), Decimal(0))
        ),
        "steps": extending.STEPS.items() if act == bulk_words.EXTEND.act else (),
    }
    if live.is_part(request):
        return render(request, "jobs/_ask_bulk.html", context)
    return render(request, "jobs/ask.html", context)


@require_POST
def bulk(request: HttpRequest, slug: str) -> HttpResponse:
    """Does it to each job on its own: one to which it cannot be done does not keep the others."""
    act = request.POST.get("act", "")
    if act not in ACTS:
        raise Http404
    place = access.seat(request, slug, ACTS[act].needs)
    found = queries.chosen(place.team.pk, request.POST.getlist("job"))
    now = database_now()
    done = [job for job in found if DO[act](job, place, request, now)]
    text = ACTS[act].outcome(len(done), len(found) - len(done))
    return answers.done(request, text, "success" if done else "info", reverse("web:jobs", args=[slug]))


def hits(found: list[Job], act: str, now: dt.datetime) -> list[Job]:
    """Those of the jobs that the act would change."""
    running = [job for job in found if job.is_active and job.stop_requested_at is None]
    if act == bulk_words.IN_USE.act:
        return [job for job in running if job.state == Status.RUNNING and job.task == "PERSISTENT"]
    if act == bulk_words.EXTEND.act:
        terms = facts.gather(running, now)
        return [job for job in running if job.pk in terms and _may_be_extended(terms[job.pk], now)]
    return running


def _may_be_extended(terms: facts.Terms, now: dt.datetime) -> bool:
    stop_at, latest = policy.decide(*terms, now).stop_at, policy.latest_end(*terms)
    return stop_at is not None and (latest is None or stop_at < latest)


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


def _confirm(job: Job, place: access.Seat, request: HttpRequest, now: dt.datetime) -> bool:
    if not hits([job], bulk_words.IN_USE.act, now):
        return False
    try:
        confirm_use(job, actor=place.actor, now=now)
    except JobError:
        return False
    return True


DO: dict[str, Callable[[Job, access.Seat, HttpRequest, dt.datetime], bool]] = {
    bulk_words.STOP.act: _stop,
    bulk_words.EXTEND.act: _extend,
    bulk_words.IN_USE.act: _confirm,
}
