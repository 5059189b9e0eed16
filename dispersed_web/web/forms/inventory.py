"""What is asked before an unmanaged job is adopted or stopped."""

from __future__ import annotations

from typing import Any

from django import forms

from dispersed_web.accounts.models import User
from dispersed_web.jobs.inventory import SHORTEST_S, typed_for
from dispersed_web.jobs.models import UnmanagedJob
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Role
from dispersed_web.web import words
from dispersed_web.web.forms.fields import DurationField


class ConfirmedByTyping(forms.Form):
    """Another installation's job is acted on only after the end of its id was typed: nobody does that by mistake."""

    confirm = forms.CharField(
        label="Confirm",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "class": "mono"}),
    )

    def __init__(self, *args: Any, row: UnmanagedJob, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wanted = typed_for(row)
        if not wanted:
            del self.fields["confirm"]
            return
        self.fields["confirm"].help_text = f"Type {wanted}, the end of its id."
        self.fields["confirm"].error_messages["required"] = (
            f"Type {wanted} to confirm that you mean this job."
        )


class StopUnmanagedForm(ConfirmedByTyping):
    note = forms.CharField(
        label="Reason", required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    field_order = ("note", "confirm")


class AdoptForm(ConfirmedByTyping):
    """Who answers for the job, and for how long from now it may run."""

    owner = forms.ModelChoiceField(
        User.objects.none(),
        label="Who answers for it",
        empty_label=None,
        help_text="Is warned and asked about it.",
    )
    lifetime = DurationField(label="Stop after")
    field_order = ("owner", "lifetime", "confirm")

    def __init__(self, *args: Any, row: UnmanagedJob, team: Team, user: User, **kwargs: Any) -> None:
        initial = {"owner": user.pk, "lifetime": team.default_lifetime_s}
        super().__init__(*args, row=row, initial=initial, **kwargs)
        self.team = team
        members = User.objects.filter(memberships__team=team, is_active=True, is_service=False)
        self.fields["owner"].queryset = members.exclude(memberships__in=_viewers(team)).order_by(
            "name", "email"
        )
        longest = words.round_duration(team.max_lifetime_s)
        self.fields[
            "lifetime"
        ].help_text = f"From now, such as 8h. At most {longest}; it can be extended later."

    def clean_lifetime(self) -> int:
        seconds: int = self.cleaned_data["lifetime"]
        if not SHORTEST_S <= seconds <= self.team.max_lifetime_s:
            longest = words.round_duration(self.team.max_lifetime_s)
            raise forms.ValidationError(f"Between 1 minute and {longest}, the team's bound.")
        return seconds


def _viewers(team: Team):  # noqa: ANN202
    return team.memberships.filter(role=Role.VIEWER)
