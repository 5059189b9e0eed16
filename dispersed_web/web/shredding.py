"""Destroying every stored secret of one team, for good: the operator's act, at the command line."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from dispersed_web.credentials import sealed
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.events.models import Audience
from dispersed_web.events.record import record
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.notifications.models import Channel
from dispersed_web.teams.keeping import OPERATOR
from dispersed_web.teams.models import Team


class RunningJobs(Exception):
    """Jobs of the team have not ended, and without its keys nobody here could stop them."""


def shred(team: Team, now: dt.datetime, *, force: bool = False) -> dict[str, int]:
    """Destroys them; how many there were, by column. Raises :class:`RunningJobs` unless ``force``.

    With the event the keys are out of use at once; then each table is a transaction of its own: broken off, it goes on when
    it is called again. The rows stay, so that jobs, costs and events do.
    """
    running = Job.objects.filter(team=team).exclude(status__in=ENDED).count()
    if running and not force:
        many = "1 job has" if running == 1 else f"{running} jobs have"
        raise RunningJobs(
            f"{many} not ended, and could not be stopped from here any more. Stop them first, or add --force."
        )
    with transaction.atomic():
        Credential.objects.filter(team=team).update(state=CredentialState.GONE)
        Channel.objects.filter(team=team).update(active=False)
        _record(team, running, now)
    return sealed.destroy(team.pk)


def _record(team: Team, running: int, now: dt.datetime) -> None:
    left = "1 job that had" if running == 1 else f"{running} jobs that had"
    cannot = f" {left} not ended cannot be stopped from here any more." if running else ""
    sentence = f"{OPERATOR.label} destroyed all stored secrets of the team.{cannot}"
    subject, data = ("team", team.pk), {"running_jobs": running}
    record(
        team.pk,
        OPERATOR,
        "team.shredded",
        subject,
        sentence,
        now=now,
        data=data,
        audience=Audience.ADMINS,
    )
