"""Bringing in what ran on a credential before it was added here, and how far that came."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from dispersed_web import tasks
from dispersed_web.clock import database_now
from dispersed_web.credentials.rules import NOT_YOURS
from dispersed_web.credentials.use import may_manage
from dispersed_web.jobs import history
from dispersed_web.jobs.models import HistoryImport
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, live


@require_http_methods(["GET", "POST"])
def credential_history(request: HttpRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """POST asks for it; GET is the part of the credential's page that says how far it is."""
    needs = Action.MANAGE_CREDENTIALS if request.method == "POST" else Action.SEE
    seat, row = access.credential(request, slug, credential_id, needs)
    if request.method == "POST":
        if not may_manage(seat.role, row.managed_by):
            raise PermissionDenied(NOT_YOURS)
        found = history.request(row, user=request.user, actor=seat.actor, now=database_now())
        tasks.nudge(tasks.bring_in_history, found.pk)
        messages.success(request, "Past jobs are being brought in. This goes on while you do something else.")
    elif live.is_part(request):
        context = {
            "team": seat.team,
            "credential": row,
            "manages": may_manage(seat.role, row.managed_by),
        } | context_of(history.latest(row))
        return render(request, "credentials/_history.html", context)
    return redirect("web:credential", slug, row.pk)


def context_of(found: HistoryImport | None) -> dict[str, object]:
    """What the part shows; ``live`` while it goes on."""
    return {"history": found, "history_is_open": found is not None and found.is_open}
