"""A team's page "API tokens": those of the team itself, and what its members have made for themselves."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.teams import api_tokens, keeping
from dispersed_web.teams.models import ApiToken
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.confirm import ConfirmedForm
from dispersed_web.web.forms.tokens import TeamTokenForm
from dispersed_web.web.people.sudo import needs_sudo


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@needs_sudo
@sensitive_variables("text")
def team_tokens(request: HttpRequest, slug: str) -> HttpResponse:
    """The page; a POST makes a token of the team, whose text is in this answer and nowhere else."""
    seat = access.seat(request, slug, Action.MANAGE_TOKENS)
    form = TeamTokenForm(request.POST if request.method == "POST" else None, request=request)
    if request.method != "POST" or not form.is_valid():
        return _page(request, seat, form)
    data = form.cleaned_data
    try:
        token, text = api_tokens.create_service(
            seat.team,
            name=data["name"],
            scope=data["scope"],
            lifetime=form.lifetime,
            actor=seat.actor,
            now=timezone.now(),
        )
    except keeping.TeamRefused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.sentence)
        return _page(request, seat, form)
    return _page(request, seat, TeamTokenForm(request=request), made=token, made_text=text)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@needs_sudo
def team_token_revoke(request: HttpRequest, slug: str, token_id: uuid.UUID) -> HttpResponse:
    """What ends with the token; a POST revokes it."""
    seat = access.seat(request, slug)
    tokens = ApiToken.objects.select_related("user", "made_by")
    token = tokens.filter(pk=token_id, team=seat.team).first()
    if token is None:
        raise Http404
    seat.need(Action.MANAGE_TOKENS)
    form = ConfirmedForm(request.POST if request.method == "POST" else None, request=request)
    if request.method == "POST" and form.is_valid():
        api_tokens.revoke(token, actor=seat.actor, now=timezone.now())
        messages.success(request, f"The token “{token.name}” is refused from now on.")
        return redirect("web:team-tokens", slug)
    running = Job.objects.filter(team=seat.team, owner=token.user_id).exclude(status__in=ENDED)
    context = {"team": seat.team, "token": token, "form": form, "now": timezone.now()}
    context["running"] = running.count() if token.user.is_service else 0
    return render(request, "team/token_revoke.html", context, status=422 if form.errors else 200)


def _page(request: HttpRequest, seat: Seat, form: TeamTokenForm, **more: Any) -> HttpResponse:
    now = timezone.now()
    rows = ApiToken.objects.filter(team=seat.team, revoked_at=None).select_related("user", "made_by")
    tokens = list(rows.order_by("-created_at"))
    context = {
        "team": seat.team,
        "form": form,
        "now": now,
        # An expired token of the team still has its account, which ends when it is revoked.
        "service": [one for one in tokens if one.user.is_service],
        "personal": [one for one in tokens if not one.user.is_service and one.expires_at > now],
    }
    return render(request, "team/tokens.html", context | more, status=422 if form.errors else 200)
