"""What stops saved: a range, cut short where anything is known."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from dispersed_web.autostop import savings
from dispersed_web.autostop.savings import Saved, Stop, by_month, estimate
from dispersed_web.events.record import ENGINE, Actor
from tests import factories

T0 = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
LATER = T0 + 100 * HOUR


def stop(**fields: object) -> Stop:
    values = {
        "job_id": uuid.UUID(int=1),
        "title": "T",
        "reason": "idle",
        "ended_at": T0,
        "hourly_rate_usd": Decimal("1.00"),
    }
    return Stop(**values | fields)


@pytest.mark.parametrize(
    ("fields", "now", "low", "high"),
    [
        ({}, LATER, 12, 12),
        ({"owner_back_at": T0 + 3 * HOUR}, LATER, 3, 12),
        ({"owner_back_at": T0 + 20 * HOUR}, LATER, 12, 12),
        ({"limit_at": T0 + 5 * HOUR}, LATER, 5, 5),
        ({"limit_at": T0 + 5 * HOUR, "owner_back_at": T0 + 2 * HOUR}, LATER, 2, 5),
        # it would have ended at once anyway
        ({"limit_at": T0 - HOUR}, LATER, 0, 0),
        # what is not saved yet is not counted
        ({}, T0 + 2 * HOUR, 2, 2),
    ],
)
def test_from_the_stop_to_the_first_thing_that_would_have_ended_it(
    fields: dict, now: dt.datetime, low: int, high: int
) -> None:
    assert estimate(stop(**fields), now) == Saved(Decimal(low), Decimal(high), 1)


def test_months_are_those_of_the_readers_calendar() -> None:
    stops = [
        stop(),
        stop(ended_at=T0 + 11.5 * HOUR, owner_back_at=T0 + 12.5 * HOUR),
        stop(ended_at=T0 - 40 * 24 * HOUR),
    ]
    months = by_month(stops, LATER, ZoneInfo("Europe/Berlin"))
    assert list(months) == [dt.date(2026, 12, 1), dt.date(2026, 11, 1), dt.date(2026, 10, 1)]
    assert months[dt.date(2026, 12, 1)] == Saved(Decimal(1), Decimal(12), 1)
    assert sum(months.values(), Saved()) == sum((estimate(stop, LATER) for stop in stops), Saved())


@pytest.mark.django_db
class TestOfATeam:
    def ended(self, team, reason="idle", **fields):
        values = {"reason": reason, "ended_at": T0, "launched_at": T0 - 4 * HOUR, "lifetime_s": 24 * 3600}
        return factories.make_job(team, "CANCELLED", **values | fields)

    def test_the_owners_next_act_on_any_job_counts_and_nobody_elses(self):
        team = factories.make_team()
        job = self.ended(team)
        other = factories.make_member(team)
        for hours, actor in (
            (1, Actor.person(other)),
            (2, ENGINE),
            (-1, Actor.person(job.created_by)),
            (5, Actor.person(job.created_by)),
        ):
            factories.make_event(
                team, "job.extended", factories.make_job(team), actor=actor, now=T0 + hours * HOUR
            )
        factories.make_event(team, "team.frozen", actor=Actor.person(job.created_by), now=T0 + 3 * HOUR)
        (found,) = savings.of_team(team.pk, T0 - HOUR)
        assert found.owner_back_at == T0 + 5 * HOUR
        assert found.limit_at == T0 + 20 * HOUR

    def test_only_stops_that_replace_a_forgotten_one_count(self):
        team = factories.make_team()
        for reason in (
            "idle",
            "checkin_unanswered",
            "schedule",
            "max_lifetime",
            "user",
            "budget",
            "rate",
            "cloud",
        ):
            self.ended(team, reason)
        self.ended(factories.make_team())
        self.ended(team, task="BATCH")
        self.ended(team, ended_at=T0 - 2 * HOUR)
        self.ended(team, hourly_rate_usd=None)
        found = savings.of_team(team.pk, T0 - HOUR)
        assert {one.reason for one in found} == set(savings.COUNTED)
        assert len(found) == 4

    def test_a_stop_at_the_lifetime_is_held_against_the_longest_one(self):
        team = factories.make_team()
        self.ended(team, "max_lifetime", launched_at=T0 - 24 * HOUR, ceiling_s=30 * 3600)
        (found,) = savings.of_team(team.pk, T0 - HOUR)
        assert found.limit_at == T0 + 6 * HOUR

    def test_an_extension_moves_the_end_that_it_is_held_against(self):
        team = factories.make_team()
        self.ended(team, launched_at=T0 - 24 * HOUR, extend_until=T0 + 2 * HOUR)
        (found,) = savings.of_team(team.pk, T0 - HOUR)
        assert found.limit_at == T0 + 2 * HOUR
