"""The live parts of the launch page: what the form would get and cost while it is being filled."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dispersed_web import tasks
from dispersed_web.clock import database_now
from dispersed_web.jobs import market
from dispersed_web.recipes.models import RecipeVersion
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.page import page_of
from dispersed_web.web.launch.launch_desk import current_version, desk_of
from dispersed_web.web.launch.launch_page import MARKET_LOOKS


@require_GET
def gpus(request: HttpRequest, slug: str) -> HttpResponse:
    """The GPUs with their prices for what is chosen so far; asked for again until prices arrive. With another credential
    than before also what its caps say of the other fields."""
    seat = access.seat(request, slug, Action.LAUNCH)
    draft = _draft(request, seat)
    looks, credential = request.GET.get("looks", ""), draft.chosen_credential
    is_same = credential is not None and request.GET.get("looks_with") == str(credential.pk)
    if is_same and looks.isdecimal():
        looks_left = max(min(int(looks[:3]), MARKET_LOOKS) - 1, 0)
    else:
        looks_left = MARKET_LOOKS
        look_at_the_market(draft)
    page = page_of(draft, database_now(), looks_left)
    context = {"page": page, "form": draft, "team": seat.team, "is_new_credential": not is_same}
    return render(request, "launch/_gpus_live.html", context)


@require_GET
def estimate(request: HttpRequest, slug: str) -> HttpResponse:
    """The price and the warnings for what is chosen so far. Of the SSH key it hears only that there is one."""
    seat = access.seat(request, slug, Action.LAUNCH)
    draft = _draft(request, seat)
    page = page_of(draft, database_now(), ssh_key_given=request.GET.get("ssh_key_given") == "yes")
    return render(request, "launch/_estimate.html", {"page": page, "team": seat.team, "form": draft})


def _draft(request: HttpRequest, seat: Seat) -> LaunchForm:
    """What the page says of the form while it is being filled."""
    draft = desk_of(request, seat, _version(request, seat)).form(request.GET)
    draft.full_clean()
    return draft


def _version(request: HttpRequest, seat: Seat) -> RecipeVersion | None:
    text = request.GET.get("recipe", "")
    if not text:
        return None
    try:
        return current_version(request, seat, uuid.UUID(text))
    except ValueError:
        raise Http404 from None


def look_at_the_market(form: LaunchForm) -> None:
    """Asks a worker for newer prices; the page does not wait for them."""
    credential = form.chosen_credential
    if credential and market.is_stale(market.of(credential), database_now()):
        tasks.nudge(tasks.refresh_market, credential.pk)
