"""A longest lifetime that is lowered while jobs run: nothing stops earlier, and nothing is extended beyond it."""

from __future__ import annotations

from typing import Any

import pytest

from dispersed_web.autostop import extend, facts, policy
from dispersed_web.credentials.models import CredentialCaps
from dispersed_web.events.record import Actor
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job, Origin
from dispersed_web.teams.models import Team
from tests import factories
from tests.autostop.watched import HOUR, NOW, beat, make_job, make_team, see

pytestmark = pytest.mark.django_db
DAY_S = 24 * 3600


def running(**fields: Any) -> Job:
    return make_job(make_team(), **({"lifetime_s": DAY_S, "ceiling_s": 7 * DAY_S} | fields))


def lower(job: Job, seconds: int, where: str = "team") -> None:
    if where == "team":
        Team.objects.filter(pk=job.team_id).update(
            max_lifetime_s=seconds, default_lifetime_s=min(seconds, 3600)
        )
    else:
        CredentialCaps.objects.update_or_create(
            credential=job.credential, defaults={"max_lifetime_s": seconds}
        )
    job.refresh_from_db()


def extended(job: Job, hours: int, now: Any = NOW) -> Any:
    actor = Actor.person(factories.make_member(job.team))
    try:
        return extend.extend(
            job, until=now + hours * HOUR, actor=actor, now=now, seen_version=job.limits_version
        )
    except JobError as refused:
        return refused.code


def end_of(job: Job) -> Any:
    return policy.decide(*facts.of(job, NOW), NOW).stop_at


@pytest.mark.parametrize("where", ["team", "credential"])
def test_no_job_stops_earlier(where: str) -> None:
    job = running()
    beat(job, NOW)
    before = end_of(job)
    lower(job, 3600, where)
    assert end_of(job) == before


@pytest.mark.parametrize("where", ["team", "credential"])
def test_none_is_extended_beyond_it(where: str) -> None:
    job = running()
    lower(job, 2 * DAY_S, where)
    assert extended(job, 6 * 24) == job.launched_at + 48 * HOUR
    job.refresh_from_db()
    assert extended(job, 7 * 24) == "nothing_to_extend"


@pytest.mark.parametrize("where", ["team", "credential"])
def test_what_was_granted_before_is_kept(where: str) -> None:
    job = running()
    granted = extended(job, 5 * 24)
    lower(job, 2 * DAY_S, where)
    see(job, granted - HOUR)
    rules, known = facts.of(job, NOW)
    assert known.launched_at + rules.ceiling == granted
    assert extended(job, 6 * 24) == "nothing_to_extend"


def test_raising_it_later_does_not_lift_what_was_copied_at_launch() -> None:
    job = running(ceiling_s=2 * DAY_S)
    lower(job, 30 * DAY_S)
    assert extended(job, 6 * 24) == job.launched_at + 48 * HOUR


def test_an_adopted_job_lives_so_long_from_then_on() -> None:
    job = running(origin=Origin.ADOPTED, send_by=NOW + 10 * HOUR, lifetime_s=11 * 3600)
    lower(job, DAY_S)
    rules, known = facts.of(job, NOW)
    assert known.launched_at + rules.ceiling == NOW + 34 * HOUR
