"""The log of a job: its tail, live while it runs, and as a file."""

from __future__ import annotations

import hashlib
import re
import uuid

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET

from dispersed_web.jobs import log_keeping, runs, sync
from dispersed_web.jobs.logs import Log
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.signals import logs as signals
from dispersed_web.web import access, live
from dispersed_web.web.views.job import answer, frame

POLL_MS = 3000


@require_GET
@sensitive_variables()
def page(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """The log as a page, as its live part, or with ``download`` as a file."""
    place, job = access.job(request, slug, job_id)
    now = timezone.now()
    sync.note_watcher(place.team.pk)
    run = _run(job, request.GET.get("run", ""))
    log = log_keeping.show(job, run, now) if run else Log()
    if "download" in request.GET:
        return _file(job, log)
    if run:
        signals.note_reader(run.pk)
    token = f"{live.token(place.team, request.user.pk, now)}-{_digest(log)}"
    if live.is_unchanged(request, token):
        return live.unchanged()
    follows = job.is_active and request.GET.get("follow") != "no"
    wraps = request.GET.get("wrap") == "yes"
    context = frame(request, place, job, "job-logs", token, now) | {
        "log": log,
        "run": run,
        "runs": job.runs.order_by("-first_seen_at"),
        "follows": follows,
        "wraps": wraps,
    }
    context["poll_ms"] = POLL_MS if follows else 0
    context["poll_address"] += (
        f"{'&wrap=yes' if wraps else ''}{f'&run={run.pk}' if 'run' in request.GET and run else ''}"
    )
    return answer(request, place, context)


def _run(job: Job, run_id: str) -> JobRun | None:
    """The run that is asked for, else the newest live one, else the newest."""
    found = list(job.runs.all())
    return next((run for run in found if str(run.pk) == run_id), None) or runs.newest(found)


def _digest(log: Log) -> str:
    return hashlib.sha256(f"{log.trouble}\0{log.text}".encode()).hexdigest()[:12]


def _file(job: Job, log: Log) -> HttpResponse:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", job.title).strip("-.")[:60] or "job"
    response = HttpResponse(log.text or log.trouble, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.log"'
    return response
