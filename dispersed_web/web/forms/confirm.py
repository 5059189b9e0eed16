"""Confirming who one is before an act that would help whoever found a browser signed in.

People with a password and no second factor give it in a field of the act's own form. The others confirm on a page of
their own before they get the form (:mod:`dispersed_web.web.people.sudo`). A form that was sent is never carried over to
that page in the session, as django-allauth would do it: the session's row would hold the form's secrets in the clear.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts import second_factor, throttles
from dispersed_web.clock import database_now

FRESH_FOR_S = settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
PASSWORD, FACTOR, PROVIDER = "password", "mfa", "socialaccount"  # what allauth writes into the session
TOO_LATE = (
    "Nothing was changed, because you signed in a while ago. Confirm that it is you, then do this again."
)


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person proved within the last half hour who they are, with the strongest proof that they have: their
    second factor, else their password, else a sign-in at their provider."""
    proofs = _fresh_proofs(request)
    if FACTOR in proofs:
        return True
    if not proofs or second_factor.has_one(request.user.pk):
        return False
    return (PASSWORD if request.user.has_usable_password() else PROVIDER) in proofs


def gives_password(request: HttpRequest) -> bool:
    """Whether the person confirms with a password in the act's own form."""
    return request.user.has_usable_password() and not second_factor.has_one(request.user.pk)


def way(request: HttpRequest) -> str:
    """The address of the page where the person confirms who they are, which leads back to this one."""
    return f"{page_of(request.user)}?{urlencode({'next': _back(request)})}"


def page_of(user: Any) -> str:
    """Where this person confirms who they are."""
    kinds = second_factor.kinds(user.pk)
    if Authenticator.Type.TOTP in kinds:
        return reverse("mfa_reauthenticate")
    if Authenticator.Type.WEBAUTHN in kinds:
        return reverse("mfa_reauthenticate_webauthn")
    return reverse("account_reauthenticate")


def renew_session(request: HttpRequest) -> None:
    """Another id for the session; whoever knew the old one is out."""
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)


@sensitive_variables()
def password_is_right(request: HttpRequest, password: str) -> bool:
    """Failures count, and after too many of them no password is tried. Raises :class:`forms.ValidationError` then."""
    now = database_now()
    if wait_s := throttles.take("sudo", request.user.pk, now):
        words = throttles.in_words(wait_s)
        raise forms.ValidationError(f"Too many wrong attempts. Try again in {words}.")
    if not get_adapter(request).reauthenticate(request.user, password):
        return False
    throttles.give_back("sudo", request.user.pk)
    renew_session(request)
    return True


class ConfirmLink(forms.Widget):
    """Instead of a field: the way to the page where the person confirms who they are."""

    template_name = "people/confirm_link.html"
    use_fieldset = True

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, value, attrs) | {"url": self.url}

    def use_required_attribute(self, initial: Any) -> bool:
        return False


class ConfirmFirst(forms.Field):
    """Refuses whatever is sent: nothing in a form proves who these people are."""

    def clean(self, value: Any) -> Any:
        raise forms.ValidationError(TOO_LATE)


class ConfirmedForm(forms.Form):
    """A form that asks for the person's password unless they gave it lately. Once it was right it is not asked again,
    also when another field is at fault. Of people who confirm in another way it is refused until they have."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="Asked for again because you signed in a while ago.",
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        if is_fresh(request):
            del self.fields["password"]
        elif not gives_password(request):
            self.fields["password"] = ConfirmFirst(
                label="Confirm that it is you", widget=ConfirmLink(way(request))
            )

    @sensitive_variables()
    def clean_password(self) -> str:
        if not password_is_right(self.request, self.cleaned_data["password"]):
            raise forms.ValidationError("This is not your password.")
        reauthenticate_by_password(self.request)
        return ""


def _fresh_proofs(request: HttpRequest) -> set[str]:
    since = time.time() - FRESH_FOR_S
    records = get_authentication_records(request, request.user)
    return {record.get("method", "") for record in records if record["at"] > since}


def _back(request: HttpRequest) -> str:
    """Where the person goes on: this page, or for what is only sent to, the page that it was sent from."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    before = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure()):
        return reverse("web:home")
    parts = urlsplit(before)
    return parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
