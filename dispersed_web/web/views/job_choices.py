"""Changing how a running job is stopped and what it may cost."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from dispersed_web.autostop import choices
from dispersed_web.clock import database_now
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.job_choices import JobChoicesForm
from dispersed_web.web.policy import policy_words


@require_http_methods(["GET", "POST"])
def job_choices(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """The form; what it makes due is warned about in full."""
    seat, job = access.job(request, slug, job_id, Action.EXTEND)
    form = JobChoicesForm(request.POST or None, job=job)
    if request.method != "POST":
        return _page(request, seat, job, form)
    if not form.is_valid():
        return _page(request, seat, job, form, status=422)
    try:
        changed = choices.change(
            job,
            form.choices(),
            actor=seat.actor,
            now=database_now(),
            seen_version=form.cleaned_data["limits_version"],
        )
    except JobError as error:
        form.blame(error)
        form.seen(Job.objects.get(pk=job.pk))
        return _page(request, seat, job, form, status=422)
    if changed:
        messages.success(request, f"“{job.title}” is held to this from now on.")
    return redirect("web:job-activity", slug, job.pk)


def _page(
    request: HttpRequest, seat: Seat, job: Job, form: JobChoicesForm, *, status: int = 200
) -> HttpResponse:
    held = policy_words.enforcement(form.policy, timezone.now(), timezone.get_current_timezone())
    context = {
        "team": seat.team,
        "job": job,
        "form": form,
        "may_save": job.is_active and job.stop_requested_at is None,
        "held": held if held.observes and job.task == "PERSISTENT" else None,
    }
    return render(request, "autostop/choices.html", context, status=status)
