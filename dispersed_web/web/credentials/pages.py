"""What the pages of credentials show."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum

from dispersed_web.costs.spans import Kind
from dispersed_web.credentials import usable
from dispersed_web.credentials.blast import means, why_not_delete
from dispersed_web.credentials.models import Credential, CredentialCaps, CredentialState, UsableBy
from dispersed_web.credentials.use import may_manage
from dispersed_web.jobs import cap_facts, radius, spending
from dispersed_web.jobs.history import latest
from dispersed_web.jobs.models import ENDED, Job, UnmanagedJob
from dispersed_web.teams.models import AutostopPolicy
from dispersed_web.teams.roles import Action
from dispersed_web.web import words
from dispersed_web.web.access import Seat
from dispersed_web.web.credential_words import Health, health
from dispersed_web.web.forms.credential_rules import cap_lines
from dispersed_web.web.views.history import context_of

USABLE = {
    UsableBy.MEMBERS: "Every member",
    UsableBy.ADMINS: "Admins and owners",
    UsableBy.CHOSEN: "Chosen members",
}
ACTS = {"list": "See jobs", "launch": "Launch", "stop": "Stop", "prices": "See prices"}
PAST = (CredentialState.RETIRED, CredentialState.GONE)


@dataclass(frozen=True)
class Line:
    """One credential in the list."""

    row: Credential
    health: Health
    use: str
    is_for_me: bool
    active: int
    rate: str
    caps: str


def of_list(seat: Seat, user_id: int, now: dt.datetime) -> dict[str, Any]:
    """Those in use, and below them those that retire or are gone."""
    rows = list(
        Credential.objects.filter(team=seat.team)
        .select_related("last_used_by", "caps", "successor")
        .order_by("name")
    )
    mine = {one.pk for one in usable.of_those(rows, user_id, seat.role)}
    burns = _burns(seat)
    lines = [_line(row, row.pk in mine, burns.get(row.pk), now) for row in rows]
    return {
        "team": seat.team,
        "lines": [line for line in lines if line.row.state not in PAST],
        "past": [line for line in lines if line.row.state in PAST],
        "may_credentials": seat.may(Action.MANAGE_CREDENTIALS),
        "may_launch": seat.may(Action.LAUNCH),
    }


def _burns(seat: Seat) -> dict[Any, tuple[int, Decimal]]:
    rows = Job.objects.filter(team=seat.team).exclude(status__in=ENDED).order_by().values("credential")
    sums = rows.annotate(count=Count("pk"), usd=Sum(cap_facts.PRICE))
    return {one["credential"]: (one["count"], one["usd"] or Decimal(0)) for one in sums}


def _line(row: Credential, is_for_me: bool, burns: tuple[int, Decimal] | None, now: dt.datetime) -> Line:
    count, usd = burns or (0, Decimal(0))
    set_caps = cap_lines(_caps(row))
    return Line(
        row,
        health(row, now),
        USABLE[UsableBy(row.usable_by)],
        is_for_me,
        count,
        words.rate(usd) if usd else "",
        f"{len(set_caps)} cap{'s' * (len(set_caps) != 1)}" if set_caps else "",
    )


def _caps(row: Credential) -> CredentialCaps | None:
    return getattr(row, "caps", None)


def of_one(seat: Seat, row: Credential, user_id: int, now: dt.datetime) -> dict[str, Any]:
    """One of them: how it is doing, who may use it, its caps, what it is used for, what hangs on it."""
    manages = may_manage(seat.role, row.managed_by)
    is_past = row.state in PAST
    blast = radius.of(row, now)
    hangs = blast.running or blast.in_doubt
    return {
        "team": seat.team,
        "credential": row,
        "health": health(row, now),
        "means": means(blast) if row.state == CredentialState.BROKEN and hangs else "",
        "use": USABLE[UsableBy(row.usable_by)],
        "is_for_me": usable.is_usable(row, user_id, seat.role),
        "managed_by": "Owners alone" if row.managed_by == "owners" else "Admins and owners",
        "caps": cap_lines(CredentialCaps.objects.filter(credential=row).first()),
        "permissions": _permissions(row),
        "this_month": _this_month(seat, row, now),
        "blast": blast,
        "why_not": why_not_delete(blast),
        "predecessors": list(row.predecessors.order_by("-retired_at")),
        "active_jobs": len(blast.running) + blast.queued + blast.in_doubt,
        "unmanaged": UnmanagedJob.objects.filter(credential=row).count(),
        "may_credentials": seat.may(Action.MANAGE_CREDENTIALS) and not is_past,
        "manages": manages and not is_past,
        "may_delete": manages and row.state != CredentialState.GONE,
        "disabled": row.state == CredentialState.DISABLED,
        "can_switch": row.state in (CredentialState.ACTIVE, CredentialState.DISABLED),
        "is_past": is_past,
        **context_of(latest(row)),
    }


def _permissions(row: Credential) -> list[dict[str, Any]]:
    """What the cloud was seen to allow, in a fixed order; ``None`` for what was never tried."""
    return [
        {"label": label, "allowed": row.permissions.get(act, {}).get("allowed")}
        for act, label in ACTS.items()
    ]


def _this_month(seat: Seat, row: Credential, now: dt.datetime) -> dict[str, Any]:
    """What was launched with it and with the keys that it replaced, and what that cost."""
    keys = cap_facts.lineage(row)
    zone = spending.zone_of(AutostopPolicy.of(seat.team.pk))
    usd = spending.with_credentials(seat.team.pk, keys, zone, now)
    since = now - dt.timedelta(days=30)
    launched = Job.objects.filter(team=seat.team, credential__in=keys, created_at__gt=since)
    counted = launched.aggregate(jobs=Count("pk"), people=Count("created_by", distinct=True, filter=Q()))
    return {
        "day": words.money(usd[Kind.DAY]),
        "month": words.money(usd[Kind.MONTH]),
        "jobs": counted["jobs"],
        "people": counted["people"],
    }
