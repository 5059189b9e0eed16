"""Forms of a team's settings: its name, its rule for second factors, its end."""

from __future__ import annotations

from typing import Any

from django import forms

from dispersed_web.teams.about import LONGEST_NAME
from dispersed_web.teams.models import Team
from dispersed_web.web.forms.confirm import ConfirmedForm


class RenameTeamForm(forms.Form):
    name = forms.CharField(
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="The addresses of the team's pages stay as they are.",
    )


class FactorRuleForm(ConfirmedForm):
    require_mfa = forms.BooleanField(
        label="Members need a second factor",
        required=False,
        help_text="Without one they reach no page of the team.",
    )
    field_order = ("require_mfa", "password")


class DeleteTeamForm(ConfirmedForm):
    """Asks for the team's name, so that nobody deletes it by one click too many."""

    name = forms.CharField(
        label="Name of the team",
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name", "password")

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = f"Type {team.name}"
