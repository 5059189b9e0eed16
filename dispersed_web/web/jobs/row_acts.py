"""The act of a row that fits now, with Stop beside it where that is another one. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dispersed_web.jobs import stop
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import IN_DOUBT, Status
from dispersed_web.web.job import lease_words
from dispersed_web.web.job.lease_words import Around


@dataclass(frozen=True, slots=True)
class Act:
    """What fits now. ``name`` says where its button leads, from the job's address on; ``ask/<act>`` opens a dialog and
    needs a member. One that ``does`` acts at once where scripts run, and asks where they do not."""

    label: str
    name: str
    look: str = "quiet"
    does: str = ""

    @property
    def asks(self) -> bool:
        return self.name.startswith("ask/")


EXTEND = Act("Extend", "ask/extend", "primary")
IN_USE = Act("Still in use", "ask/in-use", "primary", does="in-use/")
ACCEPT = Act("Accept price", "ask/price", "primary")
DECIDE = Act("Decide", "decide", "primary")
STOP = Act("Stop", "ask/stop")
STOP_WHEN_FOUND = Act("Stop when found", "ask/stop")
CONNECT = Act("Connect", "#connect")
LOGS = Act("Logs", "logs/")
DETAILS = Act("Details", "", "danger")
AGAIN = Act("Launch again", "again")


def acts_of(job: Job, now: dt.datetime, around: Around = lease_words.ALONE) -> tuple[Act, ...]:
    """The one thing that fits now, with Stop beside it where that is another one."""
    if not job.is_active:
        return () if job.is_stopping else (AGAIN,)
    if stop.is_stuck(job, now):
        return (DETAILS,)
    if job.stop_requested_at is not None:
        return ()
    if job.missing_alarmed_at:
        return (DETAILS, STOP)
    if job.state in IN_DOUBT:
        return (STOP_WHEN_FOUND,)
    if around.holds(job):
        return (DECIDE, STOP)
    first = _of_the_lease(job)
    return (first, STOP) if first else (STOP,)


def _of_the_lease(job: Job) -> Act | None:
    """What answers the announced stop; without one, what people do with a running job."""
    if lease_words.is_too_dear(job):
        return ACCEPT
    if lease_words.is_asked(job):
        return IN_USE
    if lease_words.is_warned(job) and lease_words.may_be_extended(job):
        return EXTEND
    if job.state != Status.RUNNING:
        return None
    return CONNECT if job.task == "PERSISTENT" else LOGS
