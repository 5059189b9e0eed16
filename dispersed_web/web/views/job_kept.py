"""What people keep with a job, changed from its page: title, owner, notes, tags, and one's own star."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from dispersed_web.jobs import handover, keeping
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, live, markdown
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.kept import HandOverForm, NotesForm, RenameForm
from dispersed_web.web.job import kept_page


@require_http_methods(["GET", "POST"])
def rename(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    seat, job = access.job(request, slug, job_id, Action.LAUNCH)
    form = RenameForm(request.POST or None, initial={"title": job.title})
    if request.method == "POST" and form.is_valid():
        before = job.title
        try:
            changed = keeping.rename(job, form.cleaned_data["title"], actor=seat.actor, now=timezone.now())
        except JobError as error:
            form.add_error("title", error.sentence)
        else:
            return _done(
                request, job, f"“{before}” is called “{job.title}” now." if changed else "Nothing changed."
            )
    return _ask(request, seat, job, "rename", "Rename a job", form)


@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """Asks who takes the job, and gives it to them."""
    seat, job = access.job(request, slug, job_id, Action.LAUNCH)
    if not handover.may_hand_over(job, seat.role, seat.actor.user_id):
        raise PermissionDenied("Only its owner or an admin of the team hands a job over.")
    form = HandOverForm(request.POST or None, candidates=handover.candidates(job))
    if request.method == "POST" and form.is_valid():
        try:
            handover.hand_over(job, form.person, actor=seat.actor, now=timezone.now())
        except JobError as error:
            form.add_error(error.field or None, error.sentence)
        else:
            return _done(request, job, f"“{job.title}” belongs to {job.owner} now, who was told.")
    return _ask(
        request,
        seat,
        job,
        "hand_over",
        "Hand a job over",
        form,
        has_candidates=len(form.fields["to"].choices) > 1,
    )


@require_http_methods(["GET", "POST"])
def notes(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """The form of the notes, in place or as a page. With ``show`` the notes themselves, for who does not save."""
    seat, job = access.job(request, slug, job_id, Action.LAUNCH)
    if request.method == "GET":
        if live.is_part(request) and "show" in request.GET:
            return _notes(request, seat, job)
        return _notes_form(request, seat, job, _fresh_form(job))
    form = NotesForm(request.POST)
    if not form.is_valid():
        return _notes_form(request, seat, job, form)
    data = form.cleaned_data
    try:
        keeping.set_notes(job, data["notes"], seen=data["seen"], actor=seat.actor, now=timezone.now())
    except JobError as error:
        job.refresh_from_db(fields=["notes"])
        form = _fresh_form(job, data["notes"])
        theirs = markdown.render(job.notes) if error.code == "outdated" else None
        return _notes_form(request, seat, job, form, fault=error.sentence, theirs=theirs)
    if live.is_part(request):
        return _notes(request, seat, job)
    messages.success(request, "The notes are saved.")
    return redirect("web:job", slug, job.pk)


def _fresh_form(job: Job, typed: str | None = None) -> NotesForm:
    """The form as of the notes that are stored now."""
    seen = keeping.notes_version(job.notes)
    return NotesForm(initial={"notes": job.notes if typed is None else typed, "seen": seen})


def _notes(request: HttpRequest, seat: Seat, job: Job) -> HttpResponse:
    context = {"team": seat.team, "job": job, **kept_page.around_title(seat, job), **kept_page.notes(job)}
    return render(request, "job/_notes.html", context)


def _notes_form(request: HttpRequest, seat: Seat, job: Job, form: NotesForm, **more: Any) -> HttpResponse:
    context = {"team": seat.team, "job": job, "form": form, **more}
    return _form(
        request, "job/_notes_form.html", "Notes", context, failed="fault" in more or bool(form.errors)
    )


@require_POST
def tags(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """Adds the tags that were typed, or removes one."""
    seat, job = access.job(request, slug, job_id, Action.LAUNCH)
    fault = ""
    try:
        keeping.change_tags(
            job,
            add=keeping.read_tags(request.POST.get("add", "")[:2000]),
            remove=request.POST.getlist("remove"),
            actor=seat.actor,
            now=timezone.now(),
        )
    except JobError as error:
        fault = error.sentence
    if live.is_part(request):
        context = {
            "team": seat.team,
            "job": job,
            "fault": fault,
            "typed": request.POST.get("add", "") if fault else "",
        }
        context |= kept_page.around_title(seat, job) | kept_page.tags(job)
        return render(request, "job/_tags.html", context, status=422 if fault else 200)
    if fault:
        messages.error(request, fault)
    return redirect("web:job", slug, job.pk)


@require_POST
def star(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """One's own favourite, or no more; nobody else sees it, so everybody who sees the job may."""
    seat, job = access.job(request, slug, job_id)
    user_id = request.user.pk
    wanted = request.POST.get("starred") == "1"
    (keeping.star if wanted else keeping.unstar)(job, user_id)
    if live.is_part(request):
        return render(request, "job/_star.html", {"team": seat.team, "job": job, "is_starred": wanted})
    return redirect("web:job", slug, job.pk)


def _done(request: HttpRequest, job: Job, text: str) -> HttpResponse:
    """The page anew: title and owner stand outside of its live part."""
    messages.success(request, text)
    if live.is_part(request):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect("web:job", job.team.slug, job.pk)


def _ask(
    request: HttpRequest, seat: Seat, job: Job, act: str, heading: str, form: Any, **more: Any
) -> HttpResponse:
    context = {"team": seat.team, "job": job, "form": form, **more}
    return _form(request, f"job/_ask_{act}.html", heading, context, failed=bool(form.errors))


def _form(
    request: HttpRequest, part: str, heading: str, context: dict[str, Any], *, failed: bool
) -> HttpResponse:
    """A part of the page, or a page of its own without JavaScript; 422 when its form has faults."""
    status = 422 if failed else 200
    if live.is_part(request):
        return render(request, part, context, status=status)
    return render(request, "job/ask.html", context | {"part": part, "heading": heading}, status=status)
