"""That a team's stops for idleness are only observed, and what they would have done in the last week."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import Count, Q

from dispersed_web.autostop.models import ObservedStop
from dispersed_web.teams.models import AutostopPolicy
from dispersed_web.web import words
from dispersed_web.web.jobs.bulk_words import counted

LATELY = dt.timedelta(days=7)


@dataclass(frozen=True)
class Observing:
    """``until`` is when it ends by itself, in words; empty: when an admin enforces."""

    until: str
    text: str


def of_team(team_id: uuid.UUID, now: dt.datetime, zone: dt.tzinfo) -> Observing | None:
    """``None`` where stops for idleness are carried out."""
    policy = AutostopPolicy.objects.filter(pk=team_id).first()
    if policy is None or policy.mode != AutostopPolicy.Mode.OBSERVE:
        return None
    if policy.observe_until is not None and policy.observe_until <= now:
        return None
    found = ObservedStop.objects.filter(team=team_id, at__gt=now - LATELY, at__lte=now).aggregate(
        jobs=Count("job", distinct=True),
        used=Count("job", distinct=True, filter=Q(used_again_at__isnull=False)),
    )
    until = words.day_time(policy.observe_until, now, zone) if policy.observe_until else ""
    return Observing(until, _text(found["jobs"], found["used"]))


def _text(jobs: int, used: int) -> str:
    if not jobs:
        return "In the last week no job would have been stopped."
    if not used:
        again = "It was not used again." if jobs == 1 else "None of them was used again."
    elif jobs == 1:
        again = "It was used again, so that stop would have been wrong."
    else:
        again = f"{used} of them {'was' if used == 1 else 'were'} used again, so those stops would have been wrong."
    return f"In the last week {counted(jobs)} would have been stopped. {again}"
