"""Saving a filling of the launch form under a name."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.jobs.models import Preset
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.typed import typed_of

MOST = 50


class PresetForm(forms.Form):
    """A name, unique among the person's presets of the team; the same name saves over the old one where
    ``replaces`` is set, as it is when the form's filling is saved again."""

    preset_name = forms.CharField(
        label="Name of the preset",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "My training box"}),
    )
    preset_usual = forms.BooleanField(label="This is my usual", required=False)

    def __init__(self, data: Any = None, *, user: User, team: Team, preset: Preset | None = None) -> None:
        super().__init__(data)
        self.user, self.team, self.preset = user, team, preset

    def mine(self) -> Any:
        return Preset.objects.filter(user=self.user, team=self.team)

    def clean_preset_name(self) -> str:
        name: str = self.cleaned_data["preset_name"]
        if not name.isprintable():
            raise ValidationError("Write the name on one line.")
        others = self.mine().exclude(pk=self.preset.pk) if self.preset else self.mine()
        if others.filter(name=name).exists():
            raise ValidationError("You have a preset of this name. Choose another, or delete that one first.")
        if self.preset is None and self.mine().count() >= MOST:
            raise ValidationError(f"You have {MOST} presets in this team, the most there can be. Delete one.")
        return name


@sensitive_variables()
def save_preset(asked: PresetForm, sent: LaunchForm, recipe: Recipe | None, now: dt.datetime) -> Preset:
    """Stores what stands in the form, without secrets."""
    typed = typed_of(sent)
    preset = Preset(
        user=asked.user,
        team=asked.team,
        name=asked.cleaned_data["preset_name"],
        recipe=recipe,
        values={**typed.values, "env": typed.env},
        answers=typed.answers,
        is_usual=asked.cleaned_data["preset_usual"],
        created_at=now,
    )
    with transaction.atomic():
        if preset.is_usual:
            asked.mine().update(is_usual=False)
        preset.save(force_insert=True)
    return preset
