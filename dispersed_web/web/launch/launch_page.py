"""The launch page as it is shown: the form, what stands above and beside it, the review."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from dispersed_web import durations
from dispersed_web.clock import database_now
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.jobs import copies, form_tokens
from dispersed_web.teams.models import Membership
from dispersed_web.teams.roles import Action
from dispersed_web.web.access import Seat
from dispersed_web.web.forms import links
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.launch_fields import MOST_COPIES
from dispersed_web.web.forms.page import page_of, range_of
from dispersed_web.web.forms.preset import PresetForm
from dispersed_web.web.forms.recipe_launch import RecipeLaunchForm
from dispersed_web.web.forms.review import Review, review_of
from dispersed_web.web.launch.launch_desk import Desk
from dispersed_web.web.launch.launch_starts import starts
from dispersed_web.web.markdown import first_line

MARKET_LOOKS = 8


@sensitive_variables()
def show(desk: Desk, form: LaunchForm, *, token: str = "", status: int = 200, **more: Any) -> HttpResponse:
    """The page with this form; a fresh token unless ``token`` keeps the form what it was."""
    page = page_of(form, database_now(), MARKET_LOOKS)
    context = _context(desk, form) | {
        "page": page,
        "form_token": token or form_tokens.issue(desk.request.user.pk, desk.seat.team.pk),
        "starts": starts(desk.seat, desk.request.user) if desk.version is None else [],
        "lifetime_most": durations.write(desk.seat.team.max_lifetime_s),
        "most_copies": MOST_COPIES,
        "preset_form": PresetForm(user=desk.request.user, team=desk.seat.team),
        "confirm_rate": range_of(page.quote, form.how_many) if more.get("confirm") else "",
        "confirm_most": page.outlook.most_of(form.how_many) if more.get("confirm") else "",
        "confirm_titles": _titles(form) if more.get("confirm") else [],
    }
    return render(desk.request, "launch/form.html", context | more, status=status)


def _context(desk: Desk, form: LaunchForm) -> dict[str, Any]:
    team = desk.seat.team
    is_recipe = isinstance(form, RecipeLaunchForm)
    return {
        "form": form,
        "team": team,
        "lost": desk.lost,
        "again": desk.again,
        "preset": desk.preset,
        "gone_recipe": _recipe_is_gone(desk),
        "cook": desk.cook,
        "about": first_line(desk.version.recipe.description_md) if desk.version else "",
        "version": desk.version,
        "moved_from": desk.moved_from,
        "inputs": getattr(form, "inputs", None),
        "opens_rest": is_recipe and _opens_rest(form),
        "action": address(desk.seat, desk.version.recipe_id if desk.version else None),
    }


def _recipe_is_gone(desk: Desk) -> bool:
    """A past job came from a recipe whose form cannot be had any more."""
    job = desk.again or desk.lost
    return desk.version is None and job is not None and job.recipe_version_id is not None


def _opens_rest(form: RecipeLaunchForm) -> bool:
    """What is folded away is opened where something in it is at fault."""
    folded = set(form.errors) - {"__all__", "title", "copies", "same_again", "supersedes_sure"}
    return bool(folded) or bool(form.env.total_error_count())


def _titles(form: LaunchForm) -> list[str]:
    return copies.titles(form.cleaned_data.get("title") or "", form.how_many)


def address(seat: Seat, recipe_id: uuid.UUID | None = None) -> str:
    """Where the form is sent to."""
    if recipe_id is None:
        return reverse("web:launch", args=[seat.team.slug])
    return reverse("web:recipe-launch", args=[seat.team.slug, recipe_id])


@sensitive_variables()
def review(desk: Desk, sent: LaunchForm, *, token: str) -> HttpResponse:
    """The exact request for reading: in a dialog, or above the form where there is no script."""
    now_shown = page_of(sent, database_now())
    shown: Review = review_of(sent).with_refusals(now_shown.caps.refusals)
    link = links.query_of(sent, desk.form(filling=desk.plain_filling()))
    path = desk.request.build_absolute_uri(
        address(desk.seat, desk.version.recipe_id if desk.version else None)
    )
    if desk.cook:
        link = "&".join(filter(None, (urlencode({"cook": desk.cook.uuid}), link)))
    extra = {"review": shown, "link": f"{path}?{link}" if link else path}
    if desk.request.headers.get("HX-Request"):
        context = _context(desk, sent) | extra | {"page": now_shown}
        return render(desk.request, "launch/_review_dialog.html", context)
    return show(desk, sent, token=token, **extra)


def who_may_add(seat: Seat) -> dict[str, Any]:
    """For a team that has no credential to launch with."""
    rows = list(Credential.objects.filter(team=seat.team).exclude(state=CredentialState.GONE))
    roles = ["owner"] if rows and all(one.managed_by == "owners" for one in rows) else ["owner", "admin"]
    keepers = Membership.objects.filter(
        team=seat.team, role__in=roles, user__is_service=False
    ).select_related("user")
    return {
        "team": seat.team,
        "may_add": seat.may(Action.MANAGE_CREDENTIALS),
        "unusable": len(rows),
        "not_for_you": sum(one.state == CredentialState.ACTIVE for one in rows),
        "keepers": [str(membership.user) for membership in keepers.order_by("joined_at")[:5]],
    }
