"""A person's presets of the launch form in one team: listing, renaming, choosing the usual one, deleting."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from dispersed_web.jobs import presets as saving
from dispersed_web.jobs.models import Preset
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.preset import PresetForm


@require_GET
def presets(request: HttpRequest, slug: str) -> HttpResponse:
    return _show(request, access.seat(request, slug, Action.LAUNCH))


@require_POST
def preset_change(request: HttpRequest, slug: str, preset_id: uuid.UUID) -> HttpResponse:
    """A new name, and whether it is the usual one."""
    seat, preset = _mine(request, slug, preset_id)
    form = PresetForm(request.POST, user=request.user, team=seat.team, preset=preset)
    if not form.is_valid():
        return _show(request, seat, faulty=(preset.pk, form), status=422)
    wanted = form.cleaned_data
    saving.change(preset, name=wanted["preset_name"], is_usual=wanted["preset_usual"], now=timezone.now())
    messages.success(request, f"“{preset.name}” is saved.")
    return redirect("web:presets", seat.team.slug)


@require_POST
def preset_delete(request: HttpRequest, slug: str, preset_id: uuid.UUID) -> HttpResponse:
    seat, preset = _mine(request, slug, preset_id)
    saving.delete(preset, now=timezone.now())
    messages.success(
        request, f"“{preset.name}” is deleted. Jobs that were launched from it are as they were."
    )
    return redirect("web:presets", seat.team.slug)


def _mine(request: HttpRequest, slug: str, preset_id: uuid.UUID) -> tuple[Seat, Preset]:
    seat = access.seat(request, slug)
    preset = saving.of(request.user, seat.team).filter(pk=preset_id).first()
    if preset is None:
        raise Http404
    seat.need(Action.LAUNCH)
    return seat, preset


def _show(
    request: HttpRequest, seat: Seat, *, faulty: tuple[Any, PresetForm] | None = None, status: int = 200
) -> HttpResponse:
    rows = [
        {"preset": preset, "form": faulty[1] if faulty and faulty[0] == preset.pk else None}
        for preset in saving.of(request.user, seat.team)
    ]
    context = {"team": seat.team, "rows": rows, "most": saving.MOST}
    return render(request, "launch/presets.html", context, status=status)
