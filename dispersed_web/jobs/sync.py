"""Bringing our rows in line with the cloud, one credential at a time: two lists a pass, never one request per job.

A list that failed or is incomplete proves nothing: a job that is not in it is asked for singly before anything is
concluded. What the cloud shows is applied by guarded updates; see ``applying.py``.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeVar

from django.core.cache import cache
from django.db.models import F, Q

from dispersed_web.clock import Clock
from dispersed_web.credentials import health, vault
from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.cloud import cloud_name
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import (
    LIVE,
    BadReply,
    Client,
    DispersedError,
    NotFound,
    Outcome,
    Page,
    Rejected,
    ServerBroken,
    Unauthorized,
)
from dispersed_web.dispersed import JobRun as RemoteRun
from dispersed_web.jobs import (
    applying,
    credential_jobs,
    departed,
    finding,
    states,
    strangers,
    unnamed,
    watching,
)
from dispersed_web.jobs.alone import alone
from dispersed_web.jobs.models import ENDED, IN_CLOUD, Job, JobRun
from dispersed_web.teams.models import Team

log = logging.getLogger(__name__)
LEASE = dt.timedelta(seconds=90)
SOON = dt.timedelta(seconds=5)
CALM = dt.timedelta(seconds=30)
PAGE_LIMIT = 50
MAX_PAGES = 400
SINGLE_LOOKUPS = 50
UNREADABLE = 3
WATCHED_S = 20
NOTE_EVERY_S = 5
# No pass and no lease is planned so far ahead: one that is stems from before the clock was set back.
FARTHEST = dt.timedelta(minutes=10)
UNDER_WAY = [status.value for status in states.UNDER_WAY]

# How long after its container runs a machine's address is looked for at this pace.
STARTING = dt.timedelta(minutes=3)

T = TypeVar("T")

_noted: dict[uuid.UUID, float] = {}


def note_watcher(team_id: uuid.UUID) -> None:
    """A page of the team is open: its jobs are looked at more often for a while. Only a hint, so it may be lost.

    Every poll of every open page says so; each process passes it on once in a while.
    """
    now = time.monotonic()
    if now - _noted.get(team_id, float("-inf")) < NOTE_EVERY_S:
        return
    _noted[team_id] = now
    cache.set(f"watched:{team_id}", True, WATCHED_S)


def due(now: dt.datetime) -> list[uuid.UUID]:
    """The credentials whose turn it is."""
    ready = Q(sync_due_at=None) | Q(sync_due_at__lte=now) | Q(sync_due_at__gt=now + FARTHEST)
    # Said outright, because PostgreSQL would put those that were never looked at last.
    longest = F("sync_due_at").asc(nulls_first=True)
    return list(
        Credential.objects.filter(_is_free(now) & ready)
        .exclude(state=CredentialState.GONE)
        .order_by(longest)
        .values_list("pk", flat=True)[:500]
    )


def _is_free(now: dt.datetime) -> Q:
    is_over = Q(sync_lease_until__lt=now) | Q(sync_lease_until__gt=now + FARTHEST)
    return Q(sync_lease_until=None) | is_over


def sync(credential_id: uuid.UUID, clock: Clock) -> bool:
    """One pass over one credential; False when another process is at it or the cloud could not be asked."""
    began = clock()
    credential = _lease(credential_id, began)
    if credential is None:
        return False
    try:
        client = client_for(credential, team_id=credential.team_id, purpose="sync")
    except (vault.CannotOpen, ValueError) as error:
        health.note_unusable(credential, str(error), clock(), credential_jobs.means)
        _release(credential, clock())
        return False
    try:
        with client:
            _pass(credential, client, clock)
    except DispersedError as error:
        health.note_failure(credential, error, clock(), credential_jobs.means)
        if isinstance(error, Unauthorized) and error.status == 403:
            health.note_permission(credential, "list", False, clock())
        return False
    finally:
        health.note_clock(credential, client.clock_offset_ms)
        _release(credential, clock())
    health.note_permission(credential, "list", True, clock())
    if health.note_success(credential, began, clock()):
        hurry_stops(credential, clock())
    return True


def hurry_stops(credential: Credential, now: dt.datetime) -> None:
    """A key works again: every stop that waits for a working key of the team is tried at once."""
    Job.objects.filter(team=credential.team_id, stop_next_at__gt=now).update(stop_next_at=now)


def _lease(credential_id: uuid.UUID, now: dt.datetime) -> Credential | None:
    token = uuid.uuid4()
    rows = Credential.objects.filter(_is_free(now), pk=credential_id).exclude(state=CredentialState.GONE)
    if not rows.update(sync_lease_until=now + LEASE, sync_lease_token=token):
        return None
    return Credential.objects.filter(pk=credential_id, sync_lease_token=token).first()


def _release(credential: Credential, now: dt.datetime) -> None:
    Credential.objects.filter(pk=credential.pk, sync_lease_token=credential.sync_lease_token).update(
        sync_lease_until=None, sync_due_at=now + _interval(credential, now)
    )


def _interval(credential: Credential, now: dt.datetime) -> dt.timedelta:
    """5 s while a launch, a start up to its address or a stop is under way, or a page of the team is open, else 30 s;
    after failures up to 60 s; jittered, so that credentials spread out."""
    failures = Credential.objects.values_list("failures", flat=True).get(pk=credential.pk)
    if failures:
        base = min(SOON * 2 ** min(failures - 1, 4), dt.timedelta(seconds=60))
    else:
        jobs = Job.objects.filter(credential=credential)
        moving = Q(status__in=UNDER_WAY) | Q(stop_next_at__isnull=False) | _awaits_address(now)
        busy = (
            cache.get(f"watched:{credential.team_id}")
            or jobs.filter(moving).exclude(status__in=ENDED).exists()
        )
        base = SOON if busy else CALM
    return base * random.uniform(0.85, 1.0)  # noqa: S311 - spreading, not a secret


def _awaits_address(now: dt.datetime) -> Q:
    """Machines that people wait for: their container runs, and their address is about to come."""
    begun = Q(run_running_at__gt=now - STARTING)
    return Q(task="PERSISTENT", status=states.Status.RUNNING, reachable_at=None) & begun


def _pass(credential: Credential, client: Client, clock: Clock) -> None:
    more = unnamed.states_of(credential)
    remotes = {remote.uuid: remote for remote in _in_states(client.list_jobs, more)}
    remotes |= {remote.uuid: remote for remote in unnamed.look(credential, client, remotes, clock)}
    runs: dict[str, list[RemoteRun]] = defaultdict(list)
    if remotes:
        for run in _in_states(client.list_job_runs, more):
            runs[run.job_uuid].append(run)
    finding.look(credential, client, clock)
    jobs = _jobs_in_cloud(credential)
    known_runs = _runs_of(jobs)
    shown = [(job, remotes[uid]) for uid, job in jobs.items() if uid in remotes]
    changed = applying.apply_live(shown, known_runs, runs, clock())
    unclaimed = [remote for uid, remote in remotes.items() if uid not in jobs]
    changed |= strangers.sort(credential, unclaimed, runs, clock())
    _take_over(credential, remotes)
    changed |= departed.look(credential, remotes, client, clock)
    watching.tell_daily(credential, clock())
    odd = [job for uid, job in jobs.items() if uid not in remotes]
    odd += [job for job, remote in shown if _lost_a_run(known_runs[job.pk], runs[remote.uuid])]
    odd += strangers.ended_but_shown(credential, unclaimed)
    # Which ones of too many is left to chance, so that none waits for ever behind the same others.
    changed |= _look_at_each(random.sample(odd, min(len(odd), SINGLE_LOOKUPS)), client, clock)
    if changed:
        Team.bump(credential.team_id)


def _take_over(credential: Credential, shown: Collection[str]) -> None:
    """A live job whose own key is destroyed, such as a launch that turned up late, is watched by the key that shows it."""
    ours = Job.objects.filter(team=credential.team_id, cloud=cloud_name(credential.api_url))
    orphans = ours.filter(credential__state=CredentialState.GONE, status__in=IN_CLOUD)
    found = [pk for pk, uid in orphans.values_list("pk", "remote_uuid") if uid in shown]
    if found:
        Job.objects.filter(pk__in=found).update(credential=credential)


def _jobs_in_cloud(credential: Credential) -> dict[str, Job]:
    rows = Job.objects.filter(credential=credential, status__in=IN_CLOUD).defer("spec", "spec_secrets_sealed")
    return {job.remote_uuid or "": job for job in rows}


def _runs_of(jobs: dict[str, Job]) -> dict[uuid.UUID, list[JobRun]]:
    known: dict[uuid.UUID, list[JobRun]] = defaultdict(list)
    ids = [job.pk for job in jobs.values()]
    for start in range(0, len(ids), 500):
        for run in JobRun.objects.filter(job__in=ids[start : start + 500]):
            known[run.job_id].append(run)
    return known


def _lost_a_run(known: Sequence[JobRun], shown: Sequence[RemoteRun]) -> bool:
    """A run that we hold for live is not among the live ones any more: it ended while its job went on."""
    return not {run.remote_uuid for run in known if run.ended_at is None} <= {run.uuid for run in shown}


def _look_at_each(jobs: Sequence[Job], client: Client, clock: Clock) -> bool:
    """The lists were complete whatever single jobs answer: one of which the cloud cannot speak must not blind the whole
    credential. After a few of them the rest waits for the next pass."""
    changed, unreadable = False, 0
    for job in jobs:
        try:
            with alone(job, "looked at"):
                changed |= look_singly(job, client, clock)
        except (BadReply, ServerBroken) as error:
            log.warning("The job %s cannot be looked at: %s", job.pk, error.sentence)
            unreadable += 1
            if unreadable >= UNREADABLE:
                break
    return changed


def look_singly(job: Job, client: Client, clock: Clock) -> bool:
    """Asks for one job that the list did not show, or showed against our row. True when something visible changed.

    A network fault here concerns the whole credential, so it is raised; "not found" concerns this job.
    """
    try:
        remote = client.get_job(job.remote_uuid or "")
    except NotFound:
        return applying.note_missing(job, clock())
    listed = _all_pages(partial(client.list_job_runs, job_uuid=remote.uuid))
    # In case the cloud lets those of other jobs pass.
    runs = [run for run in listed if run.job_uuid == remote.uuid]
    return applying.apply_alone(job, remote, runs, clock())


def _in_states(fetch: Callable[..., Page[T]], more: Sequence[str]) -> list[T]:
    """All items that have not ended as far as we know the states, and those in ``more`` states, if the cloud lets us ask
    for them."""
    if more:
        try:
            return _all_pages(partial(fetch, statuses=(*LIVE, *more)))
        except Rejected as refused:
            if isinstance(refused, Unauthorized):
                raise
            log.warning("The cloud lists no jobs by its own states %s: %s", ", ".join(more), refused.sentence)
    return _all_pages(partial(fetch, statuses=LIVE))


def _all_pages(fetch: Callable[..., Page[T]]) -> list[T]:
    """All items of a list, page by page. Items may shift between pages while jobs come and go: one that is seen twice
    is applied twice without harm, one that is missed is asked for singly."""
    items: list[T] = []
    for number in range(1, MAX_PAGES + 1):
        page = fetch(page=number, limit=PAGE_LIMIT, sort="-created_at")
        items.extend(page.items)
        if len(page.items) < page.limit or (page.total is not None and number * page.limit >= page.total):
            return items
    raise BadReply(f"A list of the cloud has more than {MAX_PAGES} pages.", outcome=Outcome.UNKNOWN)
