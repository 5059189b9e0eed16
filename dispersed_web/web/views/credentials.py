"""A team's credentials: the list, one of them, adding, replacing, disabling, deleting. No page ever shows a secret key or
a part of it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dispersed_web import tasks
from dispersed_web.clock import database_now
from dispersed_web.credentials import keeping
from dispersed_web.credentials.blast import why_not_delete
from dispersed_web.credentials.keeping import CredentialRefused
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.credentials.rules import NOT_YOURS
from dispersed_web.credentials.use import may_manage
from dispersed_web.jobs import credential_jobs, radius
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.credentials import pages
from dispersed_web.web.forms.confirm import ConfirmedForm
from dispersed_web.web.forms.credential import CredentialForm, KeysForm
from dispersed_web.web.people.sudo import needs_sudo

keys_stay_out_of_reports = sensitive_post_parameters("secret_key", "password")


def managed(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> tuple[Seat, Credential]:
    """A credential of the team, for somebody who may manage it."""
    seat, row = access.credential(request, slug, credential_id, Action.MANAGE_CREDENTIALS)
    if not may_manage(seat.role, row.managed_by):
        raise PermissionDenied(NOT_YOURS)
    return seat, row


@require_safe
def credentials(request: HttpRequest, slug: str) -> HttpResponse:
    """All of them; everybody in the team may see the list."""
    seat = access.seat(request, slug)
    return render(request, "credentials/list.html", pages.of_list(seat, request.user.pk, timezone.now()))


@require_safe
def credential(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """What is known of a credential; everybody in the team may see it."""
    seat, row = access.credential(request, slug, credential_id, Action.SEE)
    return render(
        request, "credentials/credential.html", pages.of_one(seat, row, request.user.pk, timezone.now())
    )


@keys_stay_out_of_reports
@needs_sudo
@require_http_methods(["GET", "POST"])
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
        except CredentialRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            return _taken(request, row, f"“{row.name}” is stored: Dispersed accepted it.")
    context = {"team": seat.team, "form": form}
    return render(request, "credentials/add.html", context, status=422 if form.errors else 200)


@keys_stay_out_of_reports
@needs_sudo
@require_http_methods(["GET", "POST"])
@sensitive_variables()
def replace(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Puts a new pair to use, in the place of the old one or beside it. The fields are empty: what is stored is never
    shown."""
    seat, row = managed(request, slug, credential_id)
    if row.state in (CredentialState.RETIRED, CredentialState.GONE):
        return redirect("web:credential", slug, row.pk)
    form = KeysForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            new = credential_jobs.rotate(
                row,
                *form.pair,
                user=request.user,
                actor=seat.actor,
                clock=database_now,
                expires_at=form.expires_at,
            )
        except CredentialRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            return _taken(request, new, _replaced(row, new))
    context = {"team": seat.team, "credential": row, "form": form, "blast": radius.of(row, timezone.now())}
    return render(request, "credentials/replace.html", context, status=422 if form.errors else 200)


def _replaced(old: Credential, new: Credential) -> str:
    if new.pk == old.pk and new.public_key == old.public_key:
        return f"“{new.name}” had this key already. Its secret key was tested, and is stored as you typed it."
    if new.pk == old.pk:
        return f"The new keys of “{new.name}” work. The old ones are forgotten here."
    return (
        f"The new keys of “{new.name}” work and launch from now on. The old ones go on watching and stopping their jobs, "
        "and are destroyed when the last has ended."
    )


@require_http_methods(["GET", "POST"])
def disable(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """GET says what hangs on it. It asks for no password: it is a brake."""
    if request.method == "POST":
        return _switch(request, slug, credential_id, disabled=True)
    seat, row = managed(request, slug, credential_id)
    if row.state != CredentialState.ACTIVE:
        return redirect("web:credential", slug, row.pk)
    context = {"team": seat.team, "credential": row, "blast": radius.of(row, timezone.now())}
    return render(request, "credentials/disable.html", context)


@require_POST
def enable(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    return _switch(request, slug, credential_id, disabled=False)


@sensitive_post_parameters("password")
@needs_sudo
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Destroys its secret, unless a job needs it."""
    seat, row = managed(request, slug, credential_id)
    if row.state == CredentialState.GONE:
        return redirect("web:credential", slug, row.pk)
    form = ConfirmedForm(request.POST if request.method == "POST" else None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            credential_jobs.delete(row, actor=seat.actor, now=database_now())
        except CredentialRefused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, f"“{row.name}” is deleted: its secret key is destroyed here.")
            return redirect("web:credentials", slug)
    blast = radius.of(row, timezone.now())
    context = {
        "team": seat.team,
        "credential": row,
        "form": form,
        "blast": blast,
        "why_not": why_not_delete(blast),
    }
    return render(request, "credentials/delete.html", context, status=422 if form.errors else 200)


def _taken(request: HttpRequest, row: Credential, text: str) -> HttpResponse:
    tasks.nudge(tasks.sync_credential, row.pk)
    messages.success(request, text)
    return redirect("web:credential", row.team.slug, row.pk)


def _switch(request: HttpRequest, slug: str, credential_id: uuid.UUID, *, disabled: bool) -> HttpResponse:
    seat, row = managed(request, slug, credential_id)
    if keeping.set_disabled(row, disabled, actor=seat.actor, now=timezone.now()):
        if disabled:
            text = f"“{row.name}” launches nothing any more. Its jobs are still watched and stopped."
        else:
            text = f"The team may launch with “{row.name}” again."
        messages.success(request, text)
    return redirect("web:credential", slug, row.pk)
