"""django-allauth's pages where the product is stricter than they are, and those that it does without."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import requests
from allauth.account import views as account
from allauth.socialaccount import views as social
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse

from dispersed_web.web.people import oidc
from dispersed_web.web.people.sudo import only_fresh

View = Callable[..., HttpResponse]

change_email = only_fresh(account.email)
set_password = only_fresh(account.password_set)


@login_not_required
def absent(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Of django-allauth, but of no use here."""
    raise Http404


def _with_provider(view: View) -> View:
    """Only where a provider is configured, and only by the one name that it has."""

    @login_not_required
    @wraps(view)
    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not settings.OIDC_ISSUER or kwargs.pop("provider_id", oidc.PROVIDER_ID) != oidc.PROVIDER_ID:
            raise Http404
        return view(request, **kwargs)

    return wrapped


def _at_provider(view_class: Any) -> View:
    """A view that asks the provider. What goes wrong there is told on a page, without its words."""

    def view(request: HttpRequest) -> HttpResponse:
        adapter = oidc.OidcAdapter(request, oidc.PROVIDER_ID)
        try:
            return view_class.adapter_view(adapter)(request)
        except (OAuth2Error, requests.RequestException, ValueError, KeyError) as error:
            return render_authentication_error(request, adapter.get_provider(), exception=error)

    return _with_provider(view)


oidc_login = _at_provider(oidc.LoginView)
oidc_callback = _at_provider(oidc.CallbackView)
oidc_cancelled = _with_provider(social.login_cancelled)
oidc_error = _with_provider(social.login_error)
