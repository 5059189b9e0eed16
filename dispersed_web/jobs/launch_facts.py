"""What the guard judges a launch by, read afresh from the rows."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Launcher:
    """Whose right a launch is judged by. ``at_most`` bounds their role, as a token's scope does, and so does the token that
    the launch was ``asked_with``, which must still be good."""

    user_id: int | None
    at_most: str | None = None
    asked_with: uuid.UUID | None = None


@dataclass(frozen=True)
class Outline:
    """What would be launched: when it ends at the latest, its price and its own budget; ``asked`` is what the caps of the
    credential are held against."""

    hard_end_at: dt.datetime | None
    quoted_usd: Decimal | None
    budget_usd: Decimal | None = None
    asked: cap_facts.AskedOf | None = None


def gather(
    team: Team,
    credential: Credential,
    launcher: Launcher,
    outline: Outline,
    now: dt.datetime,
    *,
    others: Q | None = None,
) -> guard.LaunchFacts:
    """What the guard needs, read afresh. ``others`` narrows which of the team's jobs count against its caps and those of
    the credential."""
    row = Team.objects.get(pk=team.pk)
    key = Credential.objects.annotate(replaced_by=F("successor__name")).get(pk=credential.pk, team=team)
    token_id = launcher.asked_with
    worth = api_tokens.worth_now(token_id, team.pk, now) if token_id else launcher.at_most
    role = seats.role_of(team, launcher.user_id, worth)
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
        hard_end_at=outline.hard_end_at,
        frozen=row.launches_frozen,
        active_jobs=active_jobs,
        max_active_jobs=row.max_active_jobs,
        burning_usd=burning_usd,
        quoted_usd=outline.quoted_usd,
        max_hourly_usd=row.max_hourly_usd,
        budgets=_budgets(team, launcher.user_id, now),
        job_budget_usd=outline.budget_usd,
        may_use=usable.is_usable(key, launcher.user_id, role),
        asks="an owner of the team" if key.managed_by == "owners" else "an admin of the team",
        standing=_standing(key, now, outline.asked, others),
        may_act=installation.may_act(),
        token_is_over=token_id is not None and worth is None,
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
