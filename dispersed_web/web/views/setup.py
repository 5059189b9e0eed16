"""The first start of an installation: the owner's account, their team, its first credential, how it is told, a first launch.

Where somebody is follows from what there is: each page looks at the rows and has its own address, so nothing is lost when
the browser is closed. Only the first page is open to strangers, and only until there is an account.
"""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from dispersed_web.accounts import throttles
from dispersed_web.accounts.models import SshKey
from dispersed_web.clock import database_now
from dispersed_web.credentials import keeping as credentials
from dispersed_web.credentials.models import Credential
from dispersed_web.events.record import Actor
from dispersed_web.notifications import channels, letter
from dispersed_web.notifications.models import Channel, DeliveryState
from dispersed_web.recipes import starters
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams import first_run, keeping
from dispersed_web.teams.models import Membership, Team
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.client_address import UNKNOWN, client_address
from dispersed_web.web.forms.credential import CredentialForm
from dispersed_web.web.forms.notices import ChannelForm
from dispersed_web.web.forms.setup import OwnerForm
from dispersed_web.web.forms.ssh_keys import SshKeyForm
from dispersed_web.web.forms.team import NewTeamForm
from dispersed_web.web.people.notices import note_wrong_setup_code
from dispersed_web.web.people.sudo import needs_sudo
from dispersed_web.web.views import my_keys

STEPS = ("Account", "Team", "Credential", "Notices", "First launch")
FIRST_RECIPE = f"{starters.SOURCE}ssh-machine"


@login_not_required
@sensitive_post_parameters("code", "password")
@require_http_methods(["GET", "POST"])
@sensitive_variables()
def owner(request: HttpRequest) -> HttpResponse:
    """The first account, for whoever knows the code. Nothing is here once there is one."""
    if not first_run.is_empty():
        raise Http404
    form = OwnerForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _knows_code(request, form):
        data = form.cleaned_data
        try:
            user = first_run.make_owner(
                data["email"], data["name"], data["password"], database_now(), time_zone=data["time_zone"]
            )
        except keeping.TeamRefused:
            raise Http404 from None
        login = Login(user=user, redirect_url=reverse("web:setup-team"))
        return perform_password_login(request, {"email": user.email}, login)
    return _page(request, 0, {"form": form})


@require_http_methods(["GET", "POST"])
def team(request: HttpRequest) -> HttpResponse:
    """The first team of somebody who has none."""
    seat = Membership.objects.filter(user=request.user).select_related("team").order_by("joined_at").first()
    if seat is not None:
        return redirect("web:setup-credential", seat.team.slug)
    form = NewTeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor, name = Actor.person(request.user), form.cleaned_data["name"]
        try:
            made = keeping.create_team(name, request.user, actor=actor, now=timezone.now())
        except keeping.TeamRefused as refused:
            form.add_error("name", refused.sentence)
        else:
            starters.install(made, timezone.now())
            return redirect("web:setup-credential", made.slug)
    return _page(request, 1, {"form": form})


@sensitive_post_parameters("secret_key", "password")
@require_http_methods(["GET", "POST"])
@needs_sudo
@sensitive_variables()
def credential(request: HttpRequest, slug: str) -> HttpResponse:
    """The first credential, tried against the cloud before it is stored."""
    seat = access.seat(request, slug, Action.MANAGE_CREDENTIALS)
    form = CredentialForm(request.POST or None, request=request, initial={"name": "First key"})
    if request.method == "POST" and form.is_valid() and _store_credential(request, seat, form):
        return redirect("web:setup-notices", slug)
    known = Credential.objects.filter(team=seat.team).order_by("created_at").first()
    return _page(request, 2, {"form": form, "known": known, "team": seat.team})


@sensitive_post_parameters("url", "password")
@require_http_methods(["GET", "POST"])
@needs_sudo
@sensitive_variables()
def notices(request: HttpRequest, slug: str) -> HttpResponse:
    """Where the team is told of stops and trouble."""
    seat = access.seat(request, slug, Action.MANAGE_NOTICES)
    form = ChannelForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        channel = form.store(seat.team, request.user, seat.actor, database_now())
        if channel is not None:
            return redirect(
                "web:setup-launch" if _took_test(request, seat, channel) else "web:setup-notices", slug
            )
    known = Channel.objects.filter(team=seat.team).first()
    printed = settings.EMAIL_BACKEND.endswith(".console.EmailBackend")
    return _page(request, 3, {"form": form, "known": known, "team": seat.team, "mail_is_printed": printed})


