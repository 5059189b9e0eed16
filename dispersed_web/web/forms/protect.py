"""Protecting a job from stops for idleness: until when, and why. Presets are moments of the reader's week."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from dispersed_web import local_time

OTHER = "other"
FRIDAY = 4
# A moment so near is no protection worth the name.
TOO_NEAR = dt.timedelta(minutes=30)
SAY_WHEN = "Say until when: a date and a time."


@dataclass(frozen=True, slots=True)
class Preset:
    """A moment that can be chosen with one press."""

    at: dt.datetime
    label: str


def presets(now: dt.datetime, zone: dt.tzinfo, longest: dt.timedelta) -> list[Preset]:
    """Tonight 20:00, tomorrow 9:00 and Friday 18:00 in ``zone``, those of them that are still to come and allowed."""
    today = now.astimezone(zone).date()
    to_friday = (FRIDAY - today.weekday()) % 7
    friday = _moment(today + dt.timedelta(days=to_friday), 18, zone)
    if friday - now < TOO_NEAR:
        friday = _moment(today + dt.timedelta(days=to_friday + 7), 18, zone)
    found = [
        Preset(_moment(today, 20, zone), "Tonight 20:00"),
        Preset(_moment(today + dt.timedelta(days=1), 9, zone), "Tomorrow 9:00"),
        Preset(friday, "Today 18:00" if friday.astimezone(zone).date() == today else "Friday 18:00"),
    ]
    return [one for one in found if TOO_NEAR <= one.at - now <= longest]


def _moment(date: dt.date, hour: int, zone: dt.tzinfo) -> dt.datetime:
    return local_time.instant(str(zone), date, dt.time(hour))


class ProtectForm(forms.Form):
    """Cleaned, ``moment`` is the aware time until which the job is protected."""

    when = forms.ChoiceField(label="Until", widget=forms.RadioSelect)
    until = forms.CharField(
        label="Date and time",
        required=False,
        widget=forms.TextInput(attrs={"type": "datetime-local", "class": "extend-moment"}),
    )
    reason = forms.CharField(
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Everybody in the team sees it.",
        error_messages={"required": "Say why the job must not be stopped."},
    )

    def __init__(
        self, *args: Any, now: dt.datetime, zone: dt.tzinfo, longest: dt.timedelta, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        choices = [(one.at.isoformat(), one.label) for one in presets(now, zone, longest)]
        when = self.fields["when"]
        when.choices = [*choices, *self._chosen_before(choices), (OTHER, "Another moment")]
        when.initial = when.choices[0][0]
        self.fields["until"].widget.attrs["max"] = f"{(now + longest).astimezone(zone):%Y-%m-%dT%H:%M}"
        self.fields["until"].help_text = f"In your time zone, {zone}."

    def _chosen_before(self, choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """A preset that was offered when the form was opened, but not any more: it means the same moment still."""
        value = self.data.get(self.add_prefix("when"), "")
        try:
            at = dt.datetime.fromisoformat(value)
        except ValueError:
            return []
        if at.tzinfo is None or value in dict(choices):
            return []
        return [(value, f"{at.astimezone(self.zone):%A %H:%M}")]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "when" not in data:
            return data
        if data["when"] != OTHER:
            data["moment"] = dt.datetime.fromisoformat(data["when"])
            return data
        try:
            until = dt.datetime.fromisoformat(data.get("until", ""))
            until = until.replace(tzinfo=self.zone) if until.tzinfo is None else until
            data["moment"] = until.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            self.add_error("until", ValidationError(SAY_WHEN))
        return data
