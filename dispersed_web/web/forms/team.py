"""Forms for teams: making one, its members' roles, its limits."""

from __future__ import annotations

from typing import Any

from django import forms

from dispersed_web import durations
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Role, may_change_member
from dispersed_web.web.forms.amounts import CountField, UsdField
from dispersed_web.web.forms.confirm import ConfirmedForm

ROLE_WORDS = {
    Role.VIEWER: "Viewer: sees jobs, costs and logs",
    Role.MEMBER: "Member: also launches, extends and stops jobs",
    Role.ADMIN: "Admin: also manages members, credentials and limits",
    Role.OWNER: "Owner: also makes owners, raises the spending limit and deletes the team",
}


class NewTeamForm(forms.Form):
    name = forms.CharField(
        label="Name of the team",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Vision Lab"}),
    )


class RoleForm(ConfirmedForm):
    """Another role for a member; offers what the acting person may give."""

    role = forms.ChoiceField(widget=forms.RadioSelect)
    field_order = ("role", "password")

    def __init__(self, *args: Any, actor_role: str, member_role: str, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"role": member_role})
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [
            (role.value, words)
            for role, words in ROLE_WORDS.items()
            if may_change_member(actor_role, member_role, role)
        ]


class SpanField(forms.CharField):
    """A duration as people write it; cleans to whole seconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)
        self.widget.attrs |= {"autocomplete": "off", "inputmode": "text"}

    def prepare_value(self, value: Any) -> Any:
        return durations.write(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int:
        text = super().clean(value)
        try:
            return durations.parse(text)
        except durations.BadDuration as error:
            raise forms.ValidationError(str(error)) from None


class LimitsForm(ConfirmedForm):
    """The team's limits but the freeze, named as in :data:`dispersed_web.teams.keeping.LIMITS`."""

    default_lifetime_s = SpanField(
        label="Usual lifetime",
        help_text="What the launch form offers. A job is stopped when its lifetime ends.",
    )
    max_lifetime_s = SpanField(
        label="Longest lifetime", help_text="No launch and no extension goes beyond it."
    )
    warn_lead_s = SpanField(label="Warn before a stop", help_text="In the browser and by e-mail.")
    max_active_jobs = CountField(
        0, 100_000, label="Jobs at once", required=False, help_text="Empty: no limit."
    )
    max_hourly_usd = UsdField(
        zero=True,
        label="Spending in USD per hour",
        required=False,
        help_text="Of all jobs together, checked at launch. Empty: no limit.",
    )

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        names = [name for name in type(self).base_fields if name != "password"]
        super().__init__(*args, initial={name: getattr(team, name) for name in names}, **kwargs)

    @property
    def limits(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "password"}
