"""The statuses of jobs and job runs (Dispersed docs, job-monitoring, stop-job; PREPARING and FAILING
seen in the field).
"""

from typing import Final

PENDING: Final = "PENDING"
ASSIGNED: Final = "ASSIGNED"
PREPARING: Final = "PREPARING"
RUNNING: Final = "RUNNING"
FAILING: Final = "FAILING"
CANCELLING: Final = "CANCELLING"
COMPLETED: Final = "COMPLETED"
FAILED: Final = "FAILED"
CANCELLED: Final = "CANCELLED"

LIVE: Final = (PENDING, ASSIGNED, PREPARING, RUNNING, FAILING, CANCELLING)
TERMINAL: Final = (COMPLETED, FAILED, CANCELLED)


def is_terminal(status: str) -> bool:
    """Whether a job or run with this status has ended. A status we do not know has not: it may still bill."""
    return status in TERMINAL
