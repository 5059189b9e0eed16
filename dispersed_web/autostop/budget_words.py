"""What people are told of a budget that passed a mark, and of what comes next. Pure."""

from __future__ import annotations

import datetime as dt

from dispersed_web.autostop.deadlines import NOTICE_OF_SPENDING
from dispersed_web.autostop.sentences import words
from dispersed_web.costs.budget import Budget, reached, runs_out_at
from dispersed_web.costs.spans import Span

NOTICE = words(NOTICE_OF_SPENDING)


def of_somebody(
    budget: Budget, percent: int, span: Span, whose: str, *, stops: bool, now: dt.datetime
) -> str:
    """Of the budget of ``whose`` ("the team", "Ann"); ``stops``: whether running jobs are stopped once it is used up."""
    running = f"running jobs are stopped after a notice of {NOTICE}" if stops else "running jobs go on"
    what = f"launches of {whose} are refused until it begins anew {span.anew}, and {running}"
    then = f"{what}. An admin of the team can raise it."
    return f"{_used(budget, percent, span.until, now)} {_next(budget, then)}"


def of_job(budget: Budget, percent: int, now: dt.datetime) -> str:
    """Of a job's own budget."""
    then = f"the job is stopped after a notice of {NOTICE}, unless its budget is raised."
    return f"{_used(budget, percent, None, now)} {_next(budget, then)}"


def _used(budget: Budget, percent: int, until: dt.datetime | None, now: dt.datetime) -> str:
    amounts = f"${budget.spent_usd:.2f} of ${budget.limit_usd:.2f}"
    if reached(budget):
        return f"{budget.name} is used up: {amounts}."
    name = budget.name.replace("The ", "the ", 1) if budget.name.startswith("The ") else budget.name
    return f"{percent} % of {name} is used: {amounts}.{_lasts(budget, until, now)}"


def _lasts(budget: Budget, until: dt.datetime | None, now: dt.datetime) -> str:
    """How long it lasts, where it ends before its day or month does."""
    ends_at = runs_out_at(budget, now)
    if ends_at is None or (until is not None and ends_at >= until):
        return ""
    return f" At ${budget.rate_usd:.2f}/h, as now, it lasts {words(ends_at - now)} more."


def _next(budget: Budget, then: str) -> str:
    return f"{then[0].upper()}{then[1:]}" if reached(budget) else f"When it is used up, {then}"
