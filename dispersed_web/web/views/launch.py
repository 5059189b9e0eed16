"""Launching a job, from the custom form or a recipe's: the form, and what becomes of a sent one."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from dispersed_web import tasks
from dispersed_web.clock import database_now
from dispersed_web.jobs import copies, form_tokens
from dispersed_web.jobs.errors import FormAlreadyUsed, LaunchRefused, PresetRefused
from dispersed_web.jobs.launch import Ask
from dispersed_web.jobs.models import Job, Preset
from dispersed_web.recipes import queries
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.forms import advice
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.page import page_of
from dispersed_web.web.forms.preset import PresetForm, save_preset
from dispersed_web.web.launch import launch_page, launch_repeat
from dispersed_web.web.launch.launch_desk import Desk, current_version, desk_of
from dispersed_web.web.views.launch_live import look_at_the_market


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
def form(request: HttpRequest, slug: str) -> HttpResponse:
    """The custom form; a valid one becomes a job, and the same form sent again leads to the same job."""
    seat = access.seat(request, slug, Action.LAUNCH)
    desk = desk_of(request, seat)
    if request.method == "GET" and (recipe_id := _recipe_of(desk)):
        return redirect(launch_page.address(seat, recipe_id) + "?" + request.GET.urlencode())
    return _at(desk)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
def recipe(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    """The same for a recipe: its questions, and what it leaves open."""
    seat = access.seat(request, slug, Action.LAUNCH)
    return _at(desk_of(request, seat, current_version(request, seat, recipe_id)))


def _recipe_of(desk: Desk) -> uuid.UUID | None:
    """The recipe that a past job or a preset comes from, as long as it may be launched."""
    job = desk.again or desk.lost
    version = job.recipe_version if job else None
    recipe_id = version.recipe_id if version else desk.preset.recipe_id if desk.preset else None
    usable = queries.usable_by(desk.request.user.pk, desk.seat.team)
    return recipe_id if recipe_id and usable.filter(pk=recipe_id).exists() else None


def _at(desk: Desk) -> HttpResponse:
    if not desk.credentials:
        return render(desk.request, "launch/no_credential.html", launch_page.who_may_add(desk.seat))
    if desk.request.method == "POST":
        return _receive(desk)
    filling = desk.filling()
    blank = desk.form(filling=filling)
    look_at_the_market(blank)
    return launch_page.show(desk, blank, note=filling.note, ignored=filling.ignored)


# Receiving -----------------------------------------------------------------------------------------------------------


@sensitive_variables()
def _receive(desk: Desk) -> HttpResponse:
    request = desk.request
    identity = _identity(desk)
    sent = desk.form(request.POST)
    is_fine = sent.is_valid()
    if "save_preset" in request.POST:
        return _save_preset(desk, sent)
    if (
        "look" in request.POST
    ):  # without a script: what the chosen credential allows, before anything is checked
        sent.forget_faults()
        return launch_page.show(desk, sent, token=_token(desk))
    if "review" in request.POST:
        return launch_page.review(desk, sent, token=_token(desk))
    if _is_outdated(desk):
        return launch_page.show(desk, sent, token=_token(desk), moved=True, status=409)
    if not is_fine:
        before = copies.launched_by(desk.seat.team, identity) if identity else []
        return _used(desk, sent, before[0]) if before else _refused(desk, sent)
    if "check" in request.POST:
        return launch_page.show(desk, sent, token=_token(desk), checked=True)
    if identity is None:
        sent.add_error(None, "This form is more than a day old, or not yours. Look it over and launch again.")
        return _refused(desk, sent)
    if _is_unconfirmed(desk, sent):
        return launch_page.show(desk, sent, token=_token(desk), confirm=True)
    return _try(desk, sent, identity)


@sensitive_variables()
def _try(desk: Desk, sent: LaunchForm, identity: str) -> HttpResponse:
    try:
        jobs = _launch(desk, sent, identity)
    except FormAlreadyUsed as used:
        return _used(desk, sent, Job.objects.get(pk=str(used.job_id), team=desk.seat.team))
    except LaunchRefused as refusal:
        if refusal.code == "recipe_moved":
            return launch_page.show(desk, sent, token=_token(desk), moved=True, status=409)
        sent.add_refusal(refusal)
        return _refused(desk, sent, ask_again=refusal.code == "same_again")
    for job in jobs:
        tasks.nudge(tasks.send_launch, job.pk)
    if desk.preset:
        Preset.objects.filter(pk=desk.preset.pk).update(used_at=database_now())
    for note in advice.notes(sent.cleaned_data):
        messages.info(desk.request, note)
    if len(jobs) == 1:
        return redirect("web:job", desk.seat.team.slug, jobs[0].pk)
    messages.success(desk.request, f"{len(jobs)} jobs were asked for.")
    return redirect("web:jobs", desk.seat.team.slug)


@sensitive_variables()
def _launch(desk: Desk, sent: LaunchForm, identity: str) -> list[Job]:
    now = database_now()
    order = sent.order(*page_of(sent, now).for_the_order())
    credential = sent.by_id[sent.cleaned_data["credential"]]
    jobs = copies.request_all(
        order,
        sent.how_many,
        Ask(desk.seat.team, credential, desk.request.user, desk.seat.actor, form_token=identity, now=now),
        same_again=sent.cleaned_data["same_again"],
        supersedes=desk.lost.pk if desk.lost else None,
    )
    for job in jobs:
        if not launch_repeat.is_what_was_asked(job, order, credential):
            raise FormAlreadyUsed(job.pk)
    return jobs


def _identity(desk: Desk) -> str | None:
    token = desk.request.POST.get("form_token", "")
    return form_tokens.identity(token, desk.request.user.pk, desk.seat.team.pk)


def _token(desk: Desk) -> str:
    """The sent form's token, if it is one of ours: the same form stays the same."""
    return desk.request.POST.get("form_token", "") if _identity(desk) else ""


