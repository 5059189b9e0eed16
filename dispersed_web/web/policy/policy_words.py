"""A team's auto-stop policy read back in sentences, saved or as a draft. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.autostop import schedule
from dispersed_web.autostop.activity import LOST_AFTER
from dispersed_web.autostop.deadlines import MACHINE_ALONE
from dispersed_web.teams.models import AutostopPolicy, Team
from dispersed_web.web import words
from dispersed_web.web.words import round_duration


@dataclass(frozen=True)
class Line:
    """What holds, and the part of the policy that says so."""

    topic: str
    text: str
    icon: str


@dataclass(frozen=True)
class Enforcement:
    """Whether stops for idleness are carried out. ``tone`` is that of a notice."""

    title: str
    text: str
    tone: str
    observes: bool


def enforcement(policy: AutostopPolicy, now: dt.datetime, zone: dt.tzinfo) -> Enforcement:
    """Whether stops for idleness are made or only noted, and until when."""
    until = policy.observe_until
    if policy.mode == AutostopPolicy.Mode.ENFORCE or (until is not None and until <= now):
        text = "A job that is idle for longer than its limit is warned about, and then stopped."
        return Enforcement("Stops for idleness are enforced", text, "green", observes=False)
    title = "Stops for idleness are only noted"
    if until is not None:
        title = f"Until {day_and_time(until, zone)}, stops for idleness are only noted"
    text = (
        "Nothing is stopped for idleness. Check-ins, lifetimes, the schedule and budgets hold all the same."
    )
    return Enforcement(title, text, "amber", observes=True)


def read_back(policy: AutostopPolicy, team: Team) -> list[Line]:
    """The policy in sentences; whether idle stops are carried out says :func:`enforcement`."""
    return [
        Line("Idle by heartbeat", _by_heartbeat(policy), "stop"),
        Line("Idle by log", _by_log(policy), "file"),
        Line("Nothing tells", _check_ins(policy), "bell"),
        Line("Start of a run", _start(policy), "launch"),
        Line("Lifetime", lifetime(team), "clock"),
        Line("Weekly stops", _weekly(policy), "history"),
        Line("Budgets", _budgets(policy), "money"),
    ]


def _by_heartbeat(policy: AutostopPolicy) -> str:
    limit, most = policy.high_idle_s, policy.high_idle_max_s
    return (
        f"A machine whose heartbeat is quiet for {round_duration(limit)} is stopped; people are warned after "
        f"{round_duration(warned_after_s(limit, policy.high_lead_s))}. {_bounds(limit, most)}"
    )


def _by_log(policy: AutostopPolicy) -> str:
    limit, most = policy.medium_idle_s, policy.medium_idle_max_s
    return (
        f"Where only the log tells, and its launcher said so, it is stopped after {round_duration(limit)} without new "
        f"lines, with a warning after {round_duration(warned_after_s(limit, policy.medium_lead_s))}. "
        f"{_bounds(limit, most)}"
    )


def warned_after_s(limit_s: int, lead_s: int) -> int:
    """How long a machine is quiet when people are warned: the warning takes at most half of the limit."""
    return limit_s - min(lead_s, limit_s // 2)


def _bounds(limit: int, most: int) -> str:
    if most == limit:
        return "For one job it can be less, and not more."
    return f"For one job it can be less, or up to {round_duration(most)}."


def _check_ins(policy: AutostopPolicy) -> str:
    first, every = round_duration(policy.checkin_first_s), round_duration(policy.checkin_every_s)
    answer = round_duration(policy.checkin_answer_s)
    alone = round_duration(int(MACHINE_ALONE.total_seconds()))
    return (
        f"Where nothing tells whether a machine is used, people are asked after {first} and then every {every}; without "
        f"an answer within {answer} it stops. They are also asked after {alone} in which only the machine itself said "
        f"that it is used."
    )


def _start(policy: AutostopPolicy) -> str:
    lost = round_duration(int(LOST_AFTER.total_seconds()))
    return (
        f"The first {round_duration(policy.boot_grace_s)} of a run never count as idle, and neither does time in which a "
        f"signal is silent; after {lost} of silence the others decide, or people are asked."
    )


def lifetime(team: Team) -> str:
    """The team's limits of lifetime, which are set elsewhere."""
    usual, most = round_duration(team.default_lifetime_s), round_duration(team.max_lifetime_s)
    warned = round_duration(team.warn_lead_s)
    return (
        f"Every persistent job ends with its lifetime, {usual} unless chosen otherwise, warned {warned} before. "
        f"Extensions go up to {most} from the launch."
    )


def _weekly(policy: AutostopPolicy) -> str:
    if not policy.schedule:
        return "None: no day or time stops everything."
    try:
        when = schedule.words(schedule.from_json(policy.schedule))
    except ValueError as error:
        return f"They cannot be read, so nothing stops by them: {error}"
    return f"{when[0].upper()}{when[1:]} everything persistent stops, used or not. Nobody's extension goes beyond."


def _budgets(policy: AutostopPolicy) -> str:
    team = _amounts(policy.team_day_usd, policy.team_month_usd)
    member = _amounts(policy.member_day_usd, policy.member_month_usd)
    if not team and not member:
        return "None is set for the team or its members."
    who = [f"the team has spent {team}"] if team else []
    who += [f"a member has spent {member}"] if member else []
    then = (
        "launches are refused and running jobs are stopped"
        if policy.budget_stops
        else ("launches are refused; running jobs go on")
    )
    return f"Once {', or '.join(who)}, {then}. People are told at 50 and 80{words.NBSP}%."


def _amounts(day_usd: Decimal | None, month_usd: Decimal | None) -> str:
    parts = [f"{words.money(day_usd)} in a day"] if day_usd is not None else []
    parts += [f"{words.money(month_usd)} in a month"] if month_usd is not None else []
    return " or ".join(parts)


def day_and_time(at: dt.datetime, zone: dt.tzinfo) -> str:
    """``2 December, 14:00`` on the reader's clock."""
    local = at.astimezone(zone)
    return f"{local.day}{words.NBSP}{local:%B}, {local:%H:%M}"
