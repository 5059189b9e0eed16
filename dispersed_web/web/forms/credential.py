"""Forms for a team's key pairs. Whatever is typed as a key is never sent back to the browser."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone

from dispersed_web.web.forms.confirm import ConfirmedForm

NOT_KEPT = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "class": "mono"}


class NoSecretInput(forms.TextInput):
    """Does not send back a secret key that was typed into the wrong field."""

    def format_value(self, value: Any) -> str | None:
        return None if "sk_" in str(value or "") else super().format_value(value)


class KeysForm(ConfirmedForm):
    """A new pair for a credential."""

    public_key = forms.CharField(
        max_length=200,
        widget=NoSecretInput(attrs={**NOT_KEPT, "placeholder": "pk_…"}),
        help_text="It names the key in every request and is no secret.",
    )
    secret_key = forms.CharField(
        max_length=400,
        widget=forms.PasswordInput(attrs={**NOT_KEPT, "placeholder": "sk_…"}),
        help_text="Stored encrypted. Nobody can read it here again, you neither.",
    )
    expires_on = forms.DateField(
        label="The key expires on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="If you set a date when you made the key. No job is launched that could outlive it.",
    )
    field_order = ("public_key", "secret_key", "expires_on", "password")

    def clean_expires_on(self) -> dt.date | None:
        day = self.cleaned_data["expires_on"]
        if day and day <= timezone.localdate():
            raise forms.ValidationError("The key must be valid beyond today.")
        return day

    @property
    def pair(self) -> tuple[str, str]:
        """The public and the secret key."""
        return self.cleaned_data["public_key"], self.cleaned_data["secret_key"]

    @property
    def expires_at(self) -> dt.datetime | None:
        """The start of the day, in the reader's zone: the cautious reading of a date without a time."""
        day = self.cleaned_data["expires_on"]
        return day and timezone.make_aware(dt.datetime.combine(day, dt.time.min))


class CredentialForm(KeysForm):
    """A pair under a new name."""

    name = forms.CharField(
        max_length=60,
        widget=NoSecretInput(attrs={"autocomplete": "off", "placeholder": "Lab account"}),
        help_text="What your team calls it, for example after the account or the project that pays.",
    )
    field_order = ("name", *KeysForm.field_order)

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if "sk_" in name:
            raise forms.ValidationError(
                "This looks like a secret key. It belongs into the field of that name."
            )
        return str(name)
