"""A team's secrets: the list, adding, changing and removing one. No page ever shows a value or a part of it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from dispersed_web.credentials import team_secrets
from dispersed_web.credentials.models import TeamSecret
from dispersed_web.credentials.secret_rules import SecretRefused
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.confirm import ConfirmedForm
from dispersed_web.web.forms.secret import AboutForm, SecretForm
from dispersed_web.web.people.sudo import needs_sudo
from dispersed_web.web.secrets import secret_rows

values_stay_out_of_reports = sensitive_post_parameters("value", "password")


@require_safe
def secrets(request: HttpRequest, slug: str) -> HttpResponse:
    """Names, notes and who may use them; everybody in the team may see that."""
    seat = access.seat(request, slug)
    return render(request, "secrets/list.html", secret_rows.list_context(seat, request.user.pk))


@values_stay_out_of_reports
@needs_sudo
@require_http_methods(["GET", "POST"])
@sensitive_variables()
def add(request: HttpRequest, slug: str) -> HttpResponse:
    seat = access.seat(request, slug, Action.MANAGE_SECRETS)
    form = SecretForm(request.POST if request.method == "POST" else None, request=request, team=seat.team)
    if request.method == "POST" and form.is_valid():
        try:
            found = team_secrets.add(
                seat.team,
                form.cleaned_data["name"],
                form.cleaned_data["value"],
                **form.about,
                user=request.user,
                actor=seat.actor,
                now=timezone.now(),
            )
        except SecretRefused as refused:
            form.refuse(refused)
        else:
            messages.success(request, f"The secret “{found.name}” is stored.")
            return redirect("web:secrets", slug)
    context = {"team": seat.team, "form": form}
    return render(request, "secrets/add.html", context, status=422 if form.errors else 200)


@values_stay_out_of_reports
@needs_sudo
@require_http_methods(["GET", "POST"])
@sensitive_variables()
def secret(request: HttpRequest, slug: str, secret_id: uuid.UUID) -> HttpResponse:
    """One of them, to change: another value, its note, who may use it."""
    seat, row = _managed(request, slug, secret_id)
    data = request.POST if request.method == "POST" else None
    form = AboutForm(data, request=request, team=seat.team, secret=row)
    if request.method == "POST" and form.is_valid():
        try:
            changed = _change(row, form, seat)
        except SecretRefused as refused:
            form.refuse(refused)
        else:
            if changed:
                messages.success(
                    request, "Saved. It holds from the next launch on; running jobs keep what they got."
                )
            return redirect("web:secrets", slug)
    context = {"team": seat.team, "secret": row, "form": form, "for_whom": secret_rows.for_whom(row)}
    context["use"] = secret_rows.use_of(seat, row, request.user.pk)
    return render(request, "secrets/secret.html", context, status=422 if form.errors else 200)


@values_stay_out_of_reports
@needs_sudo
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, slug: str, secret_id: uuid.UUID) -> HttpResponse:
    """What hangs on it, and the question; a POST destroys it."""
    seat, row = _managed(request, slug, secret_id)
    form = ConfirmedForm(request.POST if request.method == "POST" else None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            team_secrets.remove(row, actor=seat.actor, now=timezone.now())
        except SecretRefused as refused:
            messages.error(request, refused.sentence)
        else:
            messages.success(request, f"“{row.name}” is removed. Jobs that run with it keep what they got.")
        return redirect("web:secrets", slug)
    context = {"team": seat.team, "secret": row, "form": form}
    context["use"] = secret_rows.use_of(seat, row, request.user.pk)
    return render(request, "secrets/remove.html", context, status=422 if form.errors else 200)


@sensitive_variables()
def _change(row: TeamSecret, form: AboutForm, seat: Seat) -> bool:
    value = form.cleaned_data["value"]
    return team_secrets.change_about(row, **form.about, value=value, actor=seat.actor, now=timezone.now())


def _managed(request: HttpRequest, slug: str, secret_id: uuid.UUID) -> tuple[Seat, TeamSecret]:
    """A secret of the team, for somebody who may manage it."""
    seat = access.seat(request, slug)
    row = team_secrets.of(seat.team).filter(pk=secret_id).first()
    if row is None:
        raise Http404
    seat.need(Action.MANAGE_SECRETS)
    return seat, row
