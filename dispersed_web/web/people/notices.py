"""Telling people what happened to their account: new sign-ins, changed passwords and addresses, ended sessions."""

from __future__ import annotations

from typing import Any

from allauth.account import signals
from allauth.socialaccount import signals as social_signals
from django.conf import settings
from django.contrib.auth import user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from dispersed_web.accounts import browsers, places, throttles
from dispersed_web.accounts.models import User
from dispersed_web.accounts.places import network_of
from dispersed_web.events import security
from dispersed_web.events.models import ActorKind
from dispersed_web.events.record import Actor, record
from dispersed_web.web.client_address import client_address

SOMEBODY = Actor(ActorKind.PERSON, "Somebody")
ATTEMPTS = (
    "Somebody gave many wrong passwords for your account, so sign-in from there has to wait. Your password was not found "
    "out. If it was not you, check that it is one that you use nowhere else."
)
NOT_YOU = "If this was not you, change your password now; that ends all other sessions."


def tell(user: User, kind: str, sentence: str, data: dict[str, Any] | None = None) -> None:
    """Records the event of the account, and tells the person."""
    with transaction.atomic():
        security.tell_person(user, kind, sentence, timezone.now(), data)


def where(request: HttpRequest) -> str:
    """ "Firefox on Linux, from 203.0.113.9"."""
    address = client_address(request)
    name = browsers.name_of(request.headers.get("User-Agent", ""))
    return f"{name}, from {address}" if address else name


@receiver(signals.user_logged_in)
def note_sign_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Tells of a sign-in from a browser or an address that this person did not use before."""
    network = network_of(client_address(request))
    browser = browsers.name_of(request.headers.get("User-Agent", ""))
    if places.note(user, network, browser, timezone.now()):
        tell(user, "account.signed_in", f"A new sign-in to your account: {where(request)}. {NOT_YOU}")
    else:
        with transaction.atomic():
            security.note_account(user, "account.signed_in", f"Signed in: {where(request)}.", timezone.now())


@receiver(user_logged_out)
def note_sign_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    """By the person, or by the end of the session's time (``session_age``)."""
    if user is None:
        return
    how = (
        "Signed out, because the session was too old"
        if getattr(request, "session_is_over", False)
        else "Signed out"
    )
    with transaction.atomic():
        security.note_account(user, "account.signed_out", f"{how}: {where(request)}.", timezone.now())


@receiver([signals.password_changed, signals.password_set])
def note_password(request: HttpRequest, user: User, **kwargs: Any) -> None:
    tell(
        user,
        "account.password_changed",
        f"Your password was changed: {where(request)}. All other sessions have ended. "
        "If this was not you, choose a new one by “Forgot your password?” at once.",
    )


@receiver(signals.password_reset)
def note_reset(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Who never signed in had no password to lose: they are not warned of their first one."""
    if user.last_login is None:
        sentence = f"A password was chosen: {where(request)}."
        with transaction.atomic():
            security.note_account(user, "account.password_changed", sentence, timezone.now())
        return
    tell(
        user,
        "account.password_changed",
        f"Your password was replaced by a link that went to your mailbox: {where(request)}. All sessions have ended. "
        "If this was not you, somebody reads your mail: secure the mailbox, then choose a new password.",
    )


@receiver(signals.email_changed)
def note_address(
    request: HttpRequest, user: User, from_email_address: Any, to_email_address: Any, **kwargs: Any
) -> None:
    """Nobody is warned of the address with which an account was made: confirming it changes nothing. Whoever changes it
    later has signed in before."""
    old, new = from_email_address.email if from_email_address else "", to_email_address.email
    data = {"from": old, "to": new}
    if not old and user.last_login is None:
        with transaction.atomic():
            security.note_account(
                user, "account.email_changed", f"{new} was confirmed.", timezone.now(), data
            )
        return
    sentence = f"The address of your account is now {new}" + (f", no longer {old}." if old else ".")
    tell(user, "account.email_changed", sentence, data)


@receiver(social_signals.social_account_added)
def note_link(request: HttpRequest, sociallogin: Any, **kwargs: Any) -> None:
    """The account can be signed in to by the provider from now on."""
    name = settings.OIDC_NAME
    tell(
        sociallogin.user,
        "account.sign_in_linked",
        f"Your account can be signed in to with {name} from now on: {where(request)}. {name} says that its address is "
        "yours. If this was not you, tell whoever runs this installation.",
    )


def note_ended(request: HttpRequest, user: User, count: int) -> None:
    """Sessions were ended by the person."""
    many = "One session was ended" if count == 1 else f"{count} sessions were ended"
    with transaction.atomic():
        security.note_account(
            user, "account.sessions_ended", f"{many}: {where(request)}.", timezone.now(), {"count": count}
        )


def note_failure(request: HttpRequest, user_id: int | None) -> None:
    """A wrong password. It is recorded for an account that does not exist as well, without what was typed, which may be a
    password in the wrong field; so both take as long. The log only grows, so it takes a hundred an hour of each account,
    and of all unknown ones together."""
    now = timezone.now()
    if throttles.take("sign_in_noted", user_id or "unknown", now):
        return
    subject = ("user", user_id or "")
    sentence = f"A sign-in with a wrong password: {where(request)}."
    with transaction.atomic():
        record(None, SOMEBODY, "account.sign_in_failed", subject, sentence, now=now)


def note_wrong_setup_code(request: HttpRequest) -> None:
    """Somebody tried to make the first account. As with passwords the log takes so many an hour."""
    now = timezone.now()
    if throttles.take("sign_in_noted", "setup code", now):
        return
    sentence = f"A wrong code for the first account of this installation: {where(request)}."
    with transaction.atomic():
        record(None, SOMEBODY, "installation.setup_code_wrong", ("installation", ""), sentence, now=now)


def tell_of_attempts(user_id: int | None) -> None:
    """So many wrong passwords that the next one has to wait."""
    user = User.objects.filter(pk=user_id or 0, is_active=True, is_service=False).first()
    if user is None:
        return
    with transaction.atomic():
        security.tell_person(user, "account.attempts", ATTEMPTS, timezone.now(), actor=SOMEBODY)
