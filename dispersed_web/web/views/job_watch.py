"""What people do about auto-stop on a job's own page: protect it, show how to connect, turn on its heartbeat."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from dispersed_web.autostop import extend
from dispersed_web.clock import database_now
from dispersed_web.credentials.vault import CannotOpen
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.models import Job
from dispersed_web.signals import address
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, answers, live, words
from dispersed_web.web.forms.protect import ProtectForm
from dispersed_web.web.jobs import rows
from dispersed_web.web.views import job as pages

# Who may protect a job for longer than a member: those who set the team's limits.
PROTECTS_LONGER = Action.MANAGE_LIMITS
UNREADABLE = (
    "The address cannot be read: the key that sealed it is missing on this server. Tell an admin of it."
)


@require_http_methods(["GET", "POST"])
def protect(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """Until when and why the job is not stopped for idleness: the question, and the act."""
    place, job = access.job(request, slug, job_id, Action.EXTEND)
    now, zone = database_now(), timezone.get_current_timezone()
    by_admin = place.may(PROTECTS_LONGER)
    longest = extend.LONGEST_PROTECTION_BY_ADMINS if by_admin else extend.LONGEST_PROTECTION
    typed = {"reason": job.protected_reason} if request.method == "GET" else None
    form = ProtectForm(request.POST or None, initial=typed, now=now, zone=zone, longest=longest)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            extend.protect(
                job,
                until=data["moment"],
                reason=data["reason"],
                actor=place.actor,
                by_admin=by_admin,
                now=now,
                seen_version=seen_version(request),
            )
        except TooLate as error:
            return _back(request, job, error.sentence, "error")
        except JobError as error:
            form.add_error(_field_of(error, form), error.sentence)
        else:
            until = words.clock_time(data["moment"], now, zone)
            return _back(request, job, f"“{job.title}” is protected until {until}.")
    longest_words = words.round_duration(int(longest.total_seconds()))
    return _ask(request, place, job, "protect", "Protect a job", form=form, longest=longest_words)


def _field_of(error: JobError, form: ProtectForm) -> str | None:
    """The input at fault; the moment is one of two."""
    if error.field == "until":
        return "until" if form.cleaned_data.get("when") == "other" else "when"
    return error.field or None


@require_http_methods(["GET", "POST"])
def unprotect(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """Lifts the protection, after a look at what that means."""
    place, job = access.job(request, slug, job_id, Action.EXTEND)
    if request.method == "GET":
        return _ask(request, place, job, "unprotect", "Lift the protection")
    try:
        extend.unprotect(job, actor=place.actor, now=database_now(), seen_version=seen_version(request))
    except JobError as error:
        return _back(request, job, error.sentence, "error")
    return _back(request, job, f"“{job.title}” is not protected any more.")


@require_POST
def connect(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """Shows how to connect: a sign of use, which looking at the page is not."""
    place, job = access.job(request, slug, job_id, Action.EXTEND)
    extend.note_connected(job, database_now(), place.actor)
    if not live.is_part(request):
        return redirect(f"{reverse('web:job', args=[slug, job.pk])}?connect=open#connect")
    place, job = access.job(request, slug, job_id)  # as the act left them
    return pages.show(request, place, job, "job", {"connect": "open"})


@require_POST
@sensitive_variables("url")
def heartbeat(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """The line that turns on the heartbeat. It holds a secret, so it is shown to nobody who only looks, and kept nowhere."""
    place, job = access.job(request, slug, job_id, Action.LAUNCH)
    url, fault = "", ""
    try:
        url = address.show(job, actor=place.actor, now=database_now())
    except JobError as error:
        fault = error.sentence
    except CannotOpen:
        fault = UNREADABLE
    script = f"{settings.PUBLIC_URL}{reverse('heartbeat-script')}"
    context = {
        "url": url,
        "fault": fault,
        "script": script,
        "is_local": settings.PUBLIC_HOST in ("127.0.0.1", "localhost"),
    }
    response = _ask(request, place, job, "heartbeat", "Turn on the heartbeat", **context)
    response["Cache-Control"] = "no-store"
    return response


def _ask(
    request: HttpRequest, place: access.Seat, job: Job, act: str, heading: str, **more: object
) -> HttpResponse:
    """A question as a dialog, or as a page without JavaScript; 422 when its form has faults."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    context = {"job": job, "team": place.team, "row": rows.row(job, now, zone), **more}
    if job.protected_until is not None:
        context["protected_until"] = words.clock_time(job.protected_until, now, zone)
    part = f"job/_ask_{act}.html"
    form = more.get("form")
    status = 422 if isinstance(form, ProtectForm) and form.errors else 200
    if live.is_part(request):
        return render(request, part, context, status=status)
    return render(request, "job/ask.html", context | {"part": part, "heading": heading}, status=status)


def _back(request: HttpRequest, job: Job, text: str, level: str = "success") -> HttpResponse:
    return answers.done(request, text, level, reverse("web:job", args=[job.team.slug, job.pk]))


def seen_version(request: HttpRequest) -> int:
    """The version of the job's limits that the page showed; one that never was for anything else."""
    text = request.POST.get("limits_version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else -1
