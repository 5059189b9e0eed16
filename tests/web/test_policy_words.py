"""The policy read back: every part of it changes a sentence."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from dispersed_web.teams.models import AutostopPolicy, Team
from dispersed_web.web.policy.policy_words import enforcement, read_back, warned_after_s

NOW = dt.datetime(2026, 11, 25, 13, 0, tzinfo=dt.UTC)
BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = {"zone": "Europe/Berlin", "stops": [{"weekdays": [0, 1, 2, 3, 4], "at": "18:00"}]}


def said(**fields: object) -> dict[str, str]:
    lines = read_back(AutostopPolicy(**fields), Team())
    return {line.topic: line.text.replace("\u00a0", " ") for line in lines}


def test_the_policy_of_a_new_team() -> None:
    lines = said()
    assert lines["Idle by heartbeat"] == (
        "A machine whose heartbeat is quiet for 1 h is stopped; people are warned after 45 min. For one job it can be "
        "less, or up to 8 h."
    )
    assert "after 1 h 30 min without new lines, with a warning after 1 h 10 min" in lines["Idle by log"]
    assert (
        "asked after 2 h and then every 4 h; without an answer within 30 min it stops"
        in lines["Nothing tells"]
    )
    assert lines["Start of a run"].startswith("The first 20 min of a run never count as idle")
    assert lines["Lifetime"].startswith(
        "Every persistent job ends with its lifetime, 24 h unless chosen otherwise"
    )
    assert "up to 7 days" in lines["Lifetime"]
    assert lines["Weekly stops"].startswith("None")
    assert lines["Budgets"].startswith("None")


@pytest.mark.parametrize(
    ("fields", "topic", "words"),
    [
        (
            {"high_idle_s": 1800},
            "Idle by heartbeat",
            "quiet for 30 min is stopped; people are warned after 15 min",
        ),
        ({"high_idle_s": 1200, "high_lead_s": 900}, "Idle by heartbeat", "warned after 10 min"),
        ({"high_idle_max_s": 3600}, "Idle by heartbeat", "less, and not more"),
        ({"medium_idle_s": 7200}, "Idle by log", "stopped after 2 h"),
        ({"boot_grace_s": 600}, "Start of a run", "first 10 min"),
        ({"checkin_every_s": 3600}, "Nothing tells", "then every 1 h"),
        ({"checkin_answer_s": 600}, "Nothing tells", "within 10 min"),
        (
            {"schedule": WEEKDAYS},
            "Weekly stops",
            "Monday to Friday at 18:00 (Europe/Berlin) everything persistent stops",
        ),
        ({"schedule": {"zone": "Mars"}}, "Weekly stops", "cannot be read"),
        (
            {"team_day_usd": Decimal(100)},
            "Budgets",
            "the team has spent $100.00 in a day, launches are refused and running",
        ),
        (
            {"team_month_usd": Decimal(2000), "member_day_usd": Decimal(20), "budget_stops": False},
            "Budgets",
            "the team has spent $2,000.00 in a month, or a member has spent $20.00 in a day, launches are refused; running "
            "jobs go on",
        ),
    ],
)
def test_each_part_changes_its_sentence(fields: dict, topic: str, words: str) -> None:
    assert words in said(**fields)[topic]


@pytest.mark.parametrize(
    ("mode", "until", "title", "observes"),
    [
        ("enforce", None, "Stops for idleness are enforced", False),
        ("observe", None, "Stops for idleness are only noted", True),
        (
            "observe",
            NOW + dt.timedelta(days=7),
            "Until 2 December, 14:00, stops for idleness are only noted",
            True,
        ),
        # what ended by itself is enforced, whatever stands in the row
        ("observe", NOW, "Stops for idleness are enforced", False),
    ],
)
def test_whether_idle_stops_are_carried_out(
    mode: str, until: dt.datetime | None, title: str, observes: bool
) -> None:
    held = enforcement(AutostopPolicy(mode=mode, observe_until=until), NOW, BERLIN)
    assert (held.title.replace("\u00a0", " "), held.observes) == (title, observes)


def test_the_warning_takes_at_most_half_of_the_limit() -> None:
    assert (warned_after_s(3600, 900), warned_after_s(1200, 900)) == (2700, 600)
