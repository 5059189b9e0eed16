"""What is known of the end of a job, and what a cause of it is. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dispersed_web.jobs.models import Job, JobRun

# Who ends sooner than this after the start never did what it was meant to.
AT_ONCE = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Cause:
    """``key`` names it, ``title`` says it in a few words, ``text`` what that means, ``next`` what to do. ``acts`` are
    offered: relaunch (after a change), same (as it was), logs, credential. ``longer`` is the time that was too short, as
    the launch form calls it, and ``longer_s`` how long it was."""

    key: str
    title: str
    text: str
    next: str
    acts: tuple[str, ...] = ("relaunch",)
    longer: str = ""
    longer_s: int = 0


@dataclass(frozen=True)
class Facts:
    """What is known of an end. ``said`` are the cloud's words in lower case, ``log`` the end of the log."""

    job: Job
    runs: Sequence[JobRun]
    said: str
    log: str
    ran: dt.timedelta | None

    @property
    def never_ran(self) -> bool:
        return self.job.running_at is None

    @property
    def ended_at_once(self) -> bool:
        return self.ran is not None and self.ran < AT_ONCE


def has(text: str, pattern: str) -> bool:
    """Whether the pattern is somewhere in the text, whatever the case."""
    return re.search(pattern, text, re.IGNORECASE) is not None
