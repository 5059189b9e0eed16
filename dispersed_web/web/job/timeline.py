"""The phases of a job: what is done and when, what goes on, how long that may take. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Status
from dispersed_web.web import words
from dispersed_web.web.job import connection
from dispersed_web.web.jobs.rows import NOT_LAUNCHED, is_starting, timeout_s
from dispersed_web.web.words import Phrase, said, since

NAMES = (
    ("asked", "Asked for", "Asked for"),
    ("accepted", "Accepted", "Sending"),
    ("assigned", "Node assigned", "Waiting for a node"),
    ("pulled", "Image pulled", "Pulling image"),
    ("running", "Running", "Running"),
    ("ended", "Ended", "Ending"),
)
# Where the work goes on while the cloud shows a status; a later try comes back to an earlier phase.
PLACES = {
    Status.QUEUED: 1,
    Status.LAUNCHING: 1,
    Status.UNCONFIRMED: 1,
    Status.PENDING: 2,
    Status.ASSIGNED: 3,
    Status.PREPARING: 3,
    Status.RUNNING: 4,
}
ENDING = 5


@dataclass(frozen=True, slots=True)
class Phase:
    """``state`` is done, current, todo, failed or unknown."""

    name: str
    state: str
    detail: Phrase


def phases(job: Job, now: dt.datetime, zone: dt.tzinfo) -> list[Phase]:
    """The six phases, from the wish to the end."""
    times = [job.created_at, job.launched_at, job.assigned_at, job.running_at, job.running_at, job.ended_at]
    reached = max(place for place, at in enumerate(times) if at is not None and place < ENDING)
    current = _current(job)
    made = []
    for place, ((key, done, doing), at) in enumerate(zip(NAMES, times, strict=True)):
        state = _state(job, place, current, reached)
        name = doing if state == "current" else done
        name = _name_of_use(job, state, now) if key == "running" else name
        made.append(Phase(name, state, _detail(job, key, state, at, now, zone)))
    return made


def _current(job: Job) -> int:
    """The place of the phase that goes on now."""
    if not job.is_active or job.stop_requested_at is not None:
        return ENDING
    return PLACES.get(job.state, ENDING)


def _name_of_use(job: Job, state: str, now: dt.datetime) -> str:
    """A machine that people connect to is of use once it can be reached."""
    is_to_come = state == "todo" and job.task == "PERSISTENT" and connection.publishes(job)
    if job.reachable_at is not None or is_to_come:
        return "Reachable"
    return "Starting" if is_starting(job, now) else "Running"


def _state(job: Job, place: int, current: int, reached: int) -> str:
    if place == 5 and not job.is_active:
        return "failed" if job.state == Status.FAILED else "done"
    if place == 1 and job.state == Status.UNCONFIRMED:
        return "unknown"
    if place == current:
        return "current"
    return "done" if place <= reached and place < current else "todo"


def _detail(
    job: Job, key: str, state: str, at: dt.datetime | None, now: dt.datetime, zone: dt.tzinfo
) -> Phrase:
    if state == "unknown":
        return said("no clear answer")
    if state == "current":
        return _going_on(job, key, now)
    if state == "todo":
        never = not job.is_active or job.stop_requested_at is not None
        return said("not reached") if never and key != "ended" else Phrase()
    if key == "ended" and job.reason in NOT_LAUNCHED:
        return said("not launched")
    return said(words.clock_time(at, now, zone)) if at else Phrase()


def _going_on(job: Job, key: str, now: dt.datetime) -> Phrase:
    begun = job.launched_at or job.created_at
    if key == "accepted":
        return since(job.created_at, now)
    if key == "assigned":
        return since(begun, now, after=f" of {words.round_duration(timeout_s(job, 'assign'))}")
    if key == "pulled":
        limit = words.round_duration(timeout_s(job, "start"))
        return since(job.run_started_at or job.assigned_at or begun, now, after=f" of {limit}")
    if key == "running" and job.running_at:
        return since(job.reachable_at or job.run_running_at or job.running_at, now, "for ")
    if key == "ended" and job.stop_requested_at:
        return since(job.stop_requested_at, now, "for ")
    return Phrase()
