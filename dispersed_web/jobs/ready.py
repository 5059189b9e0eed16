"""The word that a machine is ready: once for each run, and only to those who had to wait for it.

What is told is decided here; the update that makes it happen at most once is in ``applying.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from dispersed_web.events.models import Audience
from dispersed_web.events.record import CLOUD, record
from dispersed_web.jobs import runs
from dispersed_web.jobs.models import Job, JobRun, Origin

# Who waits for less than this still has the page before them, which shows it at once.
WORTH_TELLING = dt.timedelta(minutes=1)
_KNOWN_BEFORE = (Origin.ADOPTED, Origin.IMPORTED)


def is_news(job: Job, all_runs: Sequence[JobRun], now: dt.datetime) -> bool:
    """Whether somebody waits to hear that the job, which has just become reachable, is: it is a machine to connect to,
    it is not being stopped, it took a minute or more, and it was not found in this state. The second node of a launch is
    no news, a node in place of a lost one is."""
    if job.task != "PERSISTENT" or job.stop_requested_at is not None:
        return False
    newest = runs.newest(runs.live(all_runs))
    if newest is None or (job.origin in _KNOWN_BEFORE and newest.reachable_at == newest.first_seen_at):
        return False
    if job.reachable_at is not None and newest.first_seen_at <= job.reachable_at:
        return False
    return now - waits_since(job, all_runs) >= WORTH_TELLING


def waits_since(job: Job, all_runs: Sequence[JobRun]) -> dt.datetime:
    """When the waiting for the present run began: with the launch, or with the end of the run before it."""
    ends = [run.ended_at for run in all_runs if run.ended_at is not None]
    return max([job.launched_at or job.created_at, *ends])


def tell(job: Job, all_runs: Sequence[JobRun], now: dt.datetime) -> None:
    """The event and its notice. The caller moves the team's version."""
    minutes = int((now - waits_since(job, all_runs)).total_seconds()) // 60
    again = any(run.ended_at is not None for run in all_runs)
    what = "ready again, with new addresses" if again else "ready and can be reached"
    sentence = f"The machine is {what}. It took {minutes} minute{'s' * (minutes != 1)}."
    record(
        job.team_id,
        CLOUD,
        "job.ready",
        ("job", job.pk),
        sentence,
        now=now,
        data={"waited_minutes": minutes},
        audience=Audience.JOB_OWNER,
        bump=False,
    )
