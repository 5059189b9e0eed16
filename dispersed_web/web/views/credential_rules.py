"""Who may use a credential, and its caps."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from dispersed_web.credentials import rules
from dispersed_web.credentials.keeping import CredentialRefused
from dispersed_web.credentials.models import CredentialCaps
from dispersed_web.jobs.models import Market
from dispersed_web.teams.roles import Action, Role
from dispersed_web.web.forms.credential_rules import CapsForm, UseForm
from dispersed_web.web.people.sudo import needs_sudo
from dispersed_web.web.views.credentials import managed


@sensitive_post_parameters("password")
@needs_sudo
@require_http_methods(["GET", "POST"])
def use(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Its name, who may launch with it and who may manage it."""
    seat, row = managed(request, slug, credential_id)
    form = UseForm(
        request.POST if request.method == "POST" else None,
        request=request,
        credential=row,
        is_owner=seat.role == Role.OWNER,
    )
    if request.method == "POST" and form.is_valid():
        try:
            changed = rules.set_use(row, **form.use, actor=seat.actor, now=timezone.now())
        except CredentialRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            if changed:
                messages.success(request, "That holds from the next launch on.")
            return redirect("web:credential", slug, row.pk)
    context = {"team": seat.team, "credential": row, "form": form}
    return render(request, "credentials/use.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("password")
@needs_sudo
@require_http_methods(["GET", "POST"])
def caps(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """What may be launched with it, and for how much."""
    seat, row = managed(request, slug, credential_id)
    known = CredentialCaps.objects.filter(credential=row).first()
    market = Market.objects.filter(credential=row).first()
    models = sorted({gpu["name"].removeprefix("NVIDIA ") for gpu in market.gpus}) if market else []
    form = CapsForm(
        request.POST if request.method == "POST" else None, request=request, caps=known, known_gpus=models
    )
    if request.method == "POST" and form.is_valid():
        try:
            changed = rules.set_caps(row, form.caps, actor=seat.actor, now=timezone.now())
        except CredentialRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            if changed:
                messages.success(request, "The caps hold from the next launch on. Running jobs go on.")
            return redirect("web:credential", slug, row.pk)
    context = {
        "team": seat.team,
        "credential": row,
        "form": form,
        "models": models,
        "may_raise": seat.may(Action.RAISE_SPENDING),
    }
    return render(request, "credentials/caps.html", context, status=422 if form.errors else 200)
