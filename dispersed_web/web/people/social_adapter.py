"""django-allauth's switchboard for sign-in by OpenID Connect: who may come in, and as whom."""

from __future__ import annotations

import functools
from typing import Any

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount import app_settings
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.db import transaction
from django.forms import ValidationError
from django.http import HttpRequest
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts import addresses, unconfirmed
from dispersed_web.accounts.models import User
from dispersed_web.web.people import account_forms, signup
from dispersed_web.web.people.oidc import OidcProvider


class SocialAdapter(DefaultSocialAccountAdapter):
    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> OidcProvider:
        """The one that is configured. Raises ``SocialApp.DoesNotExist`` without one."""
        return OidcProvider(request, app=self.get_app(request, provider=provider, client_id=client_id))

    def list_providers(self, request: HttpRequest) -> list[OidcProvider]:
        return [OidcProvider(request, app=app) for app in self.list_apps(request)]

    def get_requests_session(self) -> requests.Session:
        """To the provider itself: no redirects, nothing from the environment."""
        session = requests.Session()
        session.trust_env = False
        session.request = functools.partial(
            session.request, timeout=app_settings.REQUESTS_TIMEOUT, allow_redirects=False
        )
        return session

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """An account needs an address: nobody types one in here."""
        if not sociallogin.is_existing and not sociallogin.email_addresses:
            raise ImmediateHttpResponse(_refusal(request, "no_address"))

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        """The account whose address the provider vouches for. One that nobody had confirmed may be a stranger's work:
        nothing of theirs opens it any more. One that only waits for the address is not it."""
        for address in sociallogin.email_addresses:
            if address.verified:
                unconfirmed.drop_changes_to(address.email)
        found = super().authenticate_by_email(sociallogin)
        if found and unconfirmed.is_unconfirmed(found[0]):
            with transaction.atomic():
                unconfirmed.disown(found[0])
                addresses.vouch(found[0])
        return found

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """As without a provider; an invitation is for its address only."""
        if not signup.may_sign_up(request):
            return False
        invitation = signup.invitation_of(request) if settings.SIGNUP == "invitation" else None
        email = sociallogin.email_addresses[0].email
        return invitation is None or invitation.email.lower() == email.lower()

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user = super().populate_user(request, sociallogin, data)
        user.name = (data.get("name") or "")[: User._meta.get_field("name").max_length]
        return user

    @sensitive_variables()
    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        try:
            account_forms.count_sign_up(request)
        except ValidationError as error:
            raise ImmediateHttpResponse(_refusal(request, "too_often", error.messages[0])) from None
        return super().save_user(request, sociallogin, form)


def _refusal(request: HttpRequest, why: str, sentence: str = "") -> Any:
    return render(
        request,
        "socialaccount/authentication_error.html",
        {"why": why, "sentence": sentence, "provider_name": settings.OIDC_NAME},
        status=429 if why == "too_often" else 403,
    )
