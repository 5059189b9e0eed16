"""Forms about who belongs to a team: inviting somebody, and what becomes of the jobs of somebody who goes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings

from dispersed_web.accounts.models import User
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.removal import MEANWHILE
from dispersed_web.notifications import letter
from dispersed_web.teams import invitations
from dispersed_web.teams.invitations import roles_to_give
from dispersed_web.teams.roles import Role
from dispersed_web.web.forms.confirm import ConfirmedForm
from dispersed_web.web.forms.team import ROLE_WORDS

STOP = "stop"
BY_MAIL, BY_LINK = "mail", "link"
PRINTED = "No mail server is set up here: an e-mail is only printed in the server's log."


class InviteForm(ConfirmedForm):
    """Whom to invite, as what, and whether the link goes to their address or is shown to the sender."""

    email = forms.EmailField(
        label="E-mail address",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@example.org"}),
        help_text="Only somebody who signs in with this address can accept.",
    )
    role = forms.ChoiceField(widget=forms.RadioSelect, initial=Role.MEMBER)
    way = forms.ChoiceField(
        label="The link",
        widget=forms.RadioSelect,
        choices=[
            (BY_MAIL, "Goes to the address by e-mail"),
            (BY_LINK, "Is shown to you once, and you pass it on"),
        ],
        initial=BY_MAIL,
    )
    field_order = ("email", "role", "way", "password")

    def __init__(self, *args: Any, actor_role: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(one.value, ROLE_WORDS[one]) for one in roles_to_give(actor_role)]
        if not invitations.may_mail():
            way = self.fields["way"]
            way.choices = [choice for choice in way.choices if choice[0] == BY_LINK]
            way.initial, way.help_text = BY_LINK, invitations.NO_MAIL
        elif settings.EMAIL_BACKEND == letter.AS_TEXT_ONLY:
            self.fields["way"].initial, self.fields["way"].help_text = BY_LINK, PRINTED

    @property
    def by_mail(self) -> bool:
        return bool(self.cleaned_data["way"] == BY_MAIL)


class DepartureForm(ConfirmedForm):
    """What becomes of each running job of somebody who goes: one choice for all, and another one for some. ``by_id``: the
    reader may not know their titles."""

    def __init__(
        self,
        *args: Any,
        jobs: Sequence[Job],
        heirs: Sequence[User],
        may_stop: bool,
        by_id: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._jobs = jobs
        self._heirs = {str(user.pk): user for user in heirs}
        choices = [(pk, f"Hand over to {user}") for pk, user in self._heirs.items()]
        choices += [(STOP, "Stop")] if may_stop else []
        if jobs:
            self.fields["all"] = forms.ChoiceField(
                label="Their running jobs", choices=[("", "Choose what becomes of them"), *choices]
            )
        for job in jobs:
            label = f"What becomes of {job.pk if by_id else job.title}"
            self.fields[name_of(job)] = forms.ChoiceField(
                label=label,
                required=False,
                choices=[("", "As for all"), *choices],
                widget=forms.Select(attrs={"aria-label": label}),
            )
        self.order_fields(["all", *(name_of(job) for job in jobs), "password"])

    def clean(self) -> dict[str, Any]:
        """A job that the page did not show was decided on by nobody."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if any(name_of(job) not in self.data for job in self._jobs):
            raise forms.ValidationError(MEANWHILE)
        return data

    @property
    def fates(self) -> dict[uuid.UUID, User | None]:
        """For each job who takes it, or ``None`` to stop it."""
        data = self.cleaned_data
        chosen = {job.pk: data[name_of(job)] or data["all"] for job in self._jobs}
        return {pk: self._heirs.get(choice) for pk, choice in chosen.items()}


def name_of(job: Job) -> str:
    """The field of one job."""
    return f"job-{job.pk}"
