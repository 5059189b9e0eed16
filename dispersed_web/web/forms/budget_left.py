"""What is left of the budgets that a launch counts against."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.costs.budget import Budget, left_usd, percent
from dispersed_web.jobs import spending
from dispersed_web.teams.models import AutostopPolicy
from dispersed_web.web.words import money


@dataclass(frozen=True)
class BudgetLeft:
    """``name`` as people say it, amounts as texts; ``is_low`` from four fifths used."""

    name: str
    left: str
    limit: str
    is_low: bool


def budgets_left(policy: AutostopPolicy, user_id: int | None, now: dt.datetime) -> list[BudgetLeft]:
    """The team's budgets and the person's; empty where the team set none, or wrong ones."""
    try:
        limits = spending.limits(policy, now)
    except ValueError:
        return []
    return [_left(budget) for budget in _budgets(limits, user_id, now)]


def _budgets(limits: list[spending.Limit], user_id: int | None, now: dt.datetime) -> Iterator[Budget]:
    found = spending.accounts(limits, now) if limits else []
    for limit in limits:
        whose = user_id if limit.of_member else None
        mine = [one for one in found if one.span == limit.span and one.user_id == whose]
        if limit.of_member and user_id is None:
            continue
        if limit.of_member:
            nothing = Budget(f"Your budget for {limit.span.words}", limit.usd, Decimal(0), Decimal(0))
            yield mine[0].of("Your").budget if mine else nothing
        else:
            yield from (one.budget for one in mine)


def _left(budget: Budget) -> BudgetLeft:
    return BudgetLeft(budget.name, money(left_usd(budget)), money(budget.limit_usd), percent(budget) >= 80)
