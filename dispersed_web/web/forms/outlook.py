"""What becomes of the job that a launch form describes: what it costs at most, and when and why it is stopped. Pure; every
moment comes from the functions that auto-stop itself decides with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from dispersed_web.autostop import deadlines, preview
from dispersed_web.autostop.job_policy import policy_of
from dispersed_web.autostop.policy import Verdict
from dispersed_web.autostop.terms import Policy
from dispersed_web.costs import budget
from dispersed_web.costs.estimate import price
from dispersed_web.dispersed import PERSISTENT
from dispersed_web.jobs import rate
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import AutostopPolicy, Team
from dispersed_web.web import words
from dispersed_web.web.forms.quote import Quote
from dispersed_web.web.forms.stop_choices import choices_of
from dispersed_web.web.words import at_clock_time, clock_time, money, round_duration


@dataclass(frozen=True)
class Line:
    """One sentence of the price panel."""

    icon: str
    text: str


@dataclass(frozen=True)
class Outlook:
    """``most_usd`` is what it can cost until ``ends``, ``why`` what ends it then; ``forgotten`` is what it costs if nobody
    ever looks at it again, until auto-stop ends it after ``forgotten_after``, which a team that only observes takes as
    ``forgotten_if``. Empty where nothing can be told."""

    most_usd: Decimal | None = None
    ends: str = ""
    why: str = ""
    lines: tuple[Line, ...] = ()
    forgotten: str = ""
    forgotten_after: str = ""
    forgotten_if: bool = False

    @property
    def most(self) -> str:
        """In words."""
        return self.most_of(1)

    def most_of(self, copies: int) -> str:
        """What so many of them can cost together."""
        return money(self.most_usd * copies) if self.most_usd is not None else ""


def outlook(
    data: Mapping[str, Any],
    quoted: Quote,
    team: Team,
    policy: AutostopPolicy,
    now: dt.datetime,
    zone: dt.tzinfo,
) -> Outlook:
    """For what was typed so far. ``data`` are the form's cleaned values."""
    terms = _terms(data, team, policy) if data.get("task") == PERSISTENT else None
    ends_at, why = _end(quoted, terms, now)
    most_usd = _most_usd(quoted, ends_at, now)
    own_usd = data.get("budget_usd")
    if own_usd and most_usd is not None and own_usd < most_usd:
        most_usd, why = own_usd, "its own budget"
        ends_at = _used_up_at(own_usd, quoted, now) or ends_at
    lines = [*(_of_use(terms, data, now, zone) if terms else ()), *_of_money(data, quoted)]
    forgotten, after = _forgotten(terms, data, quoted, ends_at, now)
    return Outlook(
        forgotten=forgotten,
        forgotten_after=after,
        forgotten_if=terms is not None and terms.is_observing(now),
        most_usd=most_usd,
        ends=clock_time(ends_at, now, zone) if ends_at else "",
        why=why,
        lines=tuple(lines),
    )


def _terms(data: Mapping[str, Any], team: Team, policy: AutostopPolicy) -> Policy | None:
    """The policy that would hold for the job; ``None`` while its lifetime is missing or out of bounds."""
    lifetime_s = data.get("lifetime")
    if not lifetime_s or lifetime_s > team.max_lifetime_s:
        return None
    chosen = asdict(choices_of(data))
    job = Job(
        task=PERSISTENT,
        spec={},
        lifetime_s=lifetime_s,
        ceiling_s=team.max_lifetime_s,
        warn_lead_s=team.warn_lead_s,
        idle_limit_s=chosen["idle_limit_s"],
        checkin_every_s=chosen["checkin_every_s"],
    )
    try:
        return policy_of(job, policy)
    except ValueError:
        return None


