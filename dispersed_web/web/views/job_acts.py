"""What people do to one job from any page: stop it, extend it, say that it is in use, accept its price. Each act is asked
about before, in a dialog or on a page of its own."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from dispersed_web import tasks
from dispersed_web.autostop.extend import accept_rate, confirm_use, extend
from dispersed_web.clock import database_now
from dispersed_web.jobs import stop
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, answers, live, words
from dispersed_web.web.job import extending, still_used
from dispersed_web.web.jobs import rows
from dispersed_web.web.words import clock_time


@dataclass(frozen=True)
class Question:
    """What is asked before an act, and who may do it."""

    needs: Action
    heading: str
    template: str


ASKS = {
    "stop": Question(Action.STOP, "Stop a job", "job/_ask_stop.html"),
    "extend": Question(Action.EXTEND, "Extend a job", "job/_ask_extend.html"),
    "again": Question(Action.LAUNCH, "Launch another", "job/_ask_again.html"),
    "in-use": Question(Action.EXTEND, "Still in use", "jobs/_ask_in_use.html"),
    "price": Question(Action.EXTEND, "Accept a price", "jobs/_ask_price.html"),
}


@require_GET
def ask(request: HttpRequest, slug: str, job_id: uuid.UUID, act: str) -> HttpResponse:
    """What is about to be done, what it hits and what it costs: as a dialog, or as a page without JavaScript."""
    if act not in ASKS:
        raise Http404
    question = ASKS[act]
    place, job = access.job(request, slug, job_id, question.needs)
    now = timezone.now()
    zone = timezone.get_current_timezone()
    context = {
        "job": job,
        "team": place.team,
        "row": rows.row(job, now, zone),
        "options": extending.options(job, now, zone),
        "in_doubt": not job.remote_uuid and job.is_active,
    }
    if act == "in-use":
        context["then"] = still_used.then(job, now, zone)
    if act == "price" and job.rate_cap_usd is not None:
        context["cap"] = words.rate(job.rate_cap_usd)
    if live.is_part(request):
        return render(request, question.template, context)
    return render(request, "job/ask.html", context | {"part": question.template, "heading": question.heading})


@require_POST
def stop_job(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """Asks for the job's end; a second time changes nothing and says so."""
    place, job = access.job(request, slug, job_id, Action.STOP)
    note = " ".join(request.POST.get("note", "").split())
    asked = stop.request_stop(job, actor=place.actor, reason=Reason.USER, now=database_now(), note=note)
    if asked:
        tasks.nudge(tasks.pursue_stop, job.pk)
    level, text = ("success", _stop_words(job)) if asked else ("info", _already(job))
    return answers.done(request, text, level, reverse("web:job", args=[slug, job.pk]))


@require_POST
def extend_job(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """Moves the job's stop, as far as the team allows; the page says which limits it saw."""
    place, job = access.job(request, slug, job_id, Action.EXTEND)
    now, zone = database_now(), timezone.get_current_timezone()
    level, text = "success", ""
    try:
        until = extending.wanted(job, request.POST, now, zone)
        granted = extend(job, until=until, actor=place.actor, now=now, seen_version=_seen_version(request))
    except JobError as error:
        level, text = "error", error.sentence
    else:
        text = _extended(job, until, granted, now, zone)
    return answers.done(request, text, level, reverse("web:job", args=[slug, job.pk]))


@require_POST
def use_job(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """“Still in use”: answers a check-in, and counts idle time anew from now."""
    place, job = access.job(request, slug, job_id, Action.EXTEND)
    now, zone = database_now(), timezone.get_current_timezone()
    return _tried(
        request,
        job,
        lambda: confirm_use(job, actor=place.actor, now=now),
        lambda: f"“{job.title}” goes on. {still_used.then(job, now, zone)}",
    )


@require_POST
def accept_price(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """Accepts that the job costs more than the cap stated at its launch."""
    place, job = access.job(request, slug, job_id, Action.EXTEND)
    now = database_now()
    return _tried(
        request,
        job,
        lambda: accept_rate(job, actor=place.actor, now=now),
        lambda: f"“{job.title}” goes on at {words.rate(job.hourly_rate_usd or Decimal(0))}.",
    )


def _tried(request: HttpRequest, job: Job, act: Callable[[], None], done: Callable[[], str]) -> HttpResponse:
    level, text = "success", ""
    try:
        act()
    except JobError as error:
        level, text = "error", error.sentence
    else:
        text = done()
    return answers.done(request, text, level, reverse("web:job", args=[job.team.slug, job.pk]))


def _seen_version(request: HttpRequest) -> int:
    text = request.POST.get("limits_version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _stop_words(job: Job) -> str:
    job.refresh_from_db(fields=["status", "remote_uuid"])
    if not job.is_active:
        return f"“{job.title}” was taken back before it was sent. Nothing was started."
    if job.remote_uuid is None:
        return f"“{job.title}” is stopped as soon as it is found."
    return f"“{job.title}” is being stopped. It counts as stopped once Dispersed shows its end."


def _already(job: Job) -> str:
    return (
        f"“{job.title}” is being stopped already." if job.is_active else f"“{job.title}” has ended already."
    )


def _extended(job: Job, wanted: dt.datetime, granted: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    limit = ", the longest that it may run" if granted < wanted else ""
    return f"“{job.title}” runs until {clock_time(granted, now, zone)}{limit}."
