"""Changing a team's auto-stop policy: audited, by who may, and never under the feet of a running job."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import F

from dispersed_web.autostop import schedule
from dispersed_web.durations import HOUR_S
from dispersed_web.events.changes import changes as told_changes
from dispersed_web.events.record import Actor, record
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.teams import seats
from dispersed_web.teams.keeping import OPERATOR, TeamRefused
from dispersed_web.teams.models import AutostopPolicy, Team
from dispersed_web.teams.roles import Action, Role, may

MODE = ("mode", "observe_until")
IDLE = (
    "high_idle_s",
    "high_idle_max_s",
    "high_lead_s",
    "medium_idle_s",
    "medium_idle_max_s",
    "medium_lead_s",
)
CHECKIN = ("checkin_first_s", "checkin_every_s", "checkin_every_max_s", "checkin_answer_s")
BUDGETS = ("team_day_usd", "team_month_usd", "member_day_usd", "member_month_usd")
FIELDS = (*MODE, *IDLE, "boot_grace_s", *CHECKIN, "schedule", *BUDGETS, "budget_stops")
# What moves deadlines, so that a full warning counts from its change; a budget that is used up gives notice of its own.
MOVES_DEADLINES = frozenset({*MODE, *IDLE, "boot_grace_s", *CHECKIN, "schedule"})

SHORTEST_S = 60
SHORTEST_NOTICE_S = 120
LONGEST_IDLE_S = 7 * 24 * HOUR_S
LONGEST_CHECKIN_S = 7 * 24 * HOUR_S
LONGEST_ANSWER_S = 12 * HOUR_S
LONGEST_GRACE_S = 12 * HOUR_S
LONGEST_OBSERVING = dt.timedelta(days=90)
MOST_STOP_TIMES = 20
MOST_USD = Decimal(10_000_000)
TRIES = 3


def change(
    team: Team, values: Mapping[str, Any], *, actor: Actor, now: dt.datetime, seen_version: int | None
) -> bool:
    """Sets some of ``FIELDS`` and has every active job of the team looked at anew; False when nothing changes.

    ``seen_version`` is the version that the actor decided on; ``None`` for an act that does not depend on the rest.
    Raises :class:`TeamRefused`: ``outdated`` when somebody changed the policy meanwhile, for values that do not fit, and
    for a person who may not. To raise or lift a budget is for owners alone.
    """
    if unknown := set(values) - set(FIELDS):
        raise KeyError(f"no fields of the policy: {', '.join(sorted(unknown))}")
    AutostopPolicy.of(team.pk)
    for attempt in range(TRIES):
        try:
            return _change(team, values, actor, now, seen_version)
        except OperationalError:
            # A pass over many jobs may lock them in another order: PostgreSQL then ends one of the two.
            if attempt == TRIES - 1:
                raise
    return False


def enforce(team: Team, *, actor: Actor, now: dt.datetime) -> bool:
    """Stops for idleness are carried out from now on, each after a full warning; False when they are already. Raises
    :class:`TeamRefused`."""
    values = {"mode": AutostopPolicy.Mode.ENFORCE, "observe_until": None}
    return change(team, values, actor=actor, now=now, seen_version=None)


@transaction.atomic
def _change(
    team: Team, values: Mapping[str, Any], actor: Actor, now: dt.datetime, seen_version: int | None
) -> bool:
    """Locks the jobs, then the team, whose row also keeps changes of its policy apart."""
    active = Job.objects.filter(team=team).exclude(status__in=ENDED)
    held = list(active.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    Team.objects.select_for_update().get(pk=team.pk)
    row = AutostopPolicy.objects.get(pk=team.pk)
    changes = {name: value for name, value in values.items() if getattr(row, name) != value}
    _need(row, changes, actor)
    if seen_version is not None and seen_version != row.version:
        raise TeamRefused(
            "outdated",
            "Somebody changed the policy meanwhile, so nothing was saved. What you typed is still here: look at what "
            "holds now, then save again.",
        )
    if not changes:
        return False
    check({name: getattr(row, name) for name in FIELDS} | changes, changes, now)
    AutostopPolicy.objects.filter(pk=row.pk).update(
        **changes, **_marks(changes, now), version=F("version") + 1
    )
    Job.objects.filter(pk__in=held).update(evaluate_at=now, limits_version=F("limits_version") + 1)
    _tell(row, changes, actor, now)
    return True


def _marks(changes: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    marks: dict[str, Any] = {"changed_at": now} if MOVES_DEADLINES & changes.keys() else {}
    return marks | ({"schedule_changed_at": now} if "schedule" in changes else {})


# Rules ---------------------------------------------------------------------------------------------------------------


def check(values: Mapping[str, Any], changes: Mapping[str, Any], now: dt.datetime) -> None:
    """Raises :class:`TeamRefused` for the first value that does not fit; ``values`` are all of ``FIELDS``, ``changes``
    those that are new. What has nothing to do with the changes is not looked at."""
    for sure in ("high", "medium"):
        if any(name.startswith(sure) for name in changes):
            _check_idle(values, sure)
    if "boot_grace_s" in changes:
        _between(values, "boot_grace_s", SHORTEST_S, LONGEST_GRACE_S)
    if changes.keys() & set(CHECKIN):
        _check_checkins(values)
    if changes.keys() & set(MODE):
        _check_mode(values, changes, now)
    if "schedule" in changes:
        _check_schedule(values["schedule"])
    for name in changes.keys() & set(BUDGETS):
        amount = values[name]
        if amount is not None and not 0 < amount < MOST_USD:
            raise TeamRefused("invalid", "An amount above 0, or empty for no budget.", name)


def _check_checkins(values: Mapping[str, Any]) -> None:
    _between(values, "checkin_first_s", SHORTEST_S, LONGEST_CHECKIN_S)
    _between(values, "checkin_every_s", SHORTEST_S, LONGEST_CHECKIN_S)
    _between(values, "checkin_every_max_s", values["checkin_every_s"], LONGEST_CHECKIN_S)
    _between(values, "checkin_answer_s", SHORTEST_NOTICE_S, LONGEST_ANSWER_S)


def _check_idle(values: Mapping[str, Any], sure: str) -> None:
    limit = f"{sure}_idle_s"
    _between(values, limit, SHORTEST_S, LONGEST_IDLE_S)
    _between(values, f"{limit[:-2]}_max_s", values[limit], LONGEST_IDLE_S)
    lead = f"{sure}_lead_s"
    if not SHORTEST_NOTICE_S <= values[lead] < max(values[limit], SHORTEST_NOTICE_S + 1):
        raise TeamRefused("invalid", "At least 2 min, and shorter than the idle limit.", lead)


def _between(values: Mapping[str, Any], name: str, least: int, most: int) -> None:
    if not least <= values[name] <= most:
        raise TeamRefused("invalid", f"Between {_span(least)} and {_span(most)}.", name)


def _span(seconds: int) -> str:
    if seconds % HOUR_S == 0:
        hours = seconds // HOUR_S
        return f"{hours // 24} days" if hours % 24 == 0 and hours > 24 else f"{hours} h"
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def _check_mode(values: Mapping[str, Any], changes: Mapping[str, Any], now: dt.datetime) -> None:
    until = values["observe_until"]
    if values["mode"] not in AutostopPolicy.Mode.values:
        raise TeamRefused("invalid", "Observe or enforce.", "mode")
    if until is None:
        return
    if values["mode"] == AutostopPolicy.Mode.ENFORCE:
        raise TeamRefused("invalid", "What is enforced is not observed.", "observe_until")
    if "observe_until" in changes and not now < until <= now + LONGEST_OBSERVING:
        days = LONGEST_OBSERVING.days
        raise TeamRefused("invalid", f"A moment to come, at most {days} days from now.", "observe_until")


def _check_schedule(stored: object) -> None:
    if stored is None:
        return
    try:
        stops = schedule.from_json(stored).stops
    except ValueError as error:
        raise TeamRefused("invalid", str(error), "schedule") from None
    if len(stops) > MOST_STOP_TIMES:
        raise TeamRefused("invalid", f"At most {MOST_STOP_TIMES} stop times.", "schedule")


def _need(row: AutostopPolicy, changes: Mapping[str, Any], actor: Actor) -> None:
    """Reads the actor's role afresh, behind the team's lock."""
    role = Role.OWNER if actor == OPERATOR else seats.role_of_actor(row.team_id, actor)
    if not may(role, Action.MANAGE_LIMITS):
        raise TeamRefused("not_allowed", "Your role in this team does not allow that.")
    if may(role, Action.RAISE_SPENDING):
        return
    for name in BUDGETS:
        before, after = getattr(row, name), changes.get(name)
        if name in changes and before is not None and (after is None or after > before):
            raise TeamRefused("not_allowed", "Only an owner may raise or lift a budget.", name)
    if changes.get("budget_stops") is False and any(getattr(row, name) for name in BUDGETS):
        raise TeamRefused(
            "not_allowed", "Only an owner may let jobs go on when a budget is used up.", "budget_stops"
        )


# Telling -------------------------------------------------------------------------------------------------------------

_WORDS = {
    "the stop after idleness": IDLE,
    "the time at the start of a run": ("boot_grace_s",),
    "check-ins": CHECKIN,
    "the weekly stops": ("schedule",),
    "budgets": (*BUDGETS, "budget_stops"),
}


def _tell(row: AutostopPolicy, changes: Mapping[str, Any], actor: Actor, now: dt.datetime) -> None:
    before = {name: getattr(row, name) for name in changes}
    data = told_changes("teams.AutostopPolicy", before, changes) | {"version": row.version + 1}
    sentence = f"{actor.label} {_what_happened(changes)}"
    record(row.team_id, actor, "team.autostop_changed", ("team", row.team_id), sentence, now=now, data=data)


def _what_happened(changes: Mapping[str, Any]) -> str:
    parts = [words for words, names in _WORDS.items() if changes.keys() & set(names)]
    said = [f"changed the auto-stop policy: {', '.join(parts)}"] if parts else []
    if changes.keys() & set(MODE):
        mode = changes.get("mode")
        if mode == AutostopPolicy.Mode.ENFORCE:
            said.append("enforced stops for idleness")
        elif mode == AutostopPolicy.Mode.OBSERVE:
            said.append("let stops for idleness only be observed")
        else:
            said.append("moved the end of observing")
    return f"{', and '.join(said)}."
