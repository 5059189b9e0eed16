"""Budgets at work: people are told at 50, 80 and 100 percent, and what is used up stops jobs.

A mark is a row whose key names the budget, its day or month, and the percent: whoever inserts it tells. One that is not
reached any more, because the budget was raised, is taken away, so that the next crossing tells again.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet

from dispersed_web.accounts.models import User
from dispersed_web.autostop import budget_words
from dispersed_web.autostop.deadlines import BUDGET
from dispersed_web.autostop.models import BudgetMark
from dispersed_web.costs.budget import MARKS, Budget, marks
from dispersed_web.costs.budget import reached as is_reached
from dispersed_web.costs.spans import Span
from dispersed_web.events.models import Audience
from dispersed_web.events.record import ENGINE, record
from dispersed_web.jobs import spending
from dispersed_web.jobs.models import IN_CLOUD, Job
from dispersed_web.jobs.spending import Account
from dispersed_web.teams.models import AutostopPolicy

log = logging.getLogger(__name__)
CHUNK = 1000
ALL = 100
OWN = "The job's budget"
BUDGETS = ("team_day_usd", "team_month_usd", "member_day_usd", "member_month_usd")
COST_FIELDS = ("budget_usd", "spent_usd", "spending_since", "hourly_rate_usd")


@dataclass(frozen=True)
class Watched:
    """One budget that is looked at: of a team, of one of its members, or of a job. ``key`` stays the same while its day
    or month lasts; ``stops``: what is used up stops jobs."""

    key: str
    team_id: uuid.UUID
    user_id: int | None
    job_id: uuid.UUID | None
    span: Span | None
    budget: Budget
    stops: bool

    @property
    def jobs(self) -> QuerySet[Job]:
        """The jobs that it concerns, as far as they can be stopped."""
        rows = Job.objects.filter(team=self.team_id, status__in=IN_CLOUD, stop_requested_at=None)
        if self.job_id is not None:
            return rows.filter(pk=self.job_id)
        return rows if self.user_id is None else rows.filter(created_by=self.user_id)

    @property
    def subject(self) -> tuple[str, object]:
        if self.job_id is not None:
            return ("job", self.job_id)
        return ("team", self.team_id) if self.user_id is None else ("user", self.user_id)


def sweep(now: dt.datetime) -> None:
    """Tells of every budget that passed a mark, and has the engine look at the jobs of those that are used up."""
    watched = [*_of_teams(now), *_of_jobs(now)]
    known = _marks([f"{one.key}:{mark}" for one in watched for mark in MARKS])
    for one in watched:
        try:
            _lift(one, known)
            _tell(one, known, now)
            _wake(one, now)
        except Exception:
            log.exception("The budget %s could not be looked at.", one.key)


def _of_teams(now: dt.datetime) -> list[Watched]:
    policies = {
        policy.pk: policy for policy in AutostopPolicy.objects.filter(_has_budget(), team__deleted_at=None)
    }
    return [
        Watched(
            one.key, one.team_id, one.user_id, None, one.span, one.budget, policies[one.team_id].budget_stops
        )
        for one in _accounts(policies.values(), now)
    ]


def _has_budget() -> Q:
    found = Q()
    for name in BUDGETS:
        found |= Q(**{f"{name}__isnull": False})
    return found


def _of_jobs(now: dt.datetime) -> Iterator[Watched]:
    rows = Job.objects.filter(status__in=IN_CLOUD, stop_requested_at=None, budget_usd__gt=0)
    for job in rows.only("team", "created_by", *COST_FIELDS):
        yield Watched(_job_key(job), job.team_id, job.created_by_id, job.pk, None, _own(job, now), stops=True)


def _own(job: Job, now: dt.datetime) -> Budget:
    burns = job.hourly_rate_usd if job.spending_since and job.hourly_rate_usd else Decimal(0)
    return Budget(OWN, job.budget_usd, job.meter.read(now) or Decimal(0), burns)


def _job_key(job: Job) -> str:
    return f"job:{job.pk}"


def _accounts(policies: Iterable[AutostopPolicy], now: dt.datetime) -> list[Account]:
    """What was spent of the teams' budgets."""
    return spending.accounts([limit for policy in policies for limit in _limits(policy, now)], now)


def _limits(policy: AutostopPolicy, now: dt.datetime) -> list[spending.Limit]:
    """One team's mistake is logged and concerns no other team."""
    try:
        return spending.limits(policy, now)
    except (ValueError, KeyError, TypeError):
        log.exception("The budgets of the team %s cannot be read.", policy.pk)
        return []


# Marks ---------------------------------------------------------------------------------------------------------------


def _marks(keys: Sequence[str]) -> dict[str, BudgetMark]:
    found: dict[str, BudgetMark] = {}
    for start in range(0, len(keys), CHUNK):
        found |= BudgetMark.objects.in_bulk(keys[start : start + CHUNK])
    return found


def _lift(one: Watched, known: Mapping[str, BudgetMark]) -> None:
    """Takes away the marks that are not reached any more."""
    passed = marks(one.budget)
    for mark in MARKS:
        row = known.get(f"{one.key}:{mark}")
        if row is not None and mark not in passed:
            BudgetMark.objects.filter(pk=row.pk, at=row.at).delete()