@require_POST
def test_mail(request: HttpRequest, slug: str) -> HttpResponse:
    """An e-mail to oneself, to see whether the mail server is set up."""
    seat = access.seat(request, slug, Action.MANAGE_NOTICES)
    if wait_s := throttles.take("confirm_mail", request.user.email, timezone.now()):
        messages.error(request, f"Too many e-mails. Try again in {throttles.in_words(wait_s)}.")
        return redirect("web:setup-notices", slug)
    to, text = (
        request.user.email,
        f"This is the test that you asked for. Notices of {seat.team} reach you here.",
    )
    content, foot = {"pieces": letter.pieces(text, {})}, letter.foot(to, "you asked for it")
    try:
        letter.write(to, "A test", [text], "email/account.html", content, foot=foot).send()
    except OSError as error:  # smtplib's errors are OSErrors too
        messages.error(request, f"The e-mail could not be sent ({type(error).__name__}).")
    else:
        messages.success(request, f"An e-mail to {request.user.email} is on its way.")
    return redirect("web:setup-notices", slug)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@sensitive_variables()
def launch(request: HttpRequest, slug: str) -> HttpResponse:
    """A cheap machine to begin with, one click from its form. Who has no SSH key yet stores one here, which it asks for."""
    seat = access.seat(request, slug, Action.LAUNCH)
    recipe = Recipe.objects.filter(team=seat.team, source=FIRST_RECIPE, archived_at=None).first()
    form = SshKeyForm(request.POST or None)
    if request.method == "POST" and my_keys.store(request, form):
        return redirect("web:recipe-launch", slug, recipe.pk) if recipe else redirect("web:launch", slug)
    context = {
        "team": seat.team,
        "recipe": recipe,
        "form": form,
        "has_credential": Credential.objects.filter(team=seat.team).exists(),
        "has_key": SshKey.objects.filter(user=request.user.pk).exists(),
    }
    return _page(request, 4, context | {"simulated": settings.DISPERSED_SIMULATED})


@sensitive_variables()
def _knows_code(request: HttpRequest, form: OwnerForm) -> bool:
    address, now = client_address(request) or UNKNOWN, database_now()
    if wait_s := throttles.take("setup", address, now):
        form.add_error("code", f"Too many wrong codes. Try again in {throttles.in_words(wait_s)}.")
        return False
    if not first_run.is_code(form.cleaned_data["code"]):
        note_wrong_setup_code(request)
        form.add_error("code", "This is not the code. Copy it from the server's log.")
        return False
    throttles.give_back("setup", address)
    return True


@sensitive_variables()
def _store_credential(request: HttpRequest, seat: access.Seat, form: CredentialForm) -> bool:
    try:
        row = credentials.add(
            seat.team,
            form.cleaned_data["name"],
            *form.pair,
            user=request.user,
            actor=seat.actor,
            clock=database_now,
            expires_at=form.expires_at,
        )
    except credentials.CredentialRefused as refused:
        form.add_error(refused.field or None, refused.sentence)
        return False
    messages.success(request, f"“{row.name}” is stored: Dispersed accepted it.")
    return True


def _took_test(request: HttpRequest, seat: access.Seat, channel: Channel) -> bool:
    """Sends a first message to the webhook, and says what became of it."""
    delivery = channels.test(channel, actor=seat.actor, clock=database_now)
    if delivery.state == DeliveryState.SENT:
        messages.success(
            request, f"The webhook at {channel.host} is stored and took a test. Look for it there."
        )
        return True
    messages.error(request, f"The webhook is stored, but the test did not arrive. {delivery.error}")
    return False


def _page(request: HttpRequest, step: int, context: dict[str, Any]) -> HttpResponse:
    states = ["done"] * step + ["current"] + ["todo"] * (len(STEPS) - step - 1)
    for skipped in _skipped(step, context.get("team")):
        states[skipped] = "todo"
    steps = [{"name": name, "state": state} for name, state in zip(STEPS, states, strict=True)]
    failed = bool(context.get("form") and context["form"].errors)
    template = ("owner", "team", "credential", "notices", "launch")[step]
    return render(
        request, f"setup/{template}.html", context | {"steps": steps}, status=422 if failed else 200
    )


def _skipped(step: int, team: Team | None) -> list[int]:
    """The steps that were left out on the way to this one."""
    kept = ((2, Credential), (3, Channel))
    return [
        number for number, model in kept if number < step and not model.objects.filter(team=team).exists()
    ]
