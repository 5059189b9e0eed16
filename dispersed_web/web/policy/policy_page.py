"""What the pages of auto-stop say of observed stops, of drafts tried on the past, and of savings. Pure."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from dispersed_web.autostop import deadlines
from dispersed_web.autostop.history import Past, Tried
from dispersed_web.autostop.observed import WouldBe
from dispersed_web.autostop.replay import Outcome
from dispersed_web.autostop.savings import Saved
from dispersed_web.web import words
from dispersed_web.web.words import DASH, clock_time, duration, money

WHY = {deadlines.IDLE: "idle", deadlines.SCHEDULE: "weekly stop"}


@dataclass(frozen=True)
class StopLine:
    """One would-be stop: ``after`` says what became of the job afterwards, ``is_false`` that it was used again."""

    job_id: uuid.UUID
    title: str
    owner: str
    at: str
    why: str
    after: str
    detail: str
    money: str
    is_false: bool
    still_runs: bool


@dataclass(frozen=True)
class LimitLine:
    """What another idle limit would have done; ``share`` is its saving in percent of the largest."""

    limit: str
    stops: int
    false_stops: int
    saved: str
    share: int
    is_own: bool


@dataclass(frozen=True)
class MonthLine:
    """What the stops of one month saved, in words."""

    month: str
    stops: int
    saved: str


def observed_lines(stops: Iterable[WouldBe], now: dt.datetime, zone: dt.tzinfo) -> list[StopLine]:
    """Stops that were only observed, in their order."""
    return [
        StopLine(
            job_id=one.job_id,
            title=one.title,
            owner=one.owner,
            at=clock_time(one.at, now, zone),
            why=f"quiet for {duration(one.at - one.quiet_since)}",
            after=_after(one.used_again_at, one.at, still_runs=one.ended_at is None),
            detail=_what(one.used_again, one.used_again_at, now, zone),
            money=money(one.saved_usd) if one.saved_usd is not None else DASH,
            is_false=one.is_false,
            still_runs=one.ended_at is None,
        )
        for one in stops
    ]


def tried_lines(stops: Iterable[tuple[Past, Outcome]], now: dt.datetime, zone: dt.tzinfo) -> list[StopLine]:
    """Stops that a draft of the policy would have made, in their order."""
    return [_tried_line(past, outcome, now, zone) for past, outcome in stops]


def _tried_line(past: Past, outcome: Outcome, now: dt.datetime, zone: dt.tzinfo) -> StopLine:
    at = outcome.stop_at or now
    why = WHY.get(outcome.rule, outcome.rule)
    if outcome.rule == deadlines.IDLE and outcome.quiet_since is not None:
        why = f"quiet for {duration(at - outcome.quiet_since)}"
    return StopLine(
        job_id=past.job_id,
        title=past.title,
        owner=past.owner,
        at=clock_time(at, now, zone),
        why=why,
        after=_after(outcome.used_again_at, at, still_runs=past.still_runs),
        detail=_what(outcome.used_again, outcome.used_again_at, now, zone),
        money=money(outcome.saved_usd) if outcome.saved_usd is not None else DASH,
        is_false=outcome.is_false,
        still_runs=past.still_runs,
    )


def _after(used_again_at: dt.datetime | None, at: dt.datetime, *, still_runs: bool) -> str:
    if used_again_at is not None:
        return f"used again after {duration(used_again_at - at)}"
    return "not used since" if still_runs else "never used again"


def _what(what: str, at: dt.datetime | None, now: dt.datetime, zone: dt.tzinfo) -> str:
    return f"{clock_time(at, now, zone)}, {what}" if at is not None else ""


def limit_lines(tried: Tried, own: dt.timedelta) -> list[LimitLine]:
    """What each idle limit would have saved, beside the policy's ``own``."""
    most = max((totals.saved_usd for _, totals in tried.by_limit), default=0)
    return [
        LimitLine(
            limit=words.round_duration(int(limit.total_seconds())),
            stops=totals.stops,
            false_stops=totals.false_stops,
            saved=money(totals.saved_usd),
            share=int(totals.saved_usd * 100 / most) if most else 0,
            is_own=limit == own,
        )
        for limit, totals in tried.by_limit
    ]


def month_lines(months: dict[dt.date, Saved]) -> list[MonthLine]:
    """What stops saved in each month."""
    return [
        MonthLine(f"{month:%B} {month.year}", saved.stops, money_range(saved))
        for month, saved in months.items()
    ]


def money_range(saved: Saved) -> str:
    """``$4.10 to $12.00``, or one figure where both are the same."""
    low, high = money(saved.low_usd), money(saved.high_usd)
    return low if low == high else f"{low} to {high}"


def how_tried(tried: Tried) -> str:
    """What was looked at, and how long it took."""
    if tried.totals.runs == 0:
        return f"No persistent job ran in the last {tried.days} days."
    unwatched = tried.totals.runs - tried.watched
    runs = "1 run" if tried.totals.runs == 1 else f"{tried.totals.runs} runs"
    parts = [f"{runs} of the last {tried.days} days"]
    if unwatched:
        parts.append(f"{unwatched} of them without a signal, which only weekly stops can stop")
    if tried.left_out:
        parts.append(f"{tried.left_out} older ones left out")
    return f"Tried on {', '.join(parts)}; {tried.samples:,} samples in {max(tried.took_s, 0.1):.1f}{words.NBSP}s."