def _end(quoted: Quote, terms: Policy | None, now: dt.datetime) -> tuple[dt.datetime | None, str]:
    end = preview.latest(terms, now) if terms else None
    if end is not None and end.rule == deadlines.SCHEDULE:
        return end.at, "the team’s weekly stop"
    lasts = round_duration(quoted.lasts_s) if quoted.lasts_s else ""
    return quoted.ends_at, lasts


def _most_usd(quoted: Quote, ends_at: dt.datetime | None, now: dt.datetime) -> Decimal | None:
    if quoted.to_usd is None or ends_at is None:
        return None
    return price(quoted.to_usd, ends_at - now)


def _forgotten(
    terms: Policy | None,
    data: Mapping[str, Any],
    quoted: Quote,
    ends_at: dt.datetime | None,
    now: dt.datetime,
) -> tuple[str, str]:
    """(cost, time) until auto-stop ends it for want of use; empty where something else ends it sooner."""
    if terms is None or quoted.to_usd is None:
        return "", ""
    if data.get("uses_logs"):
        stop_at = preview.left_alone(terms, "log", now).deadline_at
    else:
        verdict = preview.unwatched(terms, now)
        stop_at = verdict.deadline_at if verdict.rule == deadlines.CHECKIN else None
    if stop_at is None or (ends_at is not None and stop_at >= ends_at):
        return "", ""
    return money(price(quoted.to_usd, stop_at - now)), _span(stop_at - now)


def _used_up_at(limit_usd: Decimal, quoted: Quote, now: dt.datetime) -> dt.datetime | None:
    own = budget.Budget("", limit_usd, Decimal(0), quoted.to_usd or Decimal(0))
    return budget.runs_out_at(own, now)


# How it is stopped ---------------------------------------------------------------------------------------------------


def _of_use(terms: Policy, data: Mapping[str, Any], now: dt.datetime, zone: dt.tzinfo) -> Iterator[Line]:
    if data.get("uses_logs"):
        yield from _when_left_alone(preview.left_alone(terms, "log", now))
    else:
        yield from _when_unwatched(preview.unwatched(terms, now), terms, now)
        watched = preview.left_alone(terms, "heartbeat", now)
        if watched.idle_limit is not None:
            yield Line(
                "cpu",
                f"Turn on the heartbeat to be spared: then it is stopped after {_span(watched.idle_limit)} without use, "
                "and nobody is asked. Its page tells how, once it runs.",
            )
    if terms.is_observing(now):
        until = f" {at_clock_time(terms.observe_until, now, zone)}" if terms.observe_until else ""
        then = f"until{until.replace(' on ', ' ')}" if until else "for now"
        yield Line("show", f"Stops for idleness are only noted in this team {then}.")


def _when_left_alone(verdict: Verdict) -> Iterator[Line]:
    limit = verdict.idle_limit
    if limit is None or verdict.deadline_at is None or verdict.warn_at is None:
        return
    lead = verdict.deadline_at - verdict.warn_at
    yield Line("stop", f"Stopped after {_span(limit)} without new log lines, warned {_span(lead)} before.")


def _when_unwatched(verdict: Verdict, terms: Policy, now: dt.datetime) -> Iterator[Line]:
    if verdict.rule != deadlines.CHECKIN or verdict.warn_at is None:
        return
    answer = _span(terms.checkin.answer)
    yield Line(
        "bell",
        f"You are asked after {_span(verdict.warn_at - now)} whether it is still used, because nothing tells, and then "
        f"every {_span(terms.checkin.every)}. Without an answer within {answer} it stops.",
    )


def _of_money(data: Mapping[str, Any], quoted: Quote) -> Iterator[Line]:
    cap_usd = rate.cap(data.get("rate_cap_usd"), quoted.to_usd)
    if cap_usd is not None:
        yield Line(
            "money",
            f"Stopped if the node costs more than {words.rate(cap_usd)}, unless somebody accepts that within "
            f"5{words.NBSP}min.",
        )


def _span(duration: dt.timedelta) -> str:
    return round_duration(int(duration.total_seconds()))
