"""Asking for the password again before an act that would help whoever found a browser signed in.

The password is a field of the act's own form. django-allauth could instead send people to a page of its own and carry
the form over in the session, but there the session's row would hold the form's secrets in the clear.
"""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from django import forms
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

FRESH_FOR_S = 15 * 60


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person gave their password within the last 15 minutes, at sign-in or here."""
    records = get_authentication_records(request, request.user)
    newest = max((record["at"] for record in records if record.get("method") == "password"), default=0.0)
    return bool(time.time() - newest < FRESH_FOR_S)


class ConfirmedForm(forms.Form):
    """A form that asks for the person's password unless they gave it lately. Once it was right it is not asked again,
    also when another field is at fault."""

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

    @sensitive_variables()
    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        # Also counts failures, and refuses for a while after too many.
        if not get_adapter(self.request).reauthenticate(self.request.user, password):
            raise forms.ValidationError("This is not your password.")
        reauthenticate_by_password(self.request)
        return ""
