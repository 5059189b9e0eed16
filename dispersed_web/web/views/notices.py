"""How a team and a person are told: the team's webhook, one's own wishes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from dispersed_web.clock import database_now
from dispersed_web.events.changes import changes, snapshot
from dispersed_web.events.security import note_account
from dispersed_web.notifications import channels
from dispersed_web.notifications.models import Channel, ChannelKind, Delivery, DeliveryState, Way, Wishes
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.notices import ChannelForm, WishesForm
from dispersed_web.web.notice_rows import channel_status, delivery_rows
from dispersed_web.web.people.sudo import only_fresh

SHOWN = 20


@sensitive_post_parameters("url", "password")
@require_http_methods(["GET", "POST"])
@sensitive_variables()
def team_notices(request: HttpRequest, slug: str) -> HttpResponse:
    """The webhook and the latest deliveries; a POST stores an address."""
    seat = access.seat(request, slug, Action.MANAGE_NOTICES)
    form = ChannelForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        channel = form.store(seat.team, request.user, seat.actor, database_now())
        if channel is not None:
            messages.success(request, f"The webhook at {channel.host} is stored. Send a test to see it work.")
            return redirect("web:team-notices", slug)
    context = _context(seat.team) | {"form": form} | _rights(seat)
    return render(request, "team/notices.html", context, status=422 if form.errors else 200)


@require_POST
def team_notices_test(request: HttpRequest, slug: str) -> HttpResponse:
    """Sends a message now and says what became of it."""
    seat, channel = _channel(request, slug)
    if channel is not None:
        delivery = channels.test(channel, actor=seat.actor, clock=database_now)
        if delivery.state == DeliveryState.SENT:
            messages.success(request, f"{channel.host} took the test. Look whether you see it there.")
        else:
            messages.error(request, f"The test did not arrive. {delivery.error}")
    return redirect("web:team-notices", slug)


@require_POST
@only_fresh
@sensitive_variables("secret")
def team_notices_signing(request: HttpRequest, slug: str) -> HttpResponse:
    """Makes a new secret to sign with. Its text is in this answer and nowhere else."""
    seat, channel = _channel(request, slug)
    if channel is None or channel.kind != ChannelKind.JSON:
        return redirect("web:team-notices", slug)
    secret = channels.renew_signing_secret(channel, actor=seat.actor, now=database_now())
    context = _context(seat.team) | {"form": ChannelForm(request=request), "signing_secret": secret}
    return render(request, "team/notices.html", context | _rights(seat))


@require_POST
def team_notices_switch(request: HttpRequest, slug: str) -> HttpResponse:
    """Pauses the webhook, or lets it go on."""
    seat, channel = _channel(request, slug)
    active = request.POST.get("active") == "1"
    if channel is not None and channels.set_active(channel, active, actor=seat.actor, now=database_now()):
        words = "Notices go to the webhook again." if active else "Nothing is sent to the webhook for now."
        messages.success(request, words)
    return redirect("web:team-notices", slug)


@require_POST
def team_notices_remove(request: HttpRequest, slug: str) -> HttpResponse:
    seat, channel = _channel(request, slug)
    if channel is not None:
        channels.remove(channel, actor=seat.actor, now=database_now())
        messages.success(request, "The webhook is forgotten. Links that were posted there act no more.")
    return redirect("web:team-notices", slug)


@require_POST
def me_notices(request: HttpRequest) -> HttpResponse:
    """One's own wishes for e-mails."""
    wishes = Wishes.objects.filter(user=request.user.pk).first() or Wishes(user_id=request.user.pk)
    form = WishesForm(request.POST, instance=wishes)
    before = snapshot(wishes)
    if form.is_valid():
        with transaction.atomic():
            data = changes("notifications.Wishes", before, snapshot(form.save()))
            if data:
                sentence = f"{request.user} changed which e-mails they want."
                note_account(request.user, "account.notices_changed", sentence, timezone.now(), data)
        messages.success(request, "Saved.")
    return redirect("web:me")


def wishes_form(user: Any) -> WishesForm:
    return WishesForm(instance=Wishes.objects.filter(user=user.pk).first())


def _channel(request: HttpRequest, slug: str) -> tuple[Seat, Channel | None]:
    """The team's webhook for somebody who may manage it; ``None``, with a word to them, when there is none any more."""
    seat = access.seat(request, slug, Action.MANAGE_NOTICES)
    channel = Channel.objects.select_related("team").filter(team=seat.team).first()
    if channel is None:
        messages.info(request, "The team has no webhook.")
    return seat, channel


def _context(team: Team) -> dict[str, Any]:
    channel = Channel.objects.select_related("created_by").filter(team=team).first()
    latest = (
        Delivery.objects.filter(event__team=team, way__in=[Way.EMAIL, Way.WEBHOOK])
        .select_related("event", "event__team", "user", "channel")
        .order_by("-id")[:SHOWN]
    )
    return {
        "channel": channel,
        "status": channel_status(channel) if channel else None,
        "deliveries": delivery_rows(list(latest), timezone.now(), timezone.get_current_timezone()),
        "mail_is_printed": settings.EMAIL_BACKEND.endswith(".console.EmailBackend"),
    }


def _rights(seat: Seat) -> dict[str, Any]:
    return {"team": seat.team, "may_limits": seat.may(Action.MANAGE_LIMITS), "may_notices": True}
