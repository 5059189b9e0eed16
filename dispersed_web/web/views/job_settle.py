"""Settling a job of which the cloud says nothing: somebody looked in its console and says that nothing runs."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from dispersed_web.clock import database_now
from dispersed_web.jobs import settling
from dispersed_web.jobs.errors import JobError
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, answers, live
from dispersed_web.web.forms.kept import SettleForm

HEADING = "Nothing of it runs"


@require_http_methods(["GET", "POST"])
def settle(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """What to look for and what follows; then the act."""
    place, job = access.job(request, slug, job_id, Action.MANAGE_JOBS)
    now = database_now()
    form = SettleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        level, text = "success", f"“{job.title}” counts as ended."
        try:
            settling.settle(job, actor=place.actor, now=now)
        except JobError as error:
            level, text = "error", error.sentence
        return answers.done(request, text, level, reverse("web:job", args=[slug, job.pk]))
    context = {
        "team": place.team,
        "job": job,
        "form": form,
        "is_due": settling.may_be_settled(job, now),
        "mark": job.remote_uuid or job.marker,
    }
    status = 422 if form.errors else 200
    if live.is_part(request):
        return render(request, "job/_ask_settle.html", context, status=status)
    context |= {"part": "job/_ask_settle.html", "heading": HEADING}
    return render(request, "job/ask.html", context, status=status)
