"""The form with which the choices of a running job are changed."""

from __future__ import annotations

from typing import Any

from django import forms

from dispersed_web.autostop import choices
from dispersed_web.dispersed import PERSISTENT
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.launch import StopChoices
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import AutostopPolicy
from dispersed_web.web.forms.stop_choices import OF_USE, StopChoiceFields, choices_of, initial_of


class JobChoicesForm(StopChoiceFields):
    """``limits_version`` is the version of the job's limits that the person saw."""

    limits_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, job: Job) -> None:
        initial = initial_of(choices.of(job)) | {"limits_version": job.limits_version}
        super().__init__(data, initial=initial)
        self.job = job
        self.policy = AutostopPolicy.of(job.team_id)
        self.show_bounds(self.policy)
        if job.task != PERSISTENT:
            for name in OF_USE:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        self.blame_choices(self.policy)
        return data

    def choices(self) -> StopChoices:
        """What the valid form asks for; what a BATCH job does not have stays as it is."""
        return choices_of(initial_of(choices.of(self.job)) | self.cleaned_data)

    def blame(self, error: JobError) -> None:
        self.add_error(error.field if error.field in self.fields else None, error.sentence)

    def seen(self, job: Job) -> None:
        """The person was told of the limits as ``job`` has them now; what they typed stays."""
        self.data = self.data.copy()
        self.data["limits_version"] = str(job.limits_version)
