"""The team's SSH keys: added, named and removed by who manages them."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from dispersed_web.accounts.ssh_keys import parse_public_key
from dispersed_web.teams import ssh_keys
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import TeamSshKey
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.ssh_keys import KeyNameForm, SshKeyForm
from dispersed_web.web.views import team as team_page


@sensitive_post_parameters()
@require_POST
@sensitive_variables()
def add(request: HttpRequest, slug: str) -> HttpResponse:
    seat = access.seat(request, slug, Action.MANAGE_TEAM_KEYS)
    form = SshKeyForm(request.POST)
    if not form.is_valid():
        return team_page.page(request, seat, ssh=form)
    data = form.cleaned_data
    try:
        key = ssh_keys.add(seat.team, data["key"], data["name"], actor=seat.actor, now=timezone.now())
    except TeamRefused as refused:
        form.add_error(refused.field or None, refused.sentence)
        return team_page.page(request, seat, ssh=form)
    messages.success(request, f"The key “{key.name}” is stored. Every member can give it to a job.")
    return redirect("web:team", slug)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def key(request: HttpRequest, slug: str, key_id: uuid.UUID) -> HttpResponse:
    """One key; a POST gives it another name."""
    seat, found = _key(request, slug, key_id)
    form = KeyNameForm(request.POST or None, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        try:
            ssh_keys.rename(found, form.cleaned_data["name"], actor=seat.actor, now=timezone.now())
        except TeamRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            messages.success(request, "Saved.")
            return redirect("web:team", slug)
    context = {"team": seat.team, "key": found, "public": parse_public_key(found.line), "form": form}
    return render(request, "team/ssh_key.html", context, status=422 if form.errors else 200)


@require_POST
def remove(request: HttpRequest, slug: str, key_id: uuid.UUID) -> HttpResponse:
    seat, found = _key(request, slug, key_id)
    try:
        ssh_keys.remove(found, actor=seat.actor, now=timezone.now())
    except TeamRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, f"“{found.name}” is removed. Jobs that run with it keep it.")
    return redirect("web:team", slug)


def _key(request: HttpRequest, slug: str, key_id: uuid.UUID) -> tuple[Seat, TeamSshKey]:
    seat = access.seat(request, slug)
    found = TeamSshKey.objects.select_related("team", "added_by").filter(pk=key_id, team=seat.team).first()
    if found is None:
        raise Http404
    seat.need(Action.MANAGE_TEAM_KEYS)
    return seat, found
