"""May this launch go out: one set of facts that allows it, and each case spoils one."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.costs.budget import Budget
from dispersed_web.costs.spans import Kind, span
from dispersed_web.jobs.guard import LaunchFacts, refusal

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
OK = LaunchFacts(
    role="member",
    credential_state="active",
    credential_failure="",
    listing_is_fresh=True,
    listing_failed=False,
    cancel_refused=False,
    clock_is_off=False,
    expires_at=NOW + dt.timedelta(days=9),
    hard_end_at=NOW + dt.timedelta(days=7),
    frozen=False,
    active_jobs=4,
    max_active_jobs=5,
    burning_usd=Decimal("2.00"),
    quoted_usd=Decimal("0.69"),
    max_hourly_usd=Decimal("2.69"),
    budgets=(
        (
            Budget("The team's budget for today", Decimal(50), Decimal("49.99"), Decimal(2)),
            span(Kind.DAY, NOW, "UTC"),
        ),
        (
            Budget("Your budget for this month", Decimal(90), Decimal("9.00"), Decimal(1)),
            span(Kind.MONTH, NOW, "UTC"),
        ),
    ),
    job_budget_usd=Decimal("0.0115"),
)
USED_UP = tuple((replace(one, spent_usd=one.limit_usd), days) for one, days in OK.budgets)


def test_all_well() -> None:
    assert refusal(OK) is None


def test_no_caps_and_no_expiry_is_fine_too() -> None:
    assert (
        refusal(replace(OK, max_active_jobs=None, max_hourly_usd=None, expires_at=None, quoted_usd=None))
        is None
    )


@pytest.mark.parametrize(
    ("change", "code", "waits"),
    [
        ({"role": None}, "not_allowed", False),
        ({"role": "viewer"}, "not_allowed", False),
        ({"frozen": True}, "frozen", False),
        ({"credential_state": "disabled"}, "credential_disabled", False),
        ({"credential_state": "broken"}, "credential_broken", False),
        ({"cancel_refused": True}, "cannot_stop", False),
        ({"clock_is_off": True}, "clock_off", False),
        ({"expires_at": NOW + dt.timedelta(days=6)}, "key_expires", False),
        ({"hard_end_at": None}, "key_expires", False),
        ({"active_jobs": 5}, "too_many_jobs", False),
        ({"max_active_jobs": 0}, "too_many_jobs", False),
        ({"burning_usd": Decimal("2.01")}, "too_expensive", False),
        ({"budgets": USED_UP}, "budget_used_up", False),
        ({"job_budget_usd": Decimal("0.0114")}, "budget_too_small", False),
        ({"listing_is_fresh": False}, "cannot_see", True),
    ],
)
def test_each_obstacle_alone_is_enough(change: dict[str, Any], code: str, waits: bool) -> None:
    found = refusal(replace(OK, **change))
    assert found is not None
    assert (found.code, found.waits) == (code, waits)
    assert found.sentence.endswith((".", ": "))


def test_one_is_no_plural() -> None:
    found = refusal(replace(OK, max_active_jobs=1, active_jobs=1))
    assert found is not None
    assert found.sentence == "The team may run 1 job at once, and 1 is active. Stop one first."


def test_a_lasting_obstacle_is_told_before_a_passing_one() -> None:
    found = refusal(replace(OK, listing_is_fresh=False, credential_state="disabled"))
    assert found is not None
    assert found.code == "credential_disabled"


def test_a_used_up_budget_says_which_one_when_it_begins_anew_and_who_can_raise_it() -> None:
    first, second = (refusal(replace(OK, budgets=(one,))) for one in USED_UP)
    assert first is not None
    assert second is not None
    assert first.sentence == (
        "The team's budget for today is used up: $50.00 of $50.00. It begins anew on 24 November at 00:00 (UTC); an admin "
        "of the team can raise it."
    )
    assert second.sentence.startswith(
        "Your budget for this month is used up: $90.00 of $90.00. It begins anew on 1 December at 00:00 (UTC)"
    )


def test_a_jobs_budget_that_does_not_pay_a_minute_is_refused_where_a_price_is_known() -> None:
    found = refusal(replace(OK, job_budget_usd=Decimal("0.01")))
    assert found is not None
    assert found.sentence == (
        "The job's budget of $0.01 does not pay one minute at $0.69/h. Raise it, or leave it empty."
    )
    assert refusal(replace(OK, job_budget_usd=Decimal("0.01"), quoted_usd=None)) is None
