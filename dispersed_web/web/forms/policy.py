"""The form of a team's auto-stop policy: each field named as in :data:`dispersed_web.autostop.keeping.FIELDS`, but for
the weekly stops, which are rows, and the enforcement, which is a choice of three."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.http import HttpRequest
from django.utils import timezone

from dispersed_web.autostop import keeping, schedule
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import AutostopPolicy
from dispersed_web.web.forms.amounts import UsdField
from dispersed_web.web.forms.confirm import ConfirmedForm
from dispersed_web.web.forms.team import SpanField

DAYS = [(str(number), name) for number, name in enumerate(schedule.WEEKDAYS)]
ENFORCE, UNTIL, OBSERVE = "enforce", "until", "observe"
MODES = [(ENFORCE, "Enforce"), (UNTIL, "Only note, until"), (OBSERVE, "Only note, until somebody enforces")]
MOMENT = "%Y-%m-%dT%H:%M"
STOPS = "stops"


class StopRow(forms.Form):
    """One minute of the day on some weekdays; an empty row is none."""

    weekdays = forms.MultipleChoiceField(
        label="Days",
        required=False,
        choices=DAYS,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "inline"}),
    )
    at = forms.TimeField(
        label="At",
        required=False,
        input_formats=["%H:%M", "%H:%M:%S"],
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time", "autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors and bool(data.get("weekdays")) != (data.get("at") is not None):
            missing, sentence = (
                ("at", "At what time?") if data.get("weekdays") else ("weekdays", "On which days?")
            )
            raise forms.ValidationError({missing: sentence})
        return data


class StopRows(BaseFormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = "Remove"

    def stops(self) -> list[dict[str, Any]]:
        """The filled rows as a schedule stores them."""
        return [
            {"weekdays": sorted(int(day) for day in row["weekdays"]), "at": f"{row['at']:%H:%M}"}
            for row in (getattr(form, "cleaned_data", {}) for form in self.forms)
            if row.get("weekdays") and row.get("at") is not None and not row.get("DELETE")
        ]


StopFormSet = formset_factory(
    StopRow,
    formset=StopRows,
    extra=1,
    can_delete=True,
    max_num=keeping.MOST_STOP_TIMES,
    absolute_max=keeping.MOST_STOP_TIMES + 1,
    validate_max=True,
)


class PolicyForm(ConfirmedForm):
    """``trying`` asks for no password: nothing is saved."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    mode = forms.ChoiceField(label="Stops for idleness", choices=MODES, widget=forms.RadioSelect)
    observe_until = forms.DateTimeField(
        label="Until",
        required=False,
        input_formats=[MOMENT, f"{MOMENT}:%S"],
        widget=forms.DateTimeInput(format=MOMENT, attrs={"type": "datetime-local", "autocomplete": "off"}),
    )
    high_idle_s = SpanField(label="Stop after")
    high_idle_max_s = SpanField(label="Longest allowed")
    high_lead_s = SpanField(label="Warn before")
    medium_idle_s = SpanField(label="Stop after")
    medium_idle_max_s = SpanField(label="Longest allowed")
    medium_lead_s = SpanField(label="Warn before")
    boot_grace_s = SpanField(
        label="Not idle in the first", help_text="After each start of a run: fetching data is no idleness."
    )
    checkin_first_s = SpanField(label="First after")
    checkin_every_s = SpanField(label="Then every")
    checkin_every_max_s = SpanField(
        label="Longest allowed", help_text="What a job may choose instead, at most."
    )
    checkin_answer_s = SpanField(label="Time to answer", help_text="Without an answer by then the job stops.")
    zone = forms.CharField(
        label="Time zone",
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
        help_text="Of the weekly stops, and of the days and months of budgets.",
    )
    team_day_usd = UsdField(label="Team per day", required=False)
    team_month_usd = UsdField(label="Team per month", required=False)
    member_day_usd = UsdField(label="Member per day", required=False)
    member_month_usd = UsdField(label="Member per month", required=False)
    budget_stops = forms.BooleanField(label="A used-up budget stops running jobs, too", required=False)

    def __init__(
        self, data: Any = None, *, request: HttpRequest, row: AutostopPolicy, trying: bool = False
    ) -> None:
        super().__init__(data, request=request, initial=_initial(row))
        self.row = row
        stops = row.schedule["stops"] if row.schedule and data is None else []
        # With what is stored beside it, Django would take a typed row that is the same for an empty one.
        self.stops = StopFormSet(data, prefix=STOPS, initial=[_row(stop) for stop in stops])
        self.not_asked = self.fields.pop("password", None) if trying else None

    def is_valid(self) -> bool:
        """The weekly stops are part of the form. Whoever tried it may save it next, with their password."""
        is_valid = self.stops.is_valid() & super().is_valid()
        if self.not_asked is not None:
            self.fields["password"] = self.not_asked
        return is_valid

    def clean_observe_until(self) -> dt.datetime | None:
        """A page knows minutes only: what was left as it stood is what is stored."""
        until, stored = self.cleaned_data["observe_until"], self.row.observe_until
        if until is not None and stored is not None and until == stored.replace(second=0, microsecond=0):
            return stored
        return until

    def clean_zone(self) -> str:
        return self.cleaned_data["zone"].strip().replace(" ", "_")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if (
            data.get("mode") == UNTIL
            and data.get("observe_until") is None
            and "observe_until" not in self.errors
        ):
            self.add_error("observe_until", "Until when?")
        if self.errors or not self.stops.is_valid():
            return data
        try:
            keeping.check(self.values(), self.changes(), timezone.now())
        except TeamRefused as refused:
            self.blame(refused)
        return data

    def blame(self, refused: TeamRefused) -> None:
        """Shows why the domain refused, beside the field at fault or above the form."""
        place = {"schedule": "zone"}.get(refused.field, refused.field)
        self.add_error(place if place in self.fields else None, refused.sentence)

    def values(self) -> dict[str, Any]:
        """What the valid form asks for, of all of the policy's fields."""
        data = self.cleaned_data
        observes = data["mode"] != ENFORCE
        values = {name: data[name] for name in keeping.FIELDS if name in data}
        values["mode"] = AutostopPolicy.Mode.OBSERVE if observes else AutostopPolicy.Mode.ENFORCE
        values["observe_until"] = data["observe_until"] if data["mode"] == UNTIL else None
        stops = self.stops.stops()
        values["schedule"] = {"zone": data["zone"], "stops": stops} if stops else None
        return values

    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self.values().items() if getattr(self.row, name) != value}

    def draft(self) -> AutostopPolicy:
        """The policy as it would be; not saved."""
        return AutostopPolicy(team_id=self.row.team_id, **self.values())

    def seen(self, row: AutostopPolicy) -> None:
        """The person was told of the policy as ``row`` has it; what they typed stays."""
        self.data = self.data.copy()
        self.data["version"] = str(row.version)


def _initial(row: AutostopPolicy) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in keeping.FIELDS if name != "schedule"}
    now, until = timezone.now(), row.observe_until
    if row.mode == AutostopPolicy.Mode.OBSERVE:
        values["mode"] = OBSERVE if until is None else UNTIL if until > now else ENFORCE
    if until is None or until <= now:
        values["observe_until"] = now + dt.timedelta(days=7)
    values["zone"] = row.schedule["zone"] if row.schedule else str(timezone.get_current_timezone())
    return values | {"version": row.version}


def _row(stop: dict[str, Any]) -> dict[str, Any]:
    return {"weekdays": [str(day) for day in stop["weekdays"]], "at": dt.time.fromisoformat(stop["at"])}
