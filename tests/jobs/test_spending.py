"""What is spent of a budget: the database's sums against the exact ones, and whose jobs count where."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.costs.budget import spent_between
from dispersed_web.jobs import spending
from dispersed_web.jobs.models import Job, UnmanagedJob
from dispersed_web.teams.models import AutostopPolicy, Team
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def team() -> Team:
    team = factories.make_team()
    AutostopPolicy.objects.create(team=team, team_day_usd=50, team_month_usd=500, member_day_usd=20)
    return team


def run(team: Team, start: dt.datetime, end: dt.datetime | None, usd: str = "1.00", **fields: Any) -> Job:
    job = factories.make_job(team, "RUNNING" if end is None else "COMPLETED", now=end or NOW, **fields)
    factories.make_run(job, started_at=start, ended_at=end, hourly_rate_usd=Decimal(usd))
    return job


def spent(team: Team, now: dt.datetime = NOW) -> dict[str, Decimal]:
    limits = spending.limits(AutostopPolicy.of(team.pk), now)
    found = spending.accounts(limits, now)
    return {
        ("team" if one.user_id is None else f"{one.user_id}") + f" {one.span.kind}": one.budget.spent_usd
        for one in found
    }


def test_a_run_counts_in_the_day_and_the_month_as_far_as_it_lies_in_them(team: Team) -> None:
    owner = factories.owner_of(team).pk
    run(team, NOW - 14 * HOUR, NOW - 11 * HOUR)  # from 22:00 to 01:00
    run(team, NOW - 30 * HOUR, NOW - 29 * HOUR, "5.00")  # yesterday
    run(team, NOW - 30 * DAY, NOW - 29 * DAY, "9.00")  # last month
    run(team, NOW - 2 * HOUR, None, "0.50")
    assert spent(team) == {"team day": 2, "team month": 9, f"{owner} day": 2}
    assert all(isinstance(usd, Decimal) for usd in spent(team).values())


def test_everybodys_jobs_count_for_the_team_and_ones_own_for_a_member(team: Team) -> None:
    ann, ben = factories.make_member(team), factories.make_member(team)
    run(team, NOW - 2 * HOUR, None, created_by=ann)
    run(team, NOW - HOUR, None, created_by=ben)
    run(team, NOW - HOUR, None, created_by=None)  # whose account is gone
    run(factories.make_team(), NOW - HOUR, None)
    assert spent(team) == {"team day": 4, "team month": 4, f"{ann.pk} day": 2, f"{ben.pk} day": 1}


def test_what_bills_now_is_known(team: Team) -> None:
    run(team, NOW - HOUR, None, "0.69")
    run(team, NOW - HOUR, None, "4.14")
    run(team, NOW - 2 * HOUR, NOW - HOUR, "9.00")
    (one, *_) = spending.accounts(spending.limits(AutostopPolicy.of(team.pk), NOW), NOW)
    assert one.budget.rate_usd == Decimal("4.83")


def test_a_run_whose_end_nobody_saw_ends_with_its_job(team: Team) -> None:
    job = run(team, NOW - 5 * HOUR, NOW - 4 * HOUR)
    job.runs.update(ended_at=None)
    assert spent(team)["team day"] == 1


def test_unmanaged_jobs_are_not_counted(team: Team) -> None:
    UnmanagedJob.objects.create(
        credential=factories.make_credential(team),
        remote_uuid="x",
        title="Somebody else's",
        task="BATCH",
        status="RUNNING",
        hourly_rate_usd=Decimal(9),
        first_seen_at=NOW - HOUR,
        seen_at=NOW,
    )
    assert spent(team) == {"team day": 0, "team month": 0}


def test_the_day_is_that_of_the_schedules_zone(team: Team) -> None:
    schedule = {"zone": "Europe/Berlin", "stops": [{"weekdays": [4], "at": "18:00"}]}
    AutostopPolicy.objects.update(schedule=schedule)
    begins = dt.datetime(2026, 10, 24, 22, tzinfo=dt.UTC)  # a day of 25 hours in Berlin
    run(team, begins - HOUR, begins + 25 * HOUR + HOUR)
    assert spent(team, begins + 24 * HOUR)["team day"] == 24
    assert spent(team, begins + 25 * HOUR - HOUR / 60)["team day"] == Decimal("24.9833")
    assert spent(team, begins + 25 * HOUR + HOUR / 2)["team day"] == Decimal("0.5")


def test_the_databases_sum_is_the_exact_one(team: Team) -> None:
    draw = random.Random(5)
    periods = []
    for _ in range(60):
        start = NOW - dt.timedelta(seconds=draw.uniform(0, 40 * 86400))
        end = draw.choice([None, start + dt.timedelta(seconds=draw.uniform(-50, 3 * 86400))])
        end = min(end, NOW) if end else None
        usd = draw.choice(["0.0001", "0.69", "4.1400", "17.3333"])
        run(team, start, end, usd)
        periods.append((start, end, Decimal(usd)))
    found = spent(team)
    for name, since in (("team day", NOW.replace(hour=0)), ("team month", NOW.replace(day=1, hour=0))):
        assert abs(found[name] - spent_between(periods, since, NOW)) <= Decimal("0.0005")


@pytest.mark.parametrize("usd", [0, -1])
def test_a_budget_of_nothing_is_a_mistake_and_never_means_none(team: Team, usd: int) -> None:
    with pytest.raises(ValueError, match="more than"):
        spending.limits(AutostopPolicy(team=team, member_day_usd=usd), NOW)


def test_one_query_for_any_number_of_budgets_and_teams(team: Team, django_assert_num_queries: Any) -> None:
    other = factories.make_team()
    AutostopPolicy.objects.create(team=other, member_month_usd=9)
    for some in (team, other):
        run(some, NOW - HOUR, None)
    limits = [limit for policy in AutostopPolicy.objects.all() for limit in spending.limits(policy, NOW)]
    with django_assert_num_queries(1):
        assert len(spending.accounts(limits, NOW)) == 4
    with django_assert_num_queries(0):
        assert spending.accounts([], NOW) == []
