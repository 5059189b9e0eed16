"""What the guard judges a launch by, read afresh from the rows."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

from django.db.models import Count, F, Q, QuerySet, Sum

from dispersed_web.costs.budget import Budget
from dispersed_web.costs.spans import Span
from dispersed_web.credentials import usable
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs import cap_facts, caps, guard, spending
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.teams import api_tokens, installation, seats
from dispersed_web.teams.models import AutostopPolicy, Team


def gather(
    team: Team,
    credential: Credential,
    user_id: int | None,
    hard_end_at: dt.datetime | None,
    quoted_usd: Decimal | None,
    now: dt.datetime,
    *,
    at_most: str | None = None,
    asked_with: uuid.UUID | None = None,
    others: Q | None = None,
    budget_usd: Decimal | None = None,
    asked: cap_facts.AskedOf | None = None,
) -> guard.LaunchFacts:
    """What the guard needs, read afresh. ``at_most`` bounds the launcher's role, as a token's scope does, and so does the
    token that it was ``asked_with``, which must still be good; ``others`` narrows which of the team's jobs count against its
    caps and those of the credential; ``budget_usd`` is the job's own budget, ``asked`` what the credential's caps are held
    against."""
    row = Team.objects.get(pk=team.pk)
    key = Credential.objects.annotate(replaced_by=F("successor__name")).get(pk=credential.pk, team=team)
    worth = api_tokens.worth_now(asked_with, team.pk, now) if asked_with else at_most
    role = seats.role_of(team, user_id, worth)
    active_jobs, burning_usd = _counted(Job.objects.filter(team=team).exclude(status__in=ENDED), others)
    return guard.LaunchFacts(
        role=role,
        credential_state=key.state,
        credential_failure=key.failure,
        listing_is_fresh=key.listing_is_fresh(now),
        listing_failed=key.failures > 0,
        cancel_refused=key.cancel_refused_at is not None,
        clock_is_off=key.clock_is_off(),
        expires_at=key.expires_at,
        hard_end_at=hard_end_at,
        frozen=row.launches_frozen,
        active_jobs=active_jobs,
        max_active_jobs=row.max_active_jobs,
        burning_usd=burning_usd,
        quoted_usd=quoted_usd,
        max_hourly_usd=row.max_hourly_usd,
        budgets=_budgets(team, user_id, now),
        job_budget_usd=budget_usd,
        may_use=usable.is_usable(key, user_id, role),
        asks="an owner of the team" if key.managed_by == "owners" else "an admin of the team",
        standing=_standing(key, now, asked, others),
        may_act=installation.may_act(),
        token_is_over=asked_with is not None and worth is None,
        replaced_by=key.replaced_by or "",
    )


def _counted(active: QuerySet[Job], others: Q | None) -> tuple[int, Decimal]:
    """How many of the jobs count, and what they cost per hour; the quoted price where none is known yet."""
    sums = active.filter(others or Q()).aggregate(
        count=Count("pk"),
        known=Sum("hourly_rate_usd"),
        quoted=Sum("quoted_usd", filter=Q(hourly_rate_usd=None)),
    )
    return sums["count"], (sums["known"] or Decimal(0)) + (sums["quoted"] or Decimal(0))


def _standing(
    key: Credential, now: dt.datetime, asked: cap_facts.AskedOf | None, others: Q | None
) -> caps.Standing | None:
    set_caps = cap_facts.caps_of(key)
    return cap_facts.standing(key, set_caps, now, asked=asked, others=others) if set_caps else None


def _budgets(team: Team, user_id: int | None, now: dt.datetime) -> tuple[tuple[Budget, Span], ...]:
    """The team's budgets and the launcher's."""
    found = spending.accounts(spending.limits(AutostopPolicy.of(team.pk), now), now)
    mine = (one.of("Your") for one in found if one.user_id == user_id and user_id is not None)
    return tuple((one.budget, one.span) for one in (*(one for one in found if one.user_id is None), *mine))
