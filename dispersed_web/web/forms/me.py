"""Forms for one's own account."""

from __future__ import annotations

import zoneinfo
from typing import ClassVar

from django import forms

from dispersed_web.accounts.models import User, validate_time_zone


def time_zones() -> list[str]:
    """The zones that are offered: places, and UTC. Any other name that is known is taken too."""
    names = zoneinfo.available_timezones()
    areas = (
        "Africa/",
        "America/",
        "Antarctica/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    )
    return ["UTC", *sorted(name for name in names if name.startswith(areas))]


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("name", "time_zone")
        widgets: ClassVar = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "time_zone": forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
        }
        help_texts: ClassVar = {
            "name": "How your team sees you.",
            "time_zone": "Times on the pages and in e-mails are in this zone. Type a city to find it.",
        }

    def clean_time_zone(self) -> str:
        name = self.cleaned_data["time_zone"].strip().replace(" ", "_")
        validate_time_zone(name)
        return name
