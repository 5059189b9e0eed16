"""How far the start of a job has come, how long that may take, and what happens when the time is over. Pure.

The cloud's own limits end a wait: for a node, for the container to start, for a BATCH run. What follows depends on how
many retries the launch allowed, so that is said beforehand. What comes after a limit that passed unnoticed is said too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from dispersed_web.dispersed import is_terminal
from dispersed_web.jobs import runs as job_runs
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import IN_DOUBT, Status
from dispersed_web.web import words
from dispersed_web.web.job import connection
from dispersed_web.web.jobs import rows
from dispersed_web.web.words import Phrase, minutes_of, since

# A second of grace: the cloud ends things on its own clock, and we see it with the next look.
LOOKED_AT_SOON = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A time that runs against a limit, drawn as a bar. Seconds."""

    since: dt.datetime
    limit_s: int
    value_s: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What goes on: ``title``, the time it takes (``taken`` in words, ``gauge`` as a bar where a limit is known), a
    sentence about it, and what happens at the limit (``then``). ``nodes`` counts the nodes of a job with several."""

    title: str
    taken: Phrase
    gauge: Gauge | None
    text: str
    then: str
    nodes: str = ""


def progress(job: Job, runs: Sequence[JobRun], now: dt.datetime, zone: dt.tzinfo) -> Progress | None:
    """What the job waits for; ``None`` when it waits for nothing: it can be used, it is being stopped, or it has ended."""
    if not job.is_active or job.stop_requested_at is not None or job.missing_since is not None:
        return None
    told = _Told(job, runs, now, zone)
    match job.state:
        case Status.QUEUED | Status.LAUNCHING | Status.UNCONFIRMED:
            return told.sending()
        case Status.PENDING:
            return told.assigning()
        case Status.ASSIGNED | Status.PREPARING:
            return told.pulling()
        case Status.RUNNING:
            return told.working() if job.task == "BATCH" else told.starting()
    return None


class _Told:
    """One job at one moment."""

    def __init__(self, job: Job, runs: Sequence[JobRun], now: dt.datetime, zone: dt.tzinfo) -> None:
        self.job, self.now, self.zone = job, now, zone
        self.live = [run for run in runs if not is_terminal(run.status)]
        self.ended = [run for run in runs if is_terminal(run.status)]
        self.run = job_runs.newest(self.live)

    def sending(self) -> Progress:
        job = self.job
        if job.state in IN_DOUBT:
            return self._in_doubt()
        then = f"If it cannot be sent by {self._clock(job.send_by)}, it is given up. Nothing was started, so nothing costs."
        limit_s = int((job.send_by - job.created_at).total_seconds())
        text = job.reason_text or "It waits for its turn to be sent to Dispersed, which takes a few seconds."
        return self._timed("Waiting to be sent", job.created_at, limit_s, text, then)

    def _in_doubt(self) -> Progress:
        job, known = self.job, rows.known_by(self.job)
        if job.state == Status.LAUNCHING or known is None:
            begun = job.unknown_since or job.created_at
            text = "An answer takes a few seconds. Without a clear one it is looked for before anything is sent again."
            title = "Sending to Dispersed" if job.state == Status.LAUNCHING else "Looking for it at Dispersed"
            return Progress(title, since(begun, self.now), None, text, "")
        begun = job.unknown_since or job.created_at
        limit_s = max(int((known - begun).total_seconds()), 60)
        then = "Then it is certain whether it runs: found, it goes on as usual; absent, nothing was started."
        return self._timed("Looking for it at Dispersed", begun, limit_s, "It is never sent twice.", then)

    def assigning(self) -> Progress:
        begun = job_runs.newest(self.ended)
        start = (begun.ended_at if begun else None) or self.job.launched_at or self.job.created_at
        limit_s = rows.timeout_s(self.job, "assign")
        text = "Dispersed looks for a free node that fits. As far as is known, billing begins with a node."
        if self.ended:
            text = f"The last try ended, and Dispersed looks for another node. {self._tries()}".strip()
        then = self._then(start, limit_s, "no node is found", "the cloud ends the job as failed.")
        return self._timed("Waiting for a node", start, limit_s, text, then)

    def pulling(self) -> Progress:
        start = self._run_start()
        limit_s = rows.timeout_s(self.job, "start")
        text = "A node was found and fetches the image. Large images take up to ten minutes where a node has not kept them."
        what = "the container has not started"
        then = self._then(start, limit_s, what, f"the cloud gives up this try. {self._after_failure()}")
        return self._timed("Pulling the image", start, limit_s, f"{text} {self._tries()}".strip(), then)

    def starting(self) -> Progress | None:
        """The container runs; people wait for its address."""
        found = connection.connection(self.job, [*self.live, *self.ended], self.now)
        if found.state == "ready":
            return self._further_nodes()
        if found.state != "waiting":
            return None
        begun = self.job.run_running_at or self.job.running_at or self.now
        limit_s = int(connection.LATE_AFTER.total_seconds())
        text = "The container runs. Its address comes some seconds to two minutes later."
        then = (
            f"Without an address by {self._clock(begun + connection.LATE_AFTER)}, this page says what to do."
        )
        return self._timed("Starting", begun, limit_s, text, then)

    def _further_nodes(self) -> Progress | None:
        """Some nodes can be used, others are still on their way."""
        behind = [run for run in self.live if not run.node_urls]
        if not behind:
            return None
        begun = min(run.started_at or run.first_seen_at for run in behind)
        limit_s = rows.timeout_s(self.job, "start")
        then = self._then(begun, limit_s, "the others have not started", "the cloud gives those up.")
        text = "What is reachable can be used now. Some nodes never finish: four of six is usual."
        return self._timed("Waiting for the other nodes", begun, limit_s, text, then)

    def working(self) -> Progress | None:
        """A BATCH run, which the cloud ends at its limit."""
        run_ms = self.job.spec_value("max_timeout_run_ms")
        begun = self.job.run_running_at or self.job.running_at
        if not run_ms or begun is None:
            return None
        limit_s = int(run_ms) // 1000
        then = self._then(
            begun, limit_s, "it has not ended", f"the cloud ends this run. {self._after_failure()}"
        )
        return self._timed("Running", begun, limit_s, f"It ends by itself. {self._tries()}".strip(), then)

    def _timed(self, title: str, start: dt.datetime, limit_s: int, text: str, then: str) -> Progress:
        value_s = min(max(int((self.now - start).total_seconds()), 0), limit_s)
        taken = minutes_of(start, self.now, limit_s)
        return Progress(title, taken, Gauge(start, limit_s, value_s), text, then, self._nodes())

    def _then(self, start: dt.datetime, limit_s: int, what: str, follows: str) -> str:
        """What happens at the limit; past it, that it is awaited."""
        end = start + dt.timedelta(seconds=limit_s)
        if self.now > end + LOOKED_AT_SOON:
            return f"Its time was over at {self._clock(end)}, and Dispersed has not ended it yet. You can stop it yourself."
        return f"If {what} by {self._clock(end)}, {follows}".strip()

    def _after_failure(self) -> str:
        left = self._retries_left()
        if left == 0:
            return (
                "The job then ends as failed: no retry is left."
                if self.ended
                else "The job then ends as failed."
            )
        more = "one more try is allowed" if left == 1 else f"{left} more tries are allowed"
        return f"A new run on another node follows: {more}."

    def _tries(self) -> str:
        """Which try this is, where it is not the first."""
        number = len([run for run in self.ended if run.status == "FAILED"]) + 1
        if number == 1 or self.job.spec_value("max_node_count", 1) not in (None, 1):
            return ""
        return f"This is try {number}."

    def _retries_left(self) -> int:
        allowed = int(self.job.spec_value("max_retry_count") or 0)
        return max(allowed - len([run for run in self.ended if run.status == "FAILED"]), 0)

    def _nodes(self) -> str:
        wanted = int(self.job.spec_value("max_node_count") or 1)
        if wanted == 1 or self.job.state not in (Status.ASSIGNED, Status.PREPARING, Status.RUNNING):
            return ""
        reachable = len([run for run in self.live if run.node_urls])
        return f"{wanted} nodes asked for, {len(self.live)} assigned, {reachable} reachable."

    def _run_start(self) -> dt.datetime:
        if self.run is not None:
            return self.run.started_at or self.run.first_seen_at
        return self.job.run_started_at or self.job.assigned_at or self.job.launched_at or self.job.created_at

    def _clock(self, at: dt.datetime) -> str:
        return words.clock_time(at, self.now, self.zone)
