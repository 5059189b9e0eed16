"""What is spent of a budget: the database's sums against the exact ones, and whose jobs count where."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.jobs import sending, spending
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.launch import Order, StopChoices
from dispersed_web.jobs.models import Job, UnmanagedJob
from dispersed_web.jobs.states import Status
from dispersed_web.teams.models import AutostopPolicy, Team
from tests import factories
from tests.jobs.test_races import at_once
from tests.jobs.world import World

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


def exactly(periods: list[tuple[dt.datetime, dt.datetime | None, Decimal]], since: dt.datetime) -> Decimal:
    """What lies of the periods between ``since`` and now, at their prices per hour."""
    overlaps = ((min(end or NOW, NOW) - max(start, since), usd) for start, end, usd in periods)
    microseconds = ((span // dt.timedelta(microseconds=1), usd) for span, usd in overlaps)
    return sum((usd * max(long, 0) for long, usd in microseconds), Decimal(0)) / 3_600_000_000


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
        assert abs(found[name] - exactly(periods, since)) <= Decimal("0.0005")


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


# Launches ------------------------------------------------------------------------------------------------------------


def spend(world: World, usd: str = "6.00", **fields: Any) -> Job:
    """A job that has cost so much by now, in the minute before."""
    now = world.clock.now
    fields = {"credential": world.credential, "created_by": world.user} | fields
    return run(world.team, now - HOUR / 60, None, str(Decimal(usd) * 60), **fields)


def limit(world: World, **policy: Any) -> None:
    """Budgets in a zone in which the day began more than an hour ago."""
    zone = "UTC" if world.clock.now.hour else "Etc/GMT-12"
    schedule = {"zone": zone, "stops": [{"weekdays": [4], "at": "18:00"}]}
    AutostopPolicy.objects.create(team=world.team, schedule=schedule, **policy)


def refused(world: World, order: Order | None = None) -> LaunchRefused:
    with pytest.raises(LaunchRefused) as caught:
        world.request(order, same_again=True)
    return caught.value


@pytest.mark.parametrize("budget", ["team_day_usd", "team_month_usd", "member_day_usd", "member_month_usd"])
def test_a_used_up_budget_refuses_launches(world: World, budget: str) -> None:
    limit(world, **{budget: 6})
    spend(world, "5.00")
    world.request(same_again=True)
    spend(world, "1.00")
    refusal = refused(world)
    assert refusal.code == "budget_used_up"
    whose = "The team's" if budget.startswith("team") else "Your"
    span = "today" if "day" in budget else "this month"
    assert refusal.sentence.startswith(f"{whose} budget for {span} is used up: $6.00 of $6.00.")


def test_what_others_spent_does_not_count_against_a_members_budget(world: World) -> None:
    limit(world, member_day_usd=6)
    spend(world, "60.00", created_by=factories.owner_of(world.team))
    assert world.send(world.request()).status == Status.PENDING


def test_a_launch_whose_budget_is_used_up_meanwhile_is_not_sent(world: World) -> None:
    limit(world, team_day_usd=6)
    job = world.request()
    spend(world)
    world.send(job)
    assert job.status == Status.FAILED
    assert job.reason_text.startswith("It was not sent. The team's budget for today is used up")
    assert world.in_ledger(job) == []


def test_a_policy_that_stops_nothing_refuses_launches_all_the_same(world: World) -> None:
    limit(world, team_day_usd=6, budget_stops=False)
    spend(world)
    assert refused(world).code == "budget_used_up"


def test_a_jobs_own_budget_must_pay_a_minute(world: World) -> None:
    order = world.order()
    own = StopChoices(budget_usd=Decimal("0.01"))
    order = Order(order.title, order.spec, frozenset(), 3600, "", factories.RATE_USD, own)
    assert refused(world, order).code == "budget_too_small"


@pytest.mark.django_db(transaction=True)
def test_of_launches_at_the_same_moment_none_slips_through(transactional_db: None, sandbox: Any) -> None:
    world = World(sandbox)
    limit(world, team_day_usd=6)
    queued = [world.request(same_again=True) for _ in range(2)]
    spend(world)
    sent = [lambda job=job: sending.send(job.pk, world.clock) for job in queued]
    results = at_once([*sent, *[lambda: world.request(same_again=True)] * 2])
    assert [getattr(result, "code", result) for result in results] == [None, None, *["budget_used_up"] * 2]
    assert world.control.jobs() == []
    assert set(Job.objects.filter(pk__in=[job.pk for job in queued]).values_list("status", flat=True)) == {
        "FAILED"
    }
