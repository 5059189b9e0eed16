"""The page where somebody confirms who they are: with the password, or for people without one, by signing in at their
provider again. People with a second factor are led to the page of that."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from allauth.account.views import reauthenticate
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from dispersed_web.accounts import second_factor
from dispersed_web.web.forms.confirm import page_of


def confirm(request: HttpRequest) -> HttpResponse:
    """“Confirm that it is you”, by the strongest proof that the person has."""
    if second_factor.has_one(request.user.pk):
        back = request.GET.get("next", "")
        return redirect(
            f"{page_of(request.user)}?{urlencode({'next': back})}" if back else page_of(request.user)
        )
    if request.user.has_usable_password():
        return reauthenticate(request)
    return render(request, "people/confirm_provider.html", _provider(request))


class ConfirmByKey(ReauthenticateWebAuthnView):
    """Says on the page itself that a key was not the right one."""

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(), status=422)


confirm_by_key = ConfirmByKey.as_view()


def _provider(request: HttpRequest) -> dict[str, str]:
    """Where the provider asks them to sign in anew, and leads back."""
    if not settings.OIDC_ISSUER:
        return {"provider": ""}
    back = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = reverse("web:home")
    query = urlencode({"process": "login", "next": back, "auth_params": "prompt=login"})
    address = reverse("openid_connect_login", kwargs={"provider_id": "oidc"})
    return {"provider": settings.OIDC_NAME, "provider_url": f"{address}?{query}"}
