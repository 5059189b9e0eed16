"""Auto-stop at work: finds the jobs that are due for a look, decides, warns, asks for the stop.

Every change names the ``limits_version`` that was decided on, so that an extension or another engine that came first
wins, and the loser's verdict is dropped.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from dispersed_web.autostop import breaker, facts, notices, policy
from dispersed_web.autostop.deadlines import IDLE
from dispersed_web.autostop.models import VerdictChange
from dispersed_web.autostop.policy import State, Verdict
from dispersed_web.autostop.record import as_json
from dispersed_web.events.record import ENGINE
from dispersed_web.jobs import queries, stop
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.teams.models import Team

log = logging.getLogger(__name__)
BATCH = 2000
CHUNK = 500
# Deadlines are computed, so a look at the next one is enough; the longest wait bounds what a lost wake-up costs.
LONGEST_WAIT = dt.timedelta(minutes=15)
AFTER_A_FAULT = dt.timedelta(minutes=1)
HELD = "its turn, or a decision: many jobs would be stopped for idleness at once"
# Moves of a moment by less are not worth a new page for everybody.
VISIBLE = dt.timedelta(minutes=1)
# A verdict that differs in one of these is another one, and remembered.
TOLD = ("verdict_state", "verdict_rule", "confidence")


def evaluate_due(now: dt.datetime) -> list[uuid.UUID]:
    """Looks at every watched job whose moment has come; returns those whose stop was asked for.

    One job's fault never stops the rest: it is put off by a minute, and logged.
    """
    _watch_proofs(now)
    lost = queries.planned_by_another_clock(now)
    if lost.exists():
        lost.update(evaluate_at=now)
    jobs = list(queries.to_evaluate(now)[:BATCH])
    return evaluate(jobs, now) if jobs else []


def _watch_proofs(now: dt.datetime) -> None:
    try:
        breaker.watch_proofs(now)
    except Exception:
        log.exception("Whether the held jobs can be heard could not be looked at.")


def evaluate(jobs: Sequence[Job], now: dt.datetime) -> list[uuid.UUID]:
    """Decides on these jobs and acts on the verdicts; returns those whose stop was asked for."""
    work = Pass(now)
    terms = facts.gather(jobs, now)
    for job in jobs:
        with _alone(job, now):
            work.look_at(job, terms[job.pk])
    return work.finish()


@contextmanager
def _alone(job: Job, now: dt.datetime) -> Iterator[None]:
    """A fault with one job is logged, puts its next look off by a minute, and keeps no other job waiting."""
    try:
        yield
    except Exception:
        log.exception("The job %s could not be evaluated.", job.pk)
        Job.objects.filter(pk=job.pk).update(evaluate_at=now + AFTER_A_FAULT)


class Pass:
    """One pass: what was decided, gathered so that unchanged jobs cost few queries and idle stops are judged together."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self.to_stop: list[uuid.UUID] = []
        self._idle: dict[uuid.UUID, list[tuple[Job, Verdict]]] = defaultdict(list)
        self._terms: dict[uuid.UUID, facts.Terms] = {}
        self._calm: dict[tuple[dt.datetime, int], list[uuid.UUID]] = defaultdict(list)
        self._changed_teams: set[uuid.UUID] = set()

    def look_at(self, job: Job, terms: facts.Terms) -> None:
        """Decides on one job and acts on the verdict; a stop for idleness waits for :meth:`finish`."""
        verdict = policy.decide(*terms, self.now)
        if verdict.stop and verdict.rule == IDLE:
            self._idle[job.team_id].append((job, verdict))
            self._terms[job.pk] = terms
            return
        if verdict.stop:
            self._stop(job, verdict)
            return
        if verdict.warn:
            if notices.warn(job, verdict, self.now):
                remember(job, verdict, self.now)
            return
        if _is_called_off(job, verdict):
            notices.call_off(job, verdict, self.now)
        elif verdict.remind:
            notices.remind(job, verdict, self.now)
        notices.tell_of_lost_signal(job, verdict, self.now)
        notices.observe(job, verdict, self.now)
        self._keep(job, verdict)

    def finish(self) -> list[uuid.UUID]:
        """Carries out what was gathered; returns the jobs whose stop was asked for."""
        many_elsewhere = self._many_everywhere()
        for team_id, due in self._idle.items():
            self._stop_idle(team_id, due, many_elsewhere)
        for (at, version), ids in self._calm.items():
            for start in range(0, len(ids), CHUNK):
                rows = Job.objects.filter(pk__in=ids[start : start + CHUNK], limits_version=version)
                rows.update(evaluate_at=at)
        try:
            breaker.watch_for_silence(self._changed_teams, self.now)
        except Exception:
            log.exception("Silence of many heartbeats at once could not be looked for.")
        for team_id in sorted(self._changed_teams):
            Team.bump(team_id)
        return self.to_stop

    def _many_everywhere(self) -> bool:
        due = {team_id: [job for job, _ in some] for team_id, some in self._idle.items()}
        try:
            return bool(due) and breaker.many_everywhere(due, self.now)
        except Exception:
            log.exception("The idle jobs of all teams could not be counted; those that are due are held.")
            return True

    def _stop_idle(self, team_id: uuid.UUID, due: list[tuple[Job, Verdict]], many_elsewhere: bool) -> None:
        """Those that may go now; the others wait, without keeping their hard limits waiting."""
        admitted = self._admitted(team_id, [job for job, _ in due], many_elsewhere)
        for job, verdict in due:
            with _alone(job, self.now):
                if job.pk in admitted:
                    self._stop(job, verdict)
                else:
                    rules, known = self._terms[job.pk]
                    self.look_at(job, (rules, replace(known, soft_hold=HELD)))

    def _admitted(self, team_id: uuid.UUID, due: list[Job], many_elsewhere: bool) -> set[uuid.UUID]:
        try:
            return breaker.admit(team_id, due, self.now, many_elsewhere=many_elsewhere)
        except Exception:
            log.exception("The idle jobs of the team %s could not be judged; they are held.", team_id)
            return set()

    def _stop(self, job: Job, verdict: Verdict) -> None:
        asked = stop.request_stop(
            job,
            actor=ENGINE,
            reason=Reason(verdict.rule),
            now=self.now,
            seen_version=job.limits_version,
            evidence=as_json(verdict),
        )
        if asked:
            self.to_stop.append(job.pk)

    def _keep(self, job: Job, verdict: Verdict) -> None:
        """Stores what lists show of the verdict, and when to look again."""
        at = self._look_again_at(verdict)
        values = shown(verdict)
        if not _differs(job, values):
            self._calm[at, job.limits_version].append(job.pk)
            return
        told = {name: getattr(job, name) for name in TOLD}
        rows = Job.objects.filter(
            pk=job.pk, stop_requested_at=None, limits_version=job.limits_version, **told
        )
        if not rows.update(**values, evaluate_at=at):
            return  # the job changed, or another engine has said it, or warned, since the row was read
        self._changed_teams.add(job.team_id)
        if any(told[name] != values[name] for name in TOLD):
            remember(job, verdict, self.now)

    def _look_again_at(self, verdict: Verdict) -> dt.datetime:
        """To the full second, so that many jobs share one update; what is only for show is spread a little."""
        longest = self.now + LONGEST_WAIT
        at = verdict.look_again_at
        if at is None or at > longest:
            at = longest + dt.timedelta(seconds=random.randrange(60))  # noqa: S311 - spreading, not a secret
        if at.microsecond:
            at = at.replace(microsecond=0) + dt.timedelta(seconds=1)
        return max(at, self.now + dt.timedelta(seconds=1))


