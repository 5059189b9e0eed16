"""The form of the first account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.html import format_html
from django.views.decorators.debug import sensitive_variables

from dispersed_web import commands
from dispersed_web.accounts.models import User
from dispersed_web.web.forms.browser_zone import BrowserZoneField


class OwnerForm(forms.Form):
    """Who owns the installation, and the code from the server's log, which is not sent back."""

    code = forms.CharField(
        label="Setup code",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "mono", "spellcheck": "false"}),
        help_text=format_html(
            "It stands in the log of the server since it started. The command <code>{}</code> prints it again.",
            commands.named("setup_code"),
        ),
    )
    email = forms.EmailField(
        label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "username"}), max_length=254
    )
    name = forms.CharField(
        label="Your name",
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="How your team sees you.",
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters.",
    )

    time_zone = BrowserZoneField()

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if password := data.get("password"):
            person = User(email=data.get("email", ""), name=data.get("name", ""))
            try:
                validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return data
