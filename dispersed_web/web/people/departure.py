"""What stands on the page on which somebody goes: their running jobs with what they cost, and who may take them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from dispersed_web import tasks
from dispersed_web.accounts.models import User
from dispersed_web.events.record import Actor
from dispersed_web.jobs import removal
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.jobs.states import Status
from dispersed_web.teams.models import Team
from dispersed_web.web import words
from dispersed_web.web.forms.team_people import DepartureForm, name_of


@dataclass(frozen=True)
class Going:
    """Somebody who is about to go, and what has to be decided first."""

    team: Team
    person: User
    jobs: Sequence[Job]
    heirs: Sequence[User]
    may_stop: bool
    by_id: bool = False

    def form(self, request: HttpRequest) -> DepartureForm:
        return DepartureForm(
            request.POST if request.method == "POST" else None,
            request=request,
            jobs=self.jobs,
            heirs=self.heirs,
            may_stop=self.may_stop,
            by_id=self.by_id,
        )

    def context(self, form: DepartureForm, now: dt.datetime) -> dict[str, Any]:
        """For ``team/_departure.html``."""
        rates = [job.hourly_rate_usd for job in self.jobs if job.hourly_rate_usd is not None]
        rest = Job.objects.filter(team=self.team, owner=self.person).exclude(status__in=ENDED)
        statuses = list(rest.values_list("status", flat=True))
        unsent = statuses.count(Status.QUEUED)
        return {
            "team": self.team,
            "person": self.person,
            "form": form,
            "plain": self.by_id,
            "rows": [_row(job, form, now) for job in self.jobs],
            "rate": words.rate(sum(rates, Decimal(0))) if rates else "",
            "unsent": unsent,
            "ending": len(statuses) - unsent - len(self.jobs),
        }


def going(team: Team, person: User, *, may_stop: bool, from_outside: bool = False) -> Going:
    """The person with the jobs that run now. Whoever acts ``from_outside`` hands them to owners, and knows their ids
    alone."""
    return Going(
        team,
        person,
        list(removal.undecided(team, person)),
        removal.heirs(team, person, owners_only=from_outside),
        may_stop,
        by_id=from_outside,
    )


def carry_out(
    who: Going, form: DepartureForm, *, actor: Actor, now: dt.datetime, from_outside: bool = False
) -> removal.Removed:
    """As ``removal.remove``, and lets the stops go out at once."""
    done = removal.remove(who.team, who.person, form.fates, actor=actor, now=now, from_outside=from_outside)
    for job_id in done.stopped:
        tasks.nudge(tasks.pursue_stop, job_id)
    return done


def outcome(done: removal.Removed) -> str:
    """What became of the jobs, as a sentence; empty where there were none."""
    parts = []
    if done.handed_over:
        parts.append(f"{done.handed_over} {'job was' if done.handed_over == 1 else 'jobs were'} handed over")
    if done.stopped:
        parts.append(f"{len(done.stopped)} {'is' if len(done.stopped) == 1 else 'are'} being stopped")
    return f" {', '.join(parts).capitalize()}." if parts else ""


def _row(job: Job, form: DepartureForm, now: dt.datetime) -> dict[str, Any]:
    cost = job.meter.read(now)
    return {
        "job": job,
        "field": form[name_of(job)],
        "age": words.duration(now - job.created_at),
        "rate": words.rate(job.hourly_rate_usd) if job.hourly_rate_usd is not None else "",
        "cost": words.running_cost(cost) if cost is not None else "",
    }
