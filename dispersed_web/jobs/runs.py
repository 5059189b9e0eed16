"""Taking over the cloud's runs of a job, and what they make of its cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from dispersed_web.costs.estimate import Meter, price
from dispersed_web.credentials import vault
from dispersed_web.dispersed import JobRun as RemoteRun
from dispersed_web.dispersed import Secret, is_terminal
from dispersed_web.jobs.models import Job, JobRun

MAX_HOURLY_USD = 10_000
# What the columns hold: a larger amount would make the row unreadable on SQLite, and with it every list that has it.
MAX_SPENT_USD, MAX_RATE_USD = Decimal(99_999_999), Decimal(999_999)


def token_place(job: Job, run_uuid: str) -> vault.Place:
    """What the sealed access tokens of a run are bound to."""
    return vault.Place("run", f"{job.pk}:{run_uuid}", job.team_id, "access_tokens")


def values_of(
    remote: RemoteRun, now: dt.datetime, *, not_before: dt.datetime | None = None
) -> dict[str, Any]:
    """The columns of a run as the cloud shows it. Times in the future are cut to ``now``, as clocks differ, and a start
    to ``not_before``: of a time the cloud may give the date alone, which reads as midnight."""
    started = remote.started_at or remote.created_at
    if started and not_before:
        started = max(started, not_before)
    return {
        "status": remote.status[:32],
        "started_at": min(started, now) if started else None,
        "ended_at": min(remote.ended_at or now, now) if is_terminal(remote.status) else None,
        "hourly_rate_usd": believable(remote.hourly_rate_usd),
        "node_urls": [
            {
                "description": url.description,
                "hostname": url.hostname,
                "port": url.port,
                "protocol": url.protocol,
                "tls": url.tls,
                "container_port": url.container_port,
            }
            for url in remote.node_urls
        ],
    }


def believable(rate_usd: Decimal | None) -> Decimal | None:
    """The rate, unless no node has it: one too large for its column would make the row unreadable."""
    return rate_usd if rate_usd is not None and 0 <= rate_usd <= MAX_HOURLY_USD else None


def take_over(
    job: Job,
    known: Sequence[JobRun],
    remotes: Iterable[RemoteRun],
    now: dt.datetime,
    tokens: tuple[Secret, ...] = (),
) -> list[JobRun]:
    """Writes what changed of the job's runs and returns all of them, changed or not. ``tokens`` are the access tokens that
    the cloud shows on the job itself."""
    runs = {run.remote_uuid: run for run in known}
    for remote in remotes:
        run = runs.get(remote.uuid)
        if tokens and remote.node_urls and not remote.access_tokens:
            # Where they stand is documented one way and seen another. By now the run would show its own.
            remote = replace(remote, access_tokens=tokens)
        values = values_of(remote, now, not_before=job.launched_at)
        if run is None:
            run = JobRun(job=job, remote_uuid=remote.uuid, first_seen_at=now, **values)
            _take_tokens(run, job, remote)
            _note_progress(run, now)
            run.save(force_insert=True)
            runs[remote.uuid] = run
        elif run.ended_at is None and _differs(run, values, remote):
            for name, value in values.items():
                setattr(run, name, value)
            _take_tokens(run, job, remote)
            _note_progress(run, now)
            run.save(update_fields=[*values, "access_tokens_sealed", "running_at", "reachable_at"])
    return list(runs.values())


def _note_progress(run: JobRun, now: dt.datetime) -> None:
    """The first sights: of RUNNING, and of RUNNING with an address."""
    if run.status != "RUNNING":
        return
    run.running_at = run.running_at or now
    if run.node_urls:
        run.reachable_at = run.reachable_at or now


def _differs(run: JobRun, values: dict[str, Any], remote: RemoteRun) -> bool:
    missing_tokens = bool(remote.access_tokens) and not run.access_tokens_sealed
    return missing_tokens or any(getattr(run, name) != value for name, value in values.items())


def _take_tokens(run: JobRun, job: Job, remote: RemoteRun) -> None:
    if remote.access_tokens and not run.access_tokens_sealed:
        text = "\n".join(token.reveal() for token in remote.access_tokens)
        run.access_tokens_sealed = vault.seal(text, token_place(job, remote.uuid))


def live(runs: Iterable[JobRun]) -> list[JobRun]:
    """Those that have not ended, as far as the cloud has told."""
    return [run for run in runs if not is_terminal(run.status)]


def reachable_at(live_runs: Iterable[JobRun]) -> dt.datetime | None:
    """Since when one of the live runs has an address."""
    return min((run.reachable_at for run in live_runs if run.reachable_at), default=None)


def newest(runs: Iterable[JobRun]) -> JobRun | None:
    """The run that matters: the newest live one, else the newest."""
    ordered = sorted(runs, key=lambda run: (not is_terminal(run.status), run.started_at or run.first_seen_at))
    return ordered[-1] if ordered else None


def meter(runs: Sequence[JobRun]) -> Meter:
    """One meter for all runs: several live ones count together from the youngest's start, what the older ones cost
    before that is already spent."""
    spent, rate, parts = Decimal(0), Decimal(0), []
    known = False
    for run in runs:
        if run.hourly_rate_usd is None:
            continue
        known = True
        start = run.started_at or run.first_seen_at
        if run.ended_at is not None:
            spent += price(run.hourly_rate_usd, run.ended_at - start)
        else:
            parts.append((start, run.hourly_rate_usd))
            rate += run.hourly_rate_usd
    if not parts:
        return Meter(min(spent, MAX_SPENT_USD), None, _last_rate(runs) if known else None)
    since = max(start for start, _ in parts)
    spent += sum((price(hourly, since - start) for start, hourly in parts), Decimal(0))
    return Meter(min(spent, MAX_SPENT_USD), since, min(rate, MAX_RATE_USD))


def _last_rate(runs: Sequence[JobRun]) -> Decimal | None:
    last = newest(runs)
    return last.hourly_rate_usd if last else None