def _is_outdated(desk: Desk) -> bool:
    """The recipe got a newer version while the form was being filled."""
    made_from = desk.request.POST.get("version", "")
    return desk.version is not None and made_from not in ("", str(desk.version.pk))


def _is_unconfirmed(desk: Desk, sent: LaunchForm) -> bool:
    """Several jobs at once are asked about, with what they cost together."""
    return sent.how_many > 1 and desk.request.POST.get("confirm_copies") != str(sent.how_many)


@sensitive_variables()
def _refused(desk: Desk, sent: LaunchForm, *, ask_again: bool = False) -> HttpResponse:
    asked = ask_again or bool(desk.request.POST.get("same_again"))
    return launch_page.show(desk, sent, token=_token(desk), ask_again=asked, status=422)


@sensitive_variables()
def _used(desk: Desk, sent: LaunchForm, before: Job) -> HttpResponse:
    """The form launched something before: says what, and keeps what was typed in a fresh form."""
    return launch_page.show(desk, sent, before=before, status=409)


@sensitive_variables()
def _save_preset(desk: Desk, sent: LaunchForm) -> HttpResponse:
    """Stores the filling; what was typed stays in the page, its faults are not what was asked about."""
    asked = PresetForm(desk.request.POST, user=desk.request.user, team=desk.seat.team)
    saved = None
    if asked.is_valid():
        try:
            saved = save_preset(asked, sent, desk.version.recipe if desk.version else None, database_now())
        except PresetRefused as refusal:  # another tab was quicker
            asked.add_error("preset_name", refusal.sentence)
    sent.forget_faults()
    context: dict[str, Any] = {"preset_form": asked, "saved_preset": saved}
    presets_url = reverse("web:presets", args=[desk.seat.team.slug])
    status = 200 if saved else 422
    return launch_page.show(desk, sent, token=_token(desk), presets_url=presets_url, status=status, **context)
