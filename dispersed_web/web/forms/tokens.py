"""Forms for API tokens: a person's own, and the team's."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from dispersed_web.accounts.models import User
from dispersed_web.teams.models import Membership, Team
from dispersed_web.teams.roles import Action, Role, may, rank_at_least
from dispersed_web.web.forms.confirm import ConfirmedForm

READ = ("read", "Read jobs and costs")
OPERATE = ("operate", "Read, launch, extend and stop jobs")
ADMIN = ("admin", "Do what admins do, such as changing the auto-stop policy")


class NewTokenForm(ConfirmedForm):
    """What every token needs. Offers the scope of admins where it may be given."""

    name = forms.CharField(
        label="What is it for?",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Nightly training"}),
    )
    scope = forms.ChoiceField(
        label="It may", choices=[READ, OPERATE], initial="read", widget=forms.RadioSelect
    )
    days = forms.TypedChoiceField(
        label="Valid for",
        choices=[(7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "A year")],
        coerce=int,
        initial=90,
    )
    field_order = ("name", "team", "scope", "days", "password")

    def __init__(self, *args: Any, administers: bool, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="token_%s", **kwargs)
        if administers:
            self.fields["scope"].choices = [READ, OPERATE, ADMIN]

    @property
    def lifetime(self) -> dt.timedelta:
        return dt.timedelta(days=self.cleaned_data["days"])


class TokenForm(NewTokenForm):
    """A new API token for one of the person's teams."""

    team = forms.ModelChoiceField(Team.objects.none(), to_field_name="slug", empty_label=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        user = kwargs["request"].user
        seats = Membership.objects.filter(user=user).values_list("role", flat=True)
        super().__init__(*args, administers=any(rank_at_least(role, Role.ADMIN) for role in seats), **kwargs)
        self.fields["team"].queryset = teams_for_tokens(user)


class TeamTokenForm(NewTokenForm):
    """A new API token of the team, made by one of its admins."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, administers=True, **kwargs)


def teams_for_tokens(user: User) -> Any:
    """The teams in which the person's role allows API tokens."""
    seats = Membership.objects.filter(user=user, team__deleted_at=None).values_list("team", "role")
    return Team.objects.filter(
        pk__in=[team for team, role in seats if may(role, Action.MAKE_TOKENS)]
    ).order_by("name")