def shown(verdict: Verdict) -> dict[str, Any]:
    """The columns of a job that tell lists of its last verdict."""
    limit = verdict.idle_limit
    return {
        "verdict_state": verdict.state.value,
        "verdict_rule": verdict.rule,
        "confidence": verdict.confidence.value,
        "stop_at": verdict.stop_at,
        "quiet_since": verdict.quiet_since,
        "blind_since": verdict.blind_since,
        "idle_limit_now_s": int(limit.total_seconds()) if limit else None,
    }


def remember(job: Job, verdict: Verdict, now: dt.datetime) -> None:
    """Adds the verdict to the history of the job."""
    VerdictChange.objects.create(
        job=job,
        run_id=job.current_run_id,
        at=now,
        state=verdict.state,
        rule=verdict.rule,
        confidence=verdict.confidence,
        stop_at=verdict.stop_at,
        sentence=verdict.sentence,
        evidence=as_json(verdict)["evidence"],
    )


def _differs(job: Job, values: dict[str, Any]) -> bool:
    return any(_moved(getattr(job, name), value) for name, value in values.items())


def _moved(old: Any, new: Any) -> bool:
    if isinstance(old, dt.datetime) and isinstance(new, dt.datetime):
        return abs(new - old) >= VISIBLE
    return bool(old != new)


def _is_called_off(job: Job, verdict: Verdict) -> bool:
    """People were warned, and the stop that they were warned of does not come."""
    return job.warned_for is not None and verdict.state not in (State.WARNED, State.DUE)