def _tell(one: Watched, known: Mapping[str, BudgetMark], now: dt.datetime) -> None:
    """Sets the marks that are passed for the first time and tells of the highest; of two sweeps at once only one does."""
    passed = marks(one.budget)
    if not passed or f"{one.key}:{passed[-1]}" in known:
        return
    *lower, highest = (
        BudgetMark(key=f"{one.key}:{mark}", team_id=one.team_id, percent=mark, at=now) for mark in passed
    )
    with transaction.atomic():
        if not _is_first(highest):
            return
        BudgetMark.objects.bulk_create(lower, ignore_conflicts=True)
        _record(one, highest.percent, now)


def _record(one: Watched, percent: int, now: dt.datetime) -> None:
    budget, whose = _named(one)
    if one.span is None:
        sentence = budget_words.of_job(budget, percent, now)
    else:
        sentence = budget_words.of_somebody(budget, percent, one.span, whose, stops=one.stops, now=now)
    data = {
        "percent": percent,
        "name": budget.name,
        "limit_usd": f"{budget.limit_usd:.2f}",
        "spent_usd": f"{budget.spent_usd:.2f}",
    }
    audience = _audience(one, percent)
    record(
        one.team_id, ENGINE, "budget.reached", one.subject, sentence, now=now, data=data, audience=audience
    )


def _is_first(mark: BudgetMark) -> bool:
    defaults = {"team_id": mark.team_id, "percent": mark.percent, "at": mark.at}
    return BudgetMark.objects.get_or_create(key=mark.key, defaults=defaults)[1]


def _audience(one: Watched, mark: int) -> str:
    """A job's owner or the member whose budget it is; at 100 percent the team's admins as well. The team's is theirs."""
    is_of_somebody = one.job_id is not None or one.user_id is not None
    return Audience.JOB_OWNER if is_of_somebody and mark < ALL else Audience.ADMINS


def _named(one: Watched) -> tuple[Budget, str]:
    """The budget under the name of whose it is, and who that is."""
    if one.span is None or one.user_id is None:
        return one.budget, "the team"
    account = Account(one.team_id, one.user_id, one.span, one.budget)
    people = _people({one.user_id})
    return _with_name(account, people).budget, str(people.get(one.user_id, "its owner"))


def _people(user_ids: Iterable[int]) -> dict[int, User]:
    return dict(User.objects.only("name", "email").in_bulk(user_ids))


def _with_name(one: Account, people: Mapping[int, User]) -> Account:
    """Under the name of the member whose budget it is."""
    person = people.get(one.user_id) if one.user_id is not None else None
    return one.of(f"{person}'s") if person is not None else one


def _wake(one: Watched, now: dt.datetime) -> None:
    """Has the engine look at the jobs now. Again at each sweep, until they are warned: another pass of the engine may
    have put them off meanwhile."""
    if not one.stops or not is_reached(one.budget):
        return
    waiting = one.jobs.filter(evaluate_at__gt=now).exclude(verdict_rule=BUDGET)
    # One by one: nobody waits in a circle for somebody who changes the same jobs in another order.
    for job_id in waiting.values_list("pk", flat=True):
        Job.objects.filter(pk=job_id, evaluate_at__gt=now).update(evaluate_at=now)


def outdated(before: dt.datetime) -> QuerySet[BudgetMark]:
    """Marks of days and months that ended long ago. A job's own stay as long as the job."""
    return BudgetMark.objects.filter(at__lt=before).exclude(key__startswith="job:")


# For the engine ------------------------------------------------------------------------------------------------------

Reached = tuple[dt.datetime, str]


def reached(
    jobs: Collection[Job], policies: Mapping[uuid.UUID, AutostopPolicy], now: dt.datetime
) -> dict[uuid.UUID, Reached]:
    """For each job that a used-up budget is to stop: since when, and the budget's name.

    One query; a second where something is used up, because a budget that was raised since does not stop any more.
    """
    keys = _keys_of(jobs, policies, now)
    wanted = sorted({f"{key}:{ALL}" for some in keys.values() for key in some})
    at = {key.removesuffix(f":{ALL}"): mark.at for key, mark in _marks(wanted).items()}
    if not at:
        return {}
    names = _still_used_up(at.keys(), jobs, policies, now)
    found = {}
    for job_id, some in keys.items():
        first = min(
            (key for key in some if key in at and key in names), key=lambda key: at[key], default=None
        )
        if first is not None:
            found[job_id] = (at[first], names[first])
    return found


def _keys_of(
    jobs: Iterable[Job], policies: Mapping[uuid.UUID, AutostopPolicy], now: dt.datetime
) -> dict[uuid.UUID, list[str]]:
    """The keys of the budgets that may stop each job."""
    limits = {pk: _limits(policy, now) for pk, policy in policies.items() if policy.budget_stops}
    found = {}
    for job in jobs:
        some = [
            spending.key_of(job.team_id, job.created_by_id if limit.of_member else None, limit.span)
            for limit in limits.get(job.team_id, ())
            if not limit.of_member or job.created_by_id is not None
        ]
        found[job.pk] = some + ([_job_key(job)] if job.budget_usd is not None else [])
    return found


def _still_used_up(
    keys: Collection[str],
    jobs: Iterable[Job],
    policies: Mapping[uuid.UUID, AutostopPolicy],
    now: dt.datetime,
) -> dict[str, str]:
    """The names of those of these budgets that are used up, by their keys."""
    own = {_job_key(job): job for job in jobs if _job_key(job) in keys}
    found = {key: OWN for key, job in own.items() if is_reached(_own(job, now))}
    if own.keys() >= set(keys):
        return found
    used_up = [one for one in _accounts(policies.values(), now) if one.key in keys and is_reached(one.budget)]
    people = _people({one.user_id for one in used_up if one.user_id is not None})
    return found | {one.key: _with_name(one, people).budget.name for one in used_up}
