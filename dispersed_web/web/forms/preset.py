"""Saving a filling of the launch form under a name."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.jobs import presets
from dispersed_web.jobs.errors import PresetRefused
from dispersed_web.jobs.models import Preset
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.typed import typed_of


class PresetForm(forms.Form):
    """A name, unique among the person's presets of the team, and whether it is their usual one."""

    preset_name = forms.CharField(
        label="Name of the preset",
        max_length=presets.LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "My training box"}),
    )
    preset_usual = forms.BooleanField(label="This is my usual", required=False)

    def __init__(self, data: Any = None, *, user: User, team: Team, preset: Preset | None = None) -> None:
        super().__init__(data)
        self.user, self.team, self.preset = user, team, preset

    def clean_preset_name(self) -> str:
        try:
            return presets.check_name(self.cleaned_data["preset_name"], self.user, self.team, self.preset)
        except PresetRefused as refusal:
            raise ValidationError(refusal.sentence) from None


@sensitive_variables()
def save_preset(asked: PresetForm, sent: LaunchForm, recipe: Recipe | None, now: dt.datetime) -> Preset:
    """Stores what stands in the form, without secrets. Raises :class:`PresetRefused` where another one took the name
    meanwhile."""
    typed = typed_of(sent)
    return presets.save(
        asked.user,
        asked.team,
        name=asked.cleaned_data["preset_name"],
        recipe=recipe,
        values={**typed.values, "env": typed.env},
        answers=typed.answers,
        is_usual=asked.cleaned_data["preset_usual"],
        now=now,
    )
