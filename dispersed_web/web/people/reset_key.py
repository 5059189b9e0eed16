"""The page behind the link that sets a new password. django-allauth moves the link's key from the address into the session;
between requests it lies there sealed, so that nobody who reads the database can set the password."""

from __future__ import annotations

import contextlib
from typing import Any

from allauth.account import views as account
from allauth.account.views import INTERNAL_RESET_SESSION_KEY as KEY
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from dispersed_web.credentials import vault

PLACE = vault.Place("session", "", "", "password_reset_key")


@login_not_required
@sensitive_post_parameters()
@sensitive_variables()
def set_password(request: HttpRequest, **names: Any) -> HttpResponse:
    """django-allauth's view, which finds the key open in its session and leaves it sealed."""
    sealed = request.session.pop(KEY, None)
    if sealed:
        # Without its encryption key the link has to be opened again.
        with contextlib.suppress(vault.CannotOpen):
            request.session[KEY] = vault.unseal(sealed, PLACE)
    try:
        response: HttpResponse = account.password_reset_from_key(request, **names)
    finally:
        if key := request.session.pop(KEY, None):
            request.session[KEY] = vault.seal(key, PLACE)
    return response
