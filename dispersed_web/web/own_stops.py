"""The reader's own jobs that stop soon: said above every page that does not list them anyway, because whoever works on
something else has the product open all the same."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.urls import reverse

from dispersed_web.autostop import deadlines
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.teams.models import Team
from dispersed_web.web import around, words
from dispersed_web.web.banners import Banner
from dispersed_web.web.job import lease_words
from dispersed_web.web.words import Phrase

NAMED = 3
MOST = 100
# These say it themselves.
TOLD_ON = frozenset({"team-home", "jobs", "inbox"})
COLUMNS = (
    *("title", "status", "stop_at", "verdict_rule", "launched_at", "created_at", "lifetime_s", "ceiling_s"),
    *("protected_until", "extend_until", "quiet_since", "warned_at", "stop_requested_at"),
)


def banner(user_id: int, team: Team, now: dt.datetime, *, but: uuid.UUID | None = None) -> Banner | None:
    """What the person is told of the jobs of theirs that were announced to stop; ``but`` is the job whose page it is.
    A query, and
    one more where there are any."""
    rows = Job.objects.filter(team=team, owner=user_id, warned_at__isnull=False, stop_requested_at=None)
    rows = rows.exclude(status__in=ENDED).exclude(stop_at=None).exclude(pk=but)
    found = list(rows.order_by("stop_at", "pk").only(*COLUMNS)[:MOST])
    jobs = _without_held(found, team) if found else []
    if not jobs:
        return None
    if len(jobs) == 1:
        return Banner(
            "warning", _of_one(jobs[0], now), reverse("web:job", args=[team.slug, jobs[0].pk]), "Open it"
        )
    page = f"{reverse('web:jobs', args=[team.slug])}?show=attention&whose=mine"
    return Banner("warning", _of_many(jobs, now), page, "Look")


def _without_held(jobs: Sequence[Job], team: Team) -> list[Job]:
    """What waits for a decision is told by the banner that asks for it."""
    hold = around.open_hold(team.pk)
    held = set(hold.job_ids) if hold else set()
    return [job for job in jobs if job.verdict_rule != deadlines.IDLE or str(job.pk) not in held]


def _of_one(job: Job, now: dt.datetime) -> Phrase:
    if job.verdict_rule == deadlines.CHECKIN:
        return words.until(job.stop_at, now, f"Still using “{job.title}”? Without an answer it stops ", ".")
    if job.verdict_rule == deadlines.IDLE:
        return words.until(job.stop_at, now, f"“{job.title}” stops ", ", unless it is used or extended.")
    return words.until(job.stop_at, now, f"“{job.title}” stops ", f" ({lease_words.why_of(job)}).")


def _of_many(jobs: Sequence[Job], now: dt.datetime) -> Phrase:
    names = ", ".join(f"“{job.title}”" for job in jobs[:NAMED])
    more = f" and {len(jobs) - NAMED} more" if len(jobs) > NAMED else ""
    many = f"{len(jobs)} of your jobs stop soon, the first "
    return words.until(jobs[0].stop_at, now, many, f": {names}{more}.")
