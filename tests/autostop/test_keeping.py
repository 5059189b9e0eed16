"""Changing a team's policy: who may, what fits, what is told, and that nobody is stopped without the full warning."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.autostop import engine, keeping
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import AutostopPolicy, Team
from tests import factories
from tests.autostop.watched import HOUR, MINUTE, NOW, beats, kinds, make_job, make_team, see

pytestmark = pytest.mark.django_db
SCHEDULE = {"zone": "Europe/Berlin", "stops": [{"weekdays": [0, 1, 2, 3, 4], "at": "18:00"}]}


def change(
    team: Team, role: str = "owner", minute: int = 0, version: int | None = None, **values: Any
) -> bool:
    user = factories.owner_of(team) if role == "owner" else factories.make_member(team, role)
    return keeping.change(
        team, values, actor=Actor.person(user), now=NOW + minute * MINUTE, seen_version=version
    )


def policy_of(team: Team) -> AutostopPolicy:
    return AutostopPolicy.objects.get(pk=team.pk)


def test_a_change_moves_the_version_the_jobs_and_the_log() -> None:
    team = make_team()
    job, ended = make_job(team), factories.make_job(team, "COMPLETED")
    before = policy_of(team)
    assert change(team, minute=5, high_idle_s=1800, team_day_usd=Decimal("20.00"), version=before.version)
    after = policy_of(team)
    assert (after.high_idle_s, after.version, after.changed_at) == (
        1800,
        before.version + 1,
        NOW + 5 * MINUTE,
    )
    assert after.schedule_changed_at is None
    moved = Job.objects.get(pk=job.pk)
    assert (moved.evaluate_at, moved.limits_version) == (NOW + 5 * MINUTE, job.limits_version + 1)
    assert Job.objects.get(pk=ended.pk).limits_version == ended.limits_version
    told = Event.objects.get(kind="team.autostop_changed")
    assert told.data["before"] == {"high_idle_s": 3600, "team_day_usd": None}
    assert told.data["after"] == {"high_idle_s": 1800, "team_day_usd": "20.00"}
    assert told.sentence.endswith("changed the auto-stop policy: the stop after idleness, budgets.")


def test_the_same_again_changes_nothing() -> None:
    team = make_team()
    assert not change(team, high_idle_s=3600, mode="enforce")
    assert not Event.objects.exists()
    assert policy_of(team).version == 1


def test_a_new_schedule_counts_from_its_change_on() -> None:
    team = make_team()
    change(team, minute=3, schedule=SCHEDULE)
    row = policy_of(team)
    assert (row.schedule_changed_at, row.changed_at) == (NOW + 3 * MINUTE, NOW + 3 * MINUTE)
    change(team, minute=9, high_idle_s=1800)
    assert policy_of(team).schedule_changed_at == NOW + 3 * MINUTE


def test_a_budget_moves_no_deadline() -> None:
    team = make_team()
    change(team, member_day_usd=Decimal(5))
    assert policy_of(team).changed_at is None


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_who_may_not_set_limits_changes_nothing(role: str) -> None:
    team = make_team()
    with pytest.raises(TeamRefused, match="Your role") as refused:
        change(team, role, high_idle_s=1800)
    assert refused.value.code == "not_allowed"
    assert policy_of(team).high_idle_s == 3600


@pytest.mark.parametrize(
    ("before", "values", "field"),
    [
        ({"team_day_usd": 10}, {"team_day_usd": Decimal(11)}, "team_day_usd"),
        ({"member_month_usd": 10}, {"member_month_usd": None}, "member_month_usd"),
        ({"team_day_usd": 10}, {"budget_stops": False}, "budget_stops"),
    ],
)
def test_raising_money_is_for_owners(before: dict, values: dict, field: str) -> None:
    team = make_team(**before)
    with pytest.raises(TeamRefused, match="Only an owner") as refused:
        change(team, "admin", **values)
    assert refused.value.field == field
    assert change(team, "owner", **values)


def test_an_admin_may_set_and_lower_a_budget() -> None:
    team = make_team()
    assert change(team, "admin", team_day_usd=Decimal(10))
    assert change(team, "admin", team_day_usd=Decimal(9))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"high_idle_s": 0}, "high_idle_s"),
        ({"high_idle_s": 59}, "high_idle_s"),
        ({"high_idle_s": 9 * 3600}, "high_idle_max_s"),
        ({"medium_idle_max_s": 60}, "medium_idle_max_s"),
        ({"medium_idle_max_s": 8 * 24 * 3600}, "medium_idle_max_s"),
        ({"high_lead_s": 3600}, "high_lead_s"),
        ({"high_lead_s": 60}, "high_lead_s"),
        ({"boot_grace_s": 0}, "boot_grace_s"),
        ({"checkin_first_s": 0}, "checkin_first_s"),
        ({"checkin_every_s": 13 * 3600}, "checkin_every_max_s"),
        ({"checkin_answer_s": 30}, "checkin_answer_s"),
        ({"mode": "perhaps"}, "mode"),
        ({"observe_until": NOW + HOUR}, "observe_until"),
        ({"mode": "observe", "observe_until": NOW - HOUR}, "observe_until"),
        ({"mode": "observe", "observe_until": NOW + dt.timedelta(days=91)}, "observe_until"),
        ({"schedule": {"zone": "Europe/Berlin", "stops": []}}, "schedule"),
        ({"schedule": SCHEDULE | {"zone": "Mars/Olympus"}}, "schedule"),
        ({"schedule": SCHEDULE | {"stops": SCHEDULE["stops"] * 21}}, "schedule"),
        ({"team_day_usd": Decimal(0)}, "team_day_usd"),
        ({"member_day_usd": Decimal(-5)}, "member_day_usd"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_and_never_means_none(values: dict, field: str) -> None:
    team = make_team()
    with pytest.raises(TeamRefused) as refused:
        change(team, **values)
    assert refused.value.field == field
    assert policy_of(team).version == 1


def test_who_decided_on_what_was_changed_meanwhile_is_told() -> None:
    team = make_team()
    change(team, high_idle_s=1800, version=1)
    with pytest.raises(TeamRefused) as refused:
        change(team, high_idle_s=7200, version=1)
    assert refused.value.code == "outdated"
    assert policy_of(team).high_idle_s == 1800


def test_enforcing_is_told_and_needs_no_version() -> None:
    team = make_team(mode="observe")
    actor = Actor.person(factories.owner_of(team))
    assert keeping.enforce(team, actor=actor, now=NOW)
    assert not keeping.enforce(team, actor=actor, now=NOW)
    assert (policy_of(team).mode, policy_of(team).observe_until) == ("enforce", None)
    assert Event.objects.get(kind="team.autostop_changed").sentence.endswith("enforced stops for idleness.")


def test_the_brake_works_whatever_else_stands_in_the_row() -> None:
    team = make_team(mode="observe", high_idle_s=600, high_lead_s=900)
    assert keeping.enforce(team, actor=Actor.person(factories.owner_of(team)), now=NOW)
    with pytest.raises(TeamRefused):
        change(team, high_idle_s=700)


def live(job: Job, begin: int, end: int) -> Job:
    """Minute by minute, quiet: the cloud is seen, a heartbeat comes, the engine makes a pass; warnings arrive."""
    for minute in range(begin, end):
        at = NOW + minute * MINUTE
        see(job, at)
        beats(job, at, at)
        engine.evaluate_due(at)
        Job.objects.filter(pk=job.pk, warned_at=at).update(warning_delivered_at=at)
    return Job.objects.get(pk=job.pk)


def test_a_shorter_limit_that_makes_a_job_due_warns_in_full_first() -> None:
    job = make_job()
    live(job, 0, 40)
    change(job.team, minute=40, high_idle_s=1200, high_lead_s=600)
    warned = live(job, 40, 50)
    assert (warned.stop_requested_at, warned.warned_for) == (None, NOW + 50 * MINUTE)
    assert live(job, 50, 52).stop_requested_at == NOW + 50 * MINUTE


def test_a_change_in_the_last_minute_of_a_warning_gives_the_full_warning_anew() -> None:
    job = make_job()
    assert live(job, 0, 60).warned_for == NOW + 61 * MINUTE
    change(job.team, minute=60, high_idle_s=1800)
    row = live(job, 60, 75)
    assert row.stop_requested_at is None
    assert live(job, 75, 77).stop_requested_at == NOW + 75 * MINUTE
    assert kinds(job, "job.warned", "job.stop_requested") == [
        "job.warned",
        "job.warned",
        "job.stop_requested",
    ]


def test_a_longer_limit_calls_the_stop_off() -> None:
    job = make_job()
    live(job, 0, 58)
    change(job.team, minute=58, high_idle_s=7200)
    row = live(job, 58, 70)
    assert (row.stop_requested_at, row.warned_for) == (None, None)
    assert kinds(job, "job.called_off") == ["job.called_off"]


def test_enforcing_what_was_observed_warns_first() -> None:
    job = make_job(make_team(mode="observe"))
    assert live(job, 0, 80).verdict_state == "observed"
    keeping.enforce(job.team, actor=Actor.person(job.created_by), now=NOW + 80 * MINUTE)
    row = live(job, 80, 95)
    assert (row.stop_requested_at, row.warned_for) == (None, NOW + 95 * MINUTE)
    assert live(job, 95, 97).stop_requested_at == NOW + 95 * MINUTE
