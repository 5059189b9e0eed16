"""The statuses of a job, and what the cloud's words mean for ours. Pure."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The first three are ours, for the time before the cloud is known to know the job; the rest are the cloud's own."""

    QUEUED = "QUEUED"
    LAUNCHING = "LAUNCHING"
    UNCONFIRMED = "UNCONFIRMED"
    PENDING = "PENDING"
    ASSIGNED = "ASSIGNED"
    PREPARING = "PREPARING"
    RUNNING = "RUNNING"
    FAILING = "FAILING"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Reason(StrEnum):
    """Why a job ended, or is being stopped."""

    IDLE = "idle"
    CHECKIN_UNANSWERED = "checkin_unanswered"
    MAX_LIFETIME = "max_lifetime"
    SCHEDULE = "schedule"
    BUDGET = "budget"
    RATE = "rate"
    USER = "user"
    ADMIN = "admin"
    TEAM_EMERGENCY = "team_emergency"
    CLOUD = "cloud"
    EXITED = "exited"
    LOST = "lost"
    STUCK_STARTING = "stuck_starting"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    NEVER_ARRIVED = "never_arrived"
    REFUSED = "refused"


REASON_WORDS = {
    Reason.IDLE: "idle",
    Reason.CHECKIN_UNANSWERED: "check-in not answered",
    Reason.MAX_LIFETIME: "maximum lifetime reached",
    Reason.SCHEDULE: "schedule",
    Reason.BUDGET: "budget used up",
    Reason.RATE: "price above the cap",
    Reason.USER: "stopped by a person",
    Reason.ADMIN: "stopped by an admin",
    Reason.TEAM_EMERGENCY: "team emergency stop",
    Reason.CLOUD: "ended by the cloud",
    Reason.EXITED: "ended by itself",
    Reason.LOST: "lost",
    Reason.STUCK_STARTING: "stuck while starting",
    Reason.SUPERSEDED: "replaced by a newer launch",
    Reason.EXPIRED: "never sent",
    Reason.NEVER_ARRIVED: "never reached the cloud",
    Reason.REFUSED: "refused by the cloud",
}

ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
UNSENT = frozenset({Status.QUEUED})
IN_DOUBT = frozenset({Status.LAUNCHING, Status.UNCONFIRMED})
IN_CLOUD = frozenset(Status) - ENDED - UNSENT - IN_DOUBT
STARTING = frozenset({Status.PENDING, Status.ASSIGNED, Status.PREPARING})
UNDER_WAY = UNSENT | IN_DOUBT | STARTING | {Status.FAILING, Status.CANCELLING}

_CLOUD_WORDS = {status.value: status for status in IN_CLOUD | ENDED}


def from_cloud(job_status: str, run_status: str | None, previous: Status) -> Status:
    """Our status for what the cloud says of a job and of its newest live run (``None``: no live run is known).

    The cloud's job passes from ASSIGNED straight to RUNNING while its run is PREPARING, so the run tells the finer
    step. A word nobody knows counts as not finished: the job keeps its status, or counts as RUNNING when it has no
    status of the cloud yet, because an unknown job bills.
    """
    status = _CLOUD_WORDS.get(job_status)
    if status is None:
        return previous if previous in IN_CLOUD else Status.RUNNING
    if status in (Status.PENDING, Status.ASSIGNED) and run_status in ("ASSIGNED", "PREPARING"):
        return Status(run_status)
    if status == Status.RUNNING and run_status == "PREPARING":
        return Status.PREPARING
    return status


def end_reason(status: Status, stop_reason: str) -> Reason:
    """Why a job that the cloud shows as ended did end, given the reason of our own stop, if we asked for one."""
    if stop_reason:
        return Reason(stop_reason)
    if status == Status.COMPLETED:
        return Reason.EXITED
    return Reason.CLOUD
