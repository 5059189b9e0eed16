"""The time zone that a new person's browser has, so that times are theirs from the beginning."""

from __future__ import annotations

from typing import Any

from django import forms

from dispersed_web.accounts.models import validate_time_zone

NO_ZONE = "UTC"


class BrowserZoneField(forms.CharField):
    """Filled by the browser and seen by nobody; what is no zone, or nothing without JavaScript, is UTC."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput(attrs={"data-time-zone": True}))

    def clean(self, value: Any) -> str:
        name = str(value or "")
        try:
            validate_time_zone(name)
        except forms.ValidationError:
            return NO_ZONE
        return name
