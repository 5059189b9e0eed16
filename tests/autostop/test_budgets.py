"""Budgets on real rows: told once at each mark, launches refused, jobs stopped after a notice that nothing puts off."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.autostop import budgets, engine
from dispersed_web.autostop.extend import confirm_use, extend, keep, protect
from dispersed_web.autostop.models import BudgetMark
from dispersed_web.events.models import Audience, Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.notifications.readers import readers
from dispersed_web.teams.models import AutostopPolicy, Team
from tests import factories
from tests.jobs.test_races import at_once

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def make_team(**policy: Any) -> Team:
    team = factories.make_team()
    AutostopPolicy.objects.create(team=team, **policy)
    return team


def make_job(team: Team, usd: str = "1.00", *, hours: float = 1, at: dt.datetime = NOW, **fields: Any) -> Job:
    """RUNNING for so many hours before ``at``, at so much per hour; nobody is asked whether it is used for long."""
    start, rate = at - hours * HOUR, Decimal(usd)
    job = factories.make_job(
        team,
        now=at,
        **{
            "launched_at": start,
            "running_at": start,
            "assigned_at": start,
            "spending_since": start,
            "hourly_rate_usd": rate,
            "confirmed_at": at,
            "lifetime_s": 72 * 3600,
            "ceiling_s": 96 * 3600,
            "evaluate_at": at + 10 * MINUTE,
        }
        | fields,
    )
    factories.make_run(job, started_at=start)
    return job


def told(team: Team) -> list[Event]:
    return list(Event.objects.filter(team=team, kind="budget.reached").order_by("id"))


def percents(team: Team) -> list[int]:
    return [event.data["percent"] for event in told(team)]


def stop_of(job: Job) -> tuple[dt.datetime | None, str]:
    job.refresh_from_db()
    return job.stop_requested_at, job.stop_reason


def pass_time(begin: dt.datetime, end: dt.datetime) -> None:
    """The sweep and the engine come by twice a minute, as in the product."""
    while begin <= end:
        budgets.sweep(begin)
        engine.evaluate_due(begin)
        begin += MINUTE / 2


def person(job: Job) -> Actor:
    return Actor.person(job.created_by)


# Marks ---------------------------------------------------------------------------------------------------------------


def test_each_mark_is_told_once() -> None:
    team = make_team(team_day_usd=10)
    make_job(team, "1.00", hours=0)
    seen = []
    for minutes in range(0, 660, 20):
        for _ in range(2):
            budgets.sweep(NOW + minutes * MINUTE)
        seen.append((minutes, percents(team)))
    firsts = [next(at for at, some in seen if percent in some) for percent in (50, 80, 100)]
    assert firsts == [300, 480, 600]
    assert percents(team) == [50, 80, 100]
    assert [event.audience for event in told(team)] == [Audience.ADMINS] * 3


def test_what_is_far_gone_when_the_budget_is_set_is_told_once() -> None:
    team = make_team(team_day_usd=2)
    make_job(team, "1.00", hours=5)
    budgets.sweep(NOW)
    assert percents(team) == [100]
    assert sorted(BudgetMark.objects.values_list("percent", flat=True)) == [50, 80, 100]


def test_people_are_told_how_much_is_used_and_what_comes_next() -> None:
    team = make_team(team_day_usd=10)
    make_job(team, "2.00", hours=4)
    budgets.sweep(NOW)
    (event,) = told(team)
    assert event.sentence == (
        "80 % of the team's budget for today is used: $8.00 of $10.00. At $2.00/h, as now, it lasts 1 h more. When it is "
        "used up, launches of the team are refused until it begins anew on 25 November at 00:00 (UTC), and running jobs "
        "are stopped after a notice of 5 min. An admin of the team can raise it."
    )
    assert event.data == {
        "percent": 80,
        "name": "The team's budget for today",
        "limit_usd": "10.00",
        "spent_usd": "8.00",
    }
    AutostopPolicy.objects.update(team_day_usd=8, budget_stops=False)
    budgets.sweep(NOW)
    assert told(team)[-1].sentence == (
        "The team's budget for today is used up: $8.00 of $8.00. Launches of the team are refused until it begins anew on "
        "25 November at 00:00 (UTC), and running jobs go on. An admin of the team can raise it."
    )


def test_a_budget_that_outlasts_its_day_is_not_said_to_run_out() -> None:
    team = make_team(team_day_usd=10)
    make_job(team, "0.05", hours=1)
    make_job(team, "5.00", hours=1, status="COMPLETED", ended_at=NOW)
    budgets.sweep(NOW)
    assert percents(team) == [50]
    assert "lasts" not in told(team)[0].sentence


def test_a_members_budget_tells_the_member_and_at_the_end_the_admins_too() -> None:
    team = make_team(member_day_usd=10)
    owner, ann = factories.owner_of(team), factories.make_member(team, user=factories.make_user(name="Ann"))
    make_job(team, "1.00", hours=6, created_by=ann)
    make_job(team, "1.00", hours=4)
    budgets.sweep(NOW)
    (half,) = told(team)
    assert (half.data["percent"], half.data["name"]) == (50, "Ann's budget for today")
    assert readers(half) == {ann.pk}
    budgets.sweep(NOW + 4 * HOUR)
    whole = next(event for event in told(team) if event.data["percent"] == 100)
    assert whole.sentence.startswith(
        "Ann's budget for today is used up: $10.00 of $10.00. Launches of Ann are refused"
    )
    assert readers(whole) == {ann.pk, owner.pk}


def test_a_jobs_budget_tells_its_owner_and_at_the_end_the_admins_too() -> None:
    team = make_team()
    ann = factories.make_member(team)
    make_job(team, "1.00", hours=5, created_by=ann, budget_usd=10)
    budgets.sweep(NOW)
    budgets.sweep(NOW + 5 * HOUR)
    half, whole = told(team)
    assert (half.data["percent"], readers(half)) == (50, {ann.pk})
    assert "When it is used up, the job is stopped after a notice of 5 min" in half.sentence
    assert (whole.data["percent"], readers(whole)) == (100, {ann.pk, factories.owner_of(team).pk})


def test_a_new_day_and_a_new_month_are_told_anew() -> None:
    team = make_team(team_day_usd=10, team_month_usd=1000, budget_stops=False)
    make_job(team, "1.00", hours=6)
    budgets.sweep(NOW)
    budgets.sweep(NOW + DAY)
    assert percents(team) == [50, 100]
    assert {event.data["name"] for event in told(team)} == {"The team's budget for today"}
    keys = BudgetMark.objects.filter(percent=50).values_list("key", flat=True)
    assert sorted(key.rpartition(":day:")[2] for key in keys) == ["2026-11-24:50", "2026-11-25:50"]


def test_one_teams_mistake_does_not_hide_anothers_budget(caplog: pytest.LogCaptureFixture) -> None:
    mars = {"zone": "Mars/Olympus", "stops": [{"weekdays": [0], "at": "18:00"}]}
    broken, team = make_team(team_day_usd=1, schedule=mars), make_team(team_day_usd=1)
    for some in (broken, team):
        make_job(some)
    budgets.sweep(NOW)
    assert (percents(broken), percents(team)) == ([], [100])
    assert f"The budgets of the team {broken.pk} cannot be read." in caplog.text


def test_marks_of_long_ago_are_outdated_but_for_those_of_jobs() -> None:
    team = make_team(team_day_usd=1)
    make_job(team, budget_usd=1)
    budgets.sweep(NOW)
    assert budgets.outdated(NOW).count() == 0
    assert {mark.key.split(":")[0] for mark in budgets.outdated(NOW + MINUTE)} == {"team"}


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_tell_once() -> None:
    team = make_team(team_day_usd=1, member_day_usd=1)
    make_job(team, budget_usd=1)
    assert at_once([lambda: budgets.sweep(NOW)] * 4) == [None] * 4
    assert sorted(event.subject_type for event in told(team)) == ["job", "team", "user"]
    assert BudgetMark.objects.count() == 9


# Stops ---------------------------------------------------------------------------------------------------------------


def test_a_jobs_budget_stops_it_after_a_warning() -> None:
    job = make_job(make_team(), "1.00", hours=1, budget_usd=Decimal("1.50"))
    pass_time(NOW, NOW + 29 * MINUTE)
    assert not Event.objects.filter(kind="job.warned").exists()
    pass_time(NOW + 30 * MINUTE, NOW + 34 * MINUTE)
    warning = Event.objects.get(kind="job.warned")
    assert (warning.data["rule"], warning.data["sentence"]) == ("budget", "The job's budget is used up.")
    assert stop_of(job) == (None, "")
    pass_time(NOW + 34 * MINUTE, NOW + 35 * MINUTE)
    assert stop_of(job) == (NOW + 35 * MINUTE, Reason.BUDGET)


def test_a_teams_budget_stops_every_job_of_the_team_and_no_other() -> None:
    team, other = make_team(team_day_usd=3), make_team()
    ours = [make_job(team, hours=hours, task=task) for hours, task in ((1, "PERSISTENT"), (2, "BATCH"))]
    theirs = make_job(other, hours=9)
    pass_time(NOW, NOW + 5 * MINUTE)
    assert [stop_of(job) for job in ours] == [(NOW + 5 * MINUTE, Reason.BUDGET)] * 2
    assert stop_of(theirs) == (None, "")
    warning = Event.objects.filter(kind="job.warned").first()
    assert warning is not None
    assert warning.data["sentence"] == "The team's budget for today is used up."


def test_a_members_budget_stops_their_own_jobs() -> None:
    team = make_team(member_month_usd=1)
    ann = factories.make_member(team, user=factories.make_user(name="Ann"))
    anns, owners = make_job(team, hours=2, created_by=ann), make_job(team, hours=0)
    pass_time(NOW, NOW + 5 * MINUTE)
    assert stop_of(anns) == (NOW + 5 * MINUTE, Reason.BUDGET)
    assert stop_of(owners) == (None, "")
    assert anns.stop_evidence["sentence"] == "Ann's budget for this month is used up."


def test_the_month_counts_what_the_day_does_not() -> None:
    team = make_team(team_day_usd=5, team_month_usd=20)
    make_job(team, "9.00", hours=2, at=NOW - DAY, status="COMPLETED", ended_at=NOW - DAY)
    job = make_job(team, "1.00", hours=2)
    pass_time(NOW, NOW + 5 * MINUTE)
    assert [event.data["name"] for event in told(team)] == ["The team's budget for this month"]
    assert stop_of(job) == (NOW + 5 * MINUTE, Reason.BUDGET)


def test_a_policy_that_does_not_stop_lets_jobs_run_but_for_their_own_budget() -> None:
    team = make_team(team_day_usd=1, budget_stops=False)
    job, limited = make_job(team), make_job(team, budget_usd=1)
    pass_time(NOW, NOW + 6 * MINUTE)
    assert stop_of(job) == (None, "")
    assert stop_of(limited)[1] == Reason.BUDGET


def test_a_raised_budget_calls_the_stop_off_and_is_told_again_when_it_is_used_up() -> None:
    team = make_team(team_day_usd=1)
    job = make_job(team)
    pass_time(NOW, NOW + 2 * MINUTE)
    AutostopPolicy.objects.update(team_day_usd=Decimal("1.20"))
    engine.evaluate_due(NOW + 3 * MINUTE)  # before the sweep comes by
    called_off = Event.objects.get(kind="job.called_off")
    assert called_off.sentence == "The stop is called off, because the budget has room again."
    pass_time(NOW + 3 * MINUTE, NOW + 11 * MINUTE)
    assert (stop_of(job), percents(team)) == ((None, ""), [100])
    pass_time(NOW + 12 * MINUTE, NOW + 17 * MINUTE)
    assert percents(team) == [100, 100]
    assert stop_of(job) == (NOW + 17 * MINUTE, Reason.BUDGET)


def test_a_budget_that_is_taken_away_stops_nothing() -> None:
    job = make_job(make_team(team_day_usd=1))
    pass_time(NOW, NOW + 2 * MINUTE)
    AutostopPolicy.objects.update(team_day_usd=None)
    pass_time(NOW + 2 * MINUTE, NOW + 9 * MINUTE)
    assert stop_of(job) == (None, "")


def test_the_next_day_begins_with_a_new_budget() -> None:
    midnight = NOW.replace(hour=0) + DAY
    team = make_team(team_day_usd=5)
    job = make_job(team, "1.00", hours=5, at=midnight - 3 * MINUTE)
    pass_time(midnight - 3 * MINUTE, midnight + 10 * MINUTE)
    assert percents(team) == [100]
    assert stop_of(job) == (None, "")
    pass_time(midnight + 5 * HOUR, midnight + 5 * HOUR + 5 * MINUTE)
    assert stop_of(job) == (midnight + 5 * HOUR + 5 * MINUTE, Reason.BUDGET)


def test_the_day_is_that_of_the_schedules_zone_also_when_it_has_25_hours() -> None:
    begins = dt.datetime(2026, 10, 24, 22, tzinfo=dt.UTC)  # midnight in Berlin
    schedule = {"zone": "Europe/Berlin", "stops": [{"weekdays": [4], "at": "18:00"}]}
    team = make_team(team_day_usd=25, schedule=schedule, budget_stops=False)
    make_job(team, "1.00", hours=0, at=begins)
    budgets.sweep(begins + 25 * HOUR - MINUTE)
    assert percents(team) == [80]
    make_job(team, "60.00", hours=0, at=begins + 25 * HOUR - MINUTE)
    budgets.sweep(begins + 25 * HOUR - MINUTE / 2)
    assert percents(team) == [80, 100]
    budgets.sweep(begins + 25 * HOUR)
    assert percents(team) == [80, 100]


def test_after_an_outage_people_still_get_their_notice() -> None:
    job = make_job(make_team(team_day_usd=1))
    pass_time(NOW, NOW)
    Job.objects.update(warned_for=None, warned_at=None)
    later = NOW + 3 * HOUR
    pass_time(later, later + 4 * MINUTE)
    assert stop_of(job) == (None, "")
    pass_time(later + 5 * MINUTE, later + 5 * MINUTE)
    assert stop_of(job) == (later + 5 * MINUTE, Reason.BUDGET)


# What does not beat a budget -----------------------------------------------------------------------------------------


def test_an_extension_is_refused_and_says_what_stops_the_job() -> None:
    job = make_job(make_team(team_day_usd=1))
    pass_time(NOW, NOW + MINUTE)
    job.refresh_from_db()
    with pytest.raises(JobError) as caught:
        extend(
            job, until=NOW + 9 * HOUR, actor=person(job), now=NOW + MINUTE, seen_version=job.limits_version
        )
    assert (caught.value.code, caught.value.sentence) == (
        "nothing_to_extend",
        "The team's budget for today is used up. An extension does not change that.",
    )


def say_used(job: Job, at: dt.datetime) -> None:
    confirm_use(job, actor=person(job), now=at)


def shield(job: Job, at: dt.datetime) -> None:
    protect(job, until=at + HOUR, reason="It trains.", actor=person(job), by_admin=True, now=at)


def ask_to_be_kept(job: Job, at: dt.datetime) -> None:
    keep(job, until=at + MINUTE, actor=person(job), now=at)


@pytest.mark.parametrize("act", [say_used, shield, ask_to_be_kept])
def test_nothing_that_is_said_of_a_job_puts_the_stop_off(act: Any) -> None:
    job = make_job(make_team(team_day_usd=1))
    for minutes in range(5):
        pass_time(NOW + minutes * MINUTE, NOW + minutes * MINUTE)
        job.refresh_from_db()
        act(job, NOW + minutes * MINUTE)
    pass_time(NOW + 5 * MINUTE, NOW + 5 * MINUTE)
    assert stop_of(job) == (NOW + 5 * MINUTE, Reason.BUDGET)


def test_a_protection_that_stood_before_does_not_help() -> None:
    job = make_job(make_team(), budget_usd=1, protected_until=NOW + DAY, protected_reason="It trains.")
    pass_time(NOW, NOW + 5 * MINUTE)
    assert stop_of(job) == (NOW + 5 * MINUTE, Reason.BUDGET)


# Costs ---------------------------------------------------------------------------------------------------------------


def test_the_engine_asks_for_marks_once_and_only_where_there_is_a_budget(
    django_assert_num_queries: Any,
) -> None:
    team = make_team()
    jobs = [make_job(team) for _ in range(5)]
    policies = {team.pk: AutostopPolicy.of(team.pk)}
    with django_assert_num_queries(0):
        assert budgets.reached(jobs, policies, NOW) == {}
    policies[team.pk].team_day_usd = policies[team.pk].member_month_usd = Decimal(100)
    with django_assert_num_queries(1):
        assert budgets.reached(jobs, policies, NOW) == {}


def test_a_sweep_asks_no_more_for_many_jobs(django_assert_max_num_queries: Any) -> None:
    team = make_team(team_day_usd=1000, team_month_usd=1000, member_day_usd=1000, member_month_usd=1000)
    for _ in range(8):
        make_job(team, hours=0.1, budget_usd=1000, created_by=factories.make_member(team))
    with django_assert_max_num_queries(4):
        budgets.sweep(NOW)
