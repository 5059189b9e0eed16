"""Forms for what people keep with a job: title, owner, notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from dispersed_web.accounts.models import User
from dispersed_web.jobs.keeping import LONGEST_TITLE


class RenameForm(forms.Form):
    title = forms.CharField(
        max_length=LONGEST_TITLE,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )


class HandOverForm(forms.Form):
    """Who takes the job, among those who may."""

    to = forms.TypedChoiceField(label="New owner", coerce=int)

    def __init__(self, *args: Any, candidates: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people = {user.pk: user for user in candidates}
        people = [
            (pk, f"{user} ({user.email})" if user.name else str(user)) for pk, user in self._people.items()
        ]
        self.fields["to"].choices = [("", "Choose a member"), *people]

    @property
    def person(self) -> User:
        return self._people[self.cleaned_data["to"]]


class SettleForm(forms.Form):
    """Whoever says that a job does not run has looked."""

    looked = forms.BooleanField(
        label="I looked there, and it does not run",
        error_messages={"required": "Tick this once you have looked."},
    )


class NotesForm(forms.Form):
    """The notes as typed, and which ones the writer saw."""

    notes = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "class": "notes-input"}),
        help_text="Markdown: **bold**, lists, `code`, links. The whole team reads them, so no passwords.",
    )
    seen = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
