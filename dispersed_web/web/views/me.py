"""One's own account: name and time zone, SSH key, API tokens."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from dispersed_web.accounts import second_factor
from dispersed_web.accounts.models import SshKey, User
from dispersed_web.events.changes import changes, snapshot
from dispersed_web.events.record import Actor
from dispersed_web.events.security import note_account
from dispersed_web.jobs import calendar
from dispersed_web.teams import api_tokens, keeping
from dispersed_web.teams.models import ApiToken, Membership
from dispersed_web.web.forms.me import ProfileForm, time_zones
from dispersed_web.web.forms.ssh_keys import SshKeyForm
from dispersed_web.web.forms.tokens import TokenForm, teams_for_tokens
from dispersed_web.web.job.key_lines import key_lines
from dispersed_web.web.views.notices import wishes_form


@require_http_methods(["GET", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """The page; a POST saves name and time zone."""
    if request.method != "POST":
        return page(request)
    form = ProfileForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if not form.is_valid():
        return page(request, profile=form)
    before = snapshot(User.objects.get(pk=request.user.pk))
    with transaction.atomic():
        User.objects.filter(pk=request.user.pk).update(**form.cleaned_data)
        if data := changes("accounts.User", before, form.cleaned_data):
            sentence = f"{request.user} changed their profile."
            note_account(request.user, "account.profile_changed", sentence, timezone.now(), data)
    messages.success(request, "Saved.")
    return redirect("web:me")


@sensitive_post_parameters("password")
@require_POST
@sensitive_variables("text")
def tokens(request: HttpRequest) -> HttpResponse:
    """Makes an API token. Its text is in this answer and nowhere else."""
    form = TokenForm(request.POST, request=request)
    if not form.is_valid():
        return page(request, token_form=form)
    data = form.cleaned_data
    try:
        token, text = api_tokens.create(
            data["team"],
            request.user,
            name=data["name"],
            scope=data["scope"],
            lifetime=form.lifetime,
            actor=Actor.person(request.user),
            now=timezone.now(),
        )
    except keeping.TeamRefused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.sentence)
        return page(request, token_form=form)
    return page(request, made=token, made_text=text)


@require_POST
def token_revoke(request: HttpRequest, token_id: uuid.UUID) -> HttpResponse:
    token = ApiToken.objects.select_related("user", "team").filter(pk=token_id, user=request.user).first()
    if token is None:
        raise Http404
    api_tokens.revoke(token, actor=Actor.person(request.user), now=timezone.now())
    messages.success(request, f"The token “{token.name}” is refused from now on.")
    return redirect("web:me")


def page(
    request: HttpRequest,
    *,
    profile: ProfileForm | None = None,
    ssh: SshKeyForm | None = None,
    token_form: TokenForm | None = None,
    **more: Any,
) -> HttpResponse:
    """The page, with what was typed into a form at fault, and with ``more`` that is shown this once."""
    failed = any(form is not None and form.errors for form in (profile, ssh, token_form))
    user = request.user
    now = timezone.now()
    live = ApiToken.objects.filter(user=user, revoked_at=None).select_related("team").order_by("-created_at")
    context = {
        "profile": profile or ProfileForm(instance=user),
        "ssh": ssh or SshKeyForm(),
        "keys": key_lines(SshKey.objects.filter(user=user).order_by("created_at", "pk")),
        "calendar": calendar.of(user, None),
        "token_form": token_form or TokenForm(request=request),
        "tokens": live,
        "now": now,
        "notices": wishes_form(user),
        "may_make_tokens": teams_for_tokens(user).exists(),
        "memberships": Membership.objects.filter(user=user).select_related("team").order_by("team__name"),
        "time_zones": time_zones(),
        "has_factor": second_factor.has_one(user.pk),
    }
    return render(request, "me/me.html", context | more, status=422 if failed else 200)
