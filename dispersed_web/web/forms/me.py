"""Forms for one's own account."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any, ClassVar

from django import forms

from dispersed_web.accounts.models import User, validate_time_zone
from dispersed_web.teams.models import Membership, Team
from dispersed_web.teams.roles import Action, may
from dispersed_web.web.forms.confirm import ConfirmedForm


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


class TokenForm(ConfirmedForm):
    """A new API token for one of the person's teams."""

    name = forms.CharField(
        label="What is it for?",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Nightly training"}),
    )
    team = forms.ModelChoiceField(Team.objects.none(), to_field_name="slug", empty_label=None)
    scope = forms.ChoiceField(
        label="It may",
        choices=[("read", "Read jobs and costs"), ("operate", "Read, launch, extend and stop jobs")],
        initial="read",
        widget=forms.RadioSelect,
    )
    days = forms.TypedChoiceField(
        label="Valid for",
        choices=[(7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "A year")],
        coerce=int,
        initial=90,
    )
    field_order = ("name", "team", "scope", "days", "password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # It shares its page with the profile, which has a name too.
        super().__init__(*args, auto_id="token_%s", **kwargs)
        self.fields["team"].queryset = teams_for_tokens(self.request.user)

    @property
    def lifetime(self) -> dt.timedelta:
        return dt.timedelta(days=self.cleaned_data["days"])


def teams_for_tokens(user: User) -> Any:
    """The teams in which the person's role allows API tokens."""
    seats = Membership.objects.filter(user=user).values_list("team", "role")
    return Team.objects.filter(
        pk__in=[team for team, role in seats if may(role, Action.MAKE_TOKENS)]
    ).order_by("name")
