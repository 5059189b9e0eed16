"""Looking whether a job's machine answers, and what its access token is: acts of people on its page."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from dispersed_web.clock import database_now
from dispersed_web.credentials.vault import CannotOpen
from dispersed_web.jobs import reach, tokens
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, live
from dispersed_web.web.job import image_kinds
from dispersed_web.web.jobs import rows

UNREADABLE = (
    "The token cannot be read: the key that sealed it is missing on this server. Tell an admin of it."
)


@require_POST
def check(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """Tries the addresses of the job from this server, and says what was found. No sign of use: nobody connects."""
    place, job = access.job(request, slug, job_id, Action.EXTEND)
    found, fault = [], ""
    try:
        found = reach.check(job, job.runs.order_by("first_seen_at"))
    except JobError as error:
        fault = error.sentence
    return _answer(request, place, job, "reach", "Checked from the server", found=found, fault=fault)


@require_POST
@sensitive_variables("shown")
def token(request: HttpRequest, slug: str, job_id: uuid.UUID, run_id: uuid.UUID) -> HttpResponse:
    """The access token of one of the job's machines. It is shown once in this answer, and kept by nobody on the way."""
    place, job = access.job(request, slug, job_id, Action.EXTEND)
    run = job.runs.filter(pk=run_id).first()
    if run is None:
        raise Http404
    shown, fault = [], ""
    try:
        shown = tokens.show(job, run, actor=place.actor, now=database_now())
    except JobError as error:
        fault = error.sentence
    except CannotOpen:
        fault = UNREADABLE
    user = image_kinds.USER
    response = _answer(
        request, place, job, "token", "Access token", tokens=shown, fault=fault, token_user=user
    )
    response["Cache-Control"] = "no-store"
    return response


def _answer(
    request: HttpRequest, place: access.Seat, job: Job, act: str, heading: str, **more: object
) -> HttpResponse:
    """As a dialog, or as a page without JavaScript."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    part = f"job/_ask_{act}.html"
    context = {"job": job, "team": place.team, "row": rows.row(job, now, zone), **more}
    if live.is_part(request):
        return render(request, part, context)
    return render(request, "job/ask.html", context | {"part": part, "heading": heading})
