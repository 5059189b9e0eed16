"""The policy that holds for one job: the limits copied at its launch, its own choices, and its team's rows."""

from __future__ import annotations

import copy
import datetime as dt
import logging
import uuid
from collections.abc import Iterable
from dataclasses import replace

from dispersed_web.autostop import schedule
from dispersed_web.autostop.activity import ZERO
from dispersed_web.autostop.terms import CheckIn, IdleRule, Policy
from dispersed_web.jobs.models import Job, Origin
from dispersed_web.teams.models import AutostopPolicy

log = logging.getLogger(__name__)
ASSIGN_MS = START_MS = 300_000
USUAL_WARN_LEAD_S = 15 * 60  # for teams of which no warning at all was once accepted
START_MARGIN = dt.timedelta(minutes=15)


def policies_of(team_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, AutostopPolicy]:
    """Each team's policy; one that a team lacks is made."""
    wanted = set(team_ids)
    found = AutostopPolicy.objects.select_related("team").in_bulk(wanted)
    return found | {team_id: AutostopPolicy.of(team_id) for team_id in wanted - found.keys()}


def policy_of(job: Job, team: AutostopPolicy) -> Policy:
    """The limits as copied at launch, extended no further than the team allows now, the team's policy, and the job's own
    choices inside the team's bounds.

    Raises :class:`ValueError` for a limit that is nothing, or a schedule that cannot be read: a mistake, never "no
    limit".
    """
    policy = Policy(
        lifetime=_seconds(job.lifetime_s),
        ceiling=_seconds(job.ceiling_s),
        warn_lead=dt.timedelta(seconds=job.warn_lead_s or USUAL_WARN_LEAD_S),
        task=job.task,
        high=_rule(job.idle_limit_s, team.high_idle_s, team.high_idle_max_s, team.high_lead_s),
        medium=_rule(job.idle_limit_s, team.medium_idle_s, team.medium_idle_max_s, team.medium_lead_s),
        checkin=_checkin(job, team),
        boot_grace=dt.timedelta(seconds=team.boot_grace_s),
        start_limit=_start_limit(job),
        schedule=schedule.from_json(team.schedule) if team.schedule else None,
        schedule_since=_schedule_since(job, team),
        observes=team.mode == AutostopPolicy.Mode.OBSERVE,
        observe_until=team.observe_until,
        changed_at=max((at for at in (team.changed_at, job.choices_changed_at) if at), default=None),
    )
    return held_to(policy, job, team.team.max_lifetime_s)


def held_to(policy: Policy, job: Job, most_s: int | None) -> Policy:
    """The same under a longest lifetime of ``most_s``, which may have been lowered since the launch: it bounds how far the
    job is extended from now on, and takes back nothing that was granted before, so that nobody's job stops because of it."""
    if most_s is None or policy.ceiling is None or policy.lifetime is None:
        return policy
    launched_at = job.launched_at or job.created_at
    # What was adopted or found lives that long from then on.
    late = max(job.known_since - launched_at, ZERO) if job.origin != Origin.LAUNCHED else ZERO
    granted = max(policy.lifetime, job.extend_until - launched_at if job.extend_until else ZERO)
    bound = max(dt.timedelta(seconds=most_s) + late, granted)
    return replace(policy, ceiling=min(policy.ceiling, bound))


def _schedule_since(job: Job, team: AutostopPolicy) -> dt.datetime | None:
    """Stops of the schedule that passed before a job was adopted or found are not made up for."""
    came_at = None if job.origin == Origin.LAUNCHED else job.known_since
    return max((at for at in (team.schedule_changed_at, came_at) if at is not None), default=None)


def readable_policy_of(job: Job, team: AutostopPolicy) -> Policy:
    """The same, without what cannot be read: the schedule, whose time zone may be gone; then all but the lifetime."""
    try:
        return policy_of(job, team)
    except (ValueError, OverflowError) as error:
        log.error("A limit of the job %s cannot be read: %s The others hold.", job.pk, error)
    unscheduled = copy.copy(team)
    unscheduled.schedule = None
    try:
        return policy_of(job, unscheduled)
    except (ValueError, OverflowError):
        shortest = _seconds(min((limit for limit in (job.lifetime_s, job.ceiling_s) if limit), default=None))
        return Policy(lifetime=shortest, ceiling=shortest, task=job.task, observes=True)


def _rule(chosen_s: int | None, usual_s: int, most_s: int, lead_s: int) -> IdleRule:
    limit_s = min(usual_s if chosen_s is None else chosen_s, most_s)
    return IdleRule(dt.timedelta(seconds=limit_s), dt.timedelta(seconds=lead_s))


def _checkin(job: Job, team: AutostopPolicy) -> CheckIn:
    every_s = team.checkin_every_s if job.checkin_every_s is None else job.checkin_every_s
    return CheckIn(
        first=dt.timedelta(
            seconds=min(team.checkin_first_s, every_s) if job.checkin_every_s else team.checkin_first_s
        ),
        every=dt.timedelta(seconds=min(every_s, team.checkin_every_max_s)),
        answer=dt.timedelta(seconds=team.checkin_answer_s),
    )


def _start_limit(job: Job) -> dt.timedelta:
    """The cloud's own limits for finding a node and starting the container, and a margin in which it may say so."""
    whole_ms = _timeout_ms(job, "assign", ASSIGN_MS) + _timeout_ms(job, "start", START_MS)
    return dt.timedelta(milliseconds=whole_ms) + START_MARGIN


def _timeout_ms(job: Job, which: str, default: int) -> int:
    """From the annotation of a list (see ``jobs/queries.py``), or from the specification."""
    name = f"{which}_ms"
    value = getattr(job, name) if hasattr(job, name) else job.spec_value(f"max_timeout_{name}")
    return int(value) if str(value).isdecimal() else default


def _seconds(value: int | None) -> dt.timedelta | None:
    return None if value is None else dt.timedelta(seconds=value)
