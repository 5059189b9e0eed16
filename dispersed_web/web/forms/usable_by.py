"""Who may launch with a credential, or with a secret of the team: the two fields that ask it."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms

from dispersed_web.credentials.models import UsableBy
from dispersed_web.teams.models import Membership

WORDS = [
    (UsableBy.MEMBERS, "Every member who may launch"),
    (UsableBy.ADMINS, "Admins and owners"),
    (UsableBy.CHOSEN, "Chosen members"),
]


class UsableByField(forms.ChoiceField):
    """Every member, admins, or those of the field beside it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label="Who may launch with it", choices=WORDS, widget=forms.RadioSelect, **kwargs)


class ChosenMembersField(forms.TypedMultipleChoiceField):
    """Members by their user's id. :meth:`offer` says which team's."""

    def __init__(self) -> None:
        super().__init__(
            label="Chosen members",
            required=False,
            coerce=int,
            widget=forms.CheckboxSelectMultiple,
            help_text="They count where it is for chosen members. Being chosen gives a viewer no right to launch.",
        )

    def offer(self, team_id: uuid.UUID) -> None:
        """The people of the team by name; programs with a token of the team are not among them."""
        people = Membership.objects.filter(team=team_id, user__is_service=False).select_related("user")
        self.choices = sorted(
            ((one.user_id, str(one.user)) for one in people), key=lambda pair: pair[1].lower()
        )
