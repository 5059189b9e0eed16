"""A team's settings: its name, its rule for second factors; which team opens first; leaving, deleting."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dispersed_web.jobs import closing
from dispersed_web.jobs.errors import JobError
from dispersed_web.notifications.closing import delete_team
from dispersed_web.teams import about, factor_rule, keeping
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import Membership, Team
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.team_settings import DeleteTeamForm, FactorRuleForm, RenameTeamForm
from dispersed_web.web.people import departure
from dispersed_web.web.people.sudo import needs_sudo


@require_safe
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, access.seat(request, slug))


@require_POST
def rename(request: HttpRequest, slug: str) -> HttpResponse:
    seat = access.seat(request, slug, Action.MANAGE_TEAM)
    form = RenameTeamForm(request.POST)
    if form.is_valid():
        try:
            about.rename(seat.team, form.cleaned_data["name"], actor=seat.actor, now=timezone.now())
        except TeamRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            messages.success(request, "Saved.")
            return redirect("web:team-settings", slug)
    return _page(request, seat, naming=form)


@sensitive_post_parameters("password")
@require_POST
def need_factor(request: HttpRequest, slug: str) -> HttpResponse:
    """Whether members need a second factor."""
    seat = access.seat(request, slug, Action.MANAGE_TEAM)
    form = FactorRuleForm(request.POST, request=request)
    if form.is_valid():
        wanted = form.cleaned_data["require_mfa"]
        try:
            changed = factor_rule.set_rule(seat.team, wanted, seat.actor, timezone.now())
        except TeamRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            words = "Members need a second factor now." if wanted else "A second factor is up to members now."
            messages.success(request, words if changed else "Nothing was changed.")
            return redirect("web:team-settings", slug)
    return _page(request, seat, rule=form)


@require_POST
def announce_factor(request: HttpRequest, slug: str) -> HttpResponse:
    """Tells members who have none that a second factor is going to be needed. It asks for no password: nothing changes."""
    seat = access.seat(request, slug, Action.MANAGE_TEAM)
    try:
        told = factor_rule.announce(seat.team, seat.actor, timezone.now())
    except TeamRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(
            request, f"{told} member{'' if told == 1 else 's'} told, in the inbox and by e-mail."
        )
    return redirect("web:team-settings", slug)


@require_POST
def open_first(request: HttpRequest, slug: str) -> HttpResponse:
    """One's own choice of the team that is shown after signing in."""
    seat = access.seat(request, slug)
    about.open_first(request.user, seat.team)
    messages.success(request, f"{seat.team} opens first from now on.")
    return redirect("web:team-settings", slug)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
@needs_sudo
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks what becomes of each of one's own running jobs, then leaves."""
    seat = access.seat(request, slug)
    who = departure.going(seat.team, request.user, may_stop=seat.may(Action.STOP))
    form = who.form(request)
    if request.method == "POST" and form.is_valid():
        try:
            done = departure.carry_out(who, form, actor=seat.actor, now=timezone.now())
        except (TeamRefused, JobError) as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, f"You left {seat.team}.{departure.outcome(done)}")
            return redirect("web:home")
    mine = Membership.objects.get(team=seat.team, user=request.user)
    if "all" in form.fields:
        form.fields["all"].label = "Your running jobs"
    context = who.context(form, timezone.now()) | {"last_owner": keeping.is_last_owner(mine), "is_me": True}
    return render(request, "team/leave.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
@needs_sudo
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Says what keeps the team from being deleted, or asks for its name and deletes it."""
    seat = access.seat(request, slug, Action.DELETE_TEAM)
    form = DeleteTeamForm(request.POST or None, request=request, team=seat.team)
    if request.method == "POST" and form.is_valid():
        try:
            delete_team(seat.team, form.cleaned_data["name"], actor=seat.actor, now=timezone.now())
        except TeamRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            messages.success(request, f"The team {seat.team} is deleted.")
            return redirect("web:home")
    left = closing.left(seat.team)
    context = {
        "team": seat.team,
        "form": form,
        "left": left,
        "why_not": "" if left.nothing else closing.sentence(left),
        "people": Membership.objects.filter(team=seat.team, user__is_service=False).count(),
        "keys": seat.team.credentials.exclude(state="gone").count(),
    }
    return render(request, "team/delete.html", context, status=422 if form.errors else 200)


def _page(request: HttpRequest, seat: Seat, **forms: Any) -> HttpResponse:
    """The page, with the form at fault as it was sent."""
    mine = Membership.objects.filter(user=request.user.pk)
    team = seat.team
    context = {
        "team": team,
        "may_manage": seat.may(Action.MANAGE_TEAM),
        "may_delete": seat.may(Action.DELETE_TEAM),
        "naming": RenameTeamForm(initial={"name": team.name}),
        "rule": FactorRuleForm(request=request, initial={"require_mfa": team.require_mfa}),
        "without_factor": _without_factor(team) if seat.may(Action.MANAGE_TEAM) else [],
        "several": mine.count() > 1,
        "is_first": mine.filter(team=team, is_default=True).exists(),
    }
    return render(request, "team/settings.html", context | forms, status=422 if forms else 200)


def _without_factor(team: Team) -> list[str]:
    """Who would be out by the rule, or is."""
    return sorted((str(one) for one in factor_rule.people_without(team)), key=str.lower)
