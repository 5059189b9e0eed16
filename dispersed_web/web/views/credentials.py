"""A team's credentials: adding, replacing, disabling. No page ever shows a secret key or a part of it."""

from __future__ import annotations

import uuid
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dispersed_web import tasks
from dispersed_web.clock import database_now
from dispersed_web.credentials import keeping
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.jobs.history import latest
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.credential_words import health
from dispersed_web.web.forms.credential import CredentialForm, KeysForm
from dispersed_web.web.people.sudo import needs_sudo
from dispersed_web.web.views.history import context_of

keys_stay_out_of_reports = sensitive_post_parameters("secret_key", "password")
manage = partial(access.credential, action=Action.MANAGE_CREDENTIALS)


@require_safe
def credential(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """What is known of a credential; everybody in the team may see it."""
    seat, row = access.credential(request, slug, credential_id, Action.SEE)
    context = {
        "team": seat.team,
        "credential": row,
        "health": health(row, timezone.now()),
        "active_jobs": Job.objects.filter(credential=row).exclude(status__in=ENDED).count(),
        "may_credentials": seat.may(Action.MANAGE_CREDENTIALS),
        "disabled": row.state == CredentialState.DISABLED,
        "can_switch": row.state in (CredentialState.ACTIVE, CredentialState.DISABLED),
        **context_of(latest(row)),
    }
    return render(request, "credentials/credential.html", context)


@keys_stay_out_of_reports
@require_http_methods(["GET", "POST"])
@needs_sudo
@sensitive_variables()
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """The pair is tried against the cloud before it is stored."""
    seat = access.seat(request, slug, Action.MANAGE_CREDENTIALS)
    form = CredentialForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            row = keeping.add(
                seat.team,
                form.cleaned_data["name"],
                *form.pair,
                user=request.user,
                actor=seat.actor,
                clock=database_now,
                expires_at=form.expires_at,
            )
        except keeping.CredentialRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            return _taken(request, row, f"“{row.name}” is stored: Dispersed accepted it.")
    context = {"team": seat.team, "form": form}
    return render(request, "credentials/add.html", context, status=422 if form.errors else 200)


@keys_stay_out_of_reports
@require_http_methods(["GET", "POST"])
@needs_sudo
@sensitive_variables()
def replace(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Puts a new pair in the place of the old one. The fields are empty: what is stored is never shown."""
    seat, row = manage(request, slug, credential_id)
    form = KeysForm(request.POST or None, request=request)
    active_jobs = Job.objects.filter(credential=row).exclude(status__in=ENDED).count()
    if request.method == "POST" and form.is_valid():
        try:
            keeping.replace_secret(
                row,
                *form.pair,
                jobs_need_it=active_jobs > 0,
                actor=seat.actor,
                clock=database_now,
                expires_at=form.expires_at,
            )
        except keeping.CredentialRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            return _taken(
                request, row, f"The new keys of “{row.name}” work. The old ones are forgotten here."
            )
    context = {"team": seat.team, "credential": row, "form": form, "active_jobs": active_jobs}
    return render(request, "credentials/replace.html", context, status=422 if form.errors else 200)


@require_POST
def disable(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    return _switch(request, slug, credential_id, disabled=True)


@require_POST
def enable(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    return _switch(request, slug, credential_id, disabled=False)


def _taken(request: HttpRequest, row: Credential, text: str) -> HttpResponse:
    tasks.nudge(tasks.sync_credential, row.pk)
    messages.success(request, text)
    return redirect("web:credential", row.team.slug, row.pk)


def _switch(request: HttpRequest, slug: str, credential_id: uuid.UUID, *, disabled: bool) -> HttpResponse:
    seat, row = manage(request, slug, credential_id)
    if keeping.set_disabled(row, disabled, actor=seat.actor, now=timezone.now()):
        if disabled:
            text = f"“{row.name}” launches nothing any more. Its jobs are still watched and stopped."
        else:
            text = f"The team may launch with “{row.name}” again."
        messages.success(request, text)
    return redirect("web:credential", slug, row.pk)
