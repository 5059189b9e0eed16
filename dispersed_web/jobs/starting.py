"""What a process of the product does before it does anything else: it marks new keys, and lets nothing of a restored backup
be launched again. And what is done once a database was made: it gets its holder.

What a database that was away kept from being done is caught up as soon as it answers; until then this process launches
nothing, and notes no pass as finished, because that would hide that the background work had stood still."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError

from dispersed_web import commands
from dispersed_web.clock import Clock
from dispersed_web.credentials import canary
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs import sending, sweeps, unstoppable
from dispersed_web.jobs.alone import alone
from dispersed_web.jobs.models import Job, Sweep
from dispersed_web.jobs.states import Status
from dispersed_web.teams import installation
from dispersed_web.teams.models import Installation

log = logging.getLogger(__name__)
# After so long without background work the database may be a backup that was restored.
GAP = dt.timedelta(minutes=10)
START = "start"
RESTORED = (
    "It was not sent, because the background work had stood still for more than 10 minutes, as after a backup was "
    "restored: it may have been launched before. Look at the inventory, then launch it again if you still want it."
)


_left: list[Callable[[Clock], None]] = []
_catching_up = threading.Lock()


def begin(clock: Clock) -> None:
    """To be called once by every process that starts. Never raises: neither a database that does not answer nor a row
    that makes trouble is a reason not to start, because a process that does not start stops no job."""
    _left[:] = [_end_what_waited, _look_at_keys]
    _go_on(clock)


def catch_up(clock: Clock) -> bool:
    """Does what is left of :func:`begin`; whether launches may go out. Costs nothing once all is done. Never raises."""
    if _left and _catching_up.acquire(blocking=False):
        try:
            _go_on(clock)
        finally:
            _catching_up.release()
    return _end_what_waited not in _left


def _go_on(clock: Clock) -> None:
    """Each step until one finds the database away. A fault of another kind ends its step and no more than that."""
    while _left:
        try:
            _left[0](clock)
        except DatabaseError as error:
            log.warning("The database could not be asked at the start: %s", type(error).__name__)
            break
        except Exception:
            log.exception("What is done at the start could not be done.")
        del _left[0]
    sweeps.hold_notes(_end_what_waited in _left)


def _end_what_waited(clock: Clock) -> None:
    ended = expire_after_gap(clock())
    if ended:
        log.warning("%d launches from before the last stop of this server were not sent.", ended)


def _look_at_keys(_: Clock) -> None:
    canary.ensure()
    if not installation.may_act():
        log.error("%s (see docs/operations.md)", installation.what_to_do())
    for trouble in canary.troubles():
        log.error("%s Run: %s", trouble.sentence, commands.named("secrets check"))
    name_the_unstoppable()


def claim_if_new() -> bool:
    """Makes this installation the holder of a database that has none and holds neither keys nor jobs. True when nobody need
    do anything: this or another installation holds it.

    One that does hold keys or jobs may be a copy, made before it had a holder, also when it was just brought up to date:
    from inside that cannot be told from the original. So nobody is given the keys of others without having said so.
    """
    if Installation.get().holder:
        return True
    if Credential.objects.exists() or Job.objects.exists():
        return False
    return bool(installation.claim())


def name_the_unstoppable() -> None:
    """In the log, by their ids: what people called them is theirs."""
    for job in unstoppable.find(lost={trouble.key_id for trouble in canary.troubles()}):
        cloud_id = job.remote_uuid or "not known"
        log.error(
            "The job %s of the team %s cannot be stopped from here, because %s. Dispersed’s id of it: %s.",
            job.job_id,
            job.team_id,
            unstoppable.WORDS[job.fault],
            cloud_id,
        )


def expire_after_gap(now: dt.datetime) -> int:
    """Ends every queued launch when no pass of the background work finished within the last 10 minutes; how many it were.

    Of several processes that start at once, one does it; what is queued from then on is new and stays.
    """
    last = max(sweeps.last_finished().values(), default=None)
    if last is None or now - last <= GAP or not _is_first(last, now):
        return 0
    queued = Job.objects.filter(status=Status.QUEUED, created_at__lte=now).select_related("team")
    ended = 0
    for job in queued:
        with alone(job, "ended"):
            ended += sending.expire_queued(job, RESTORED, now)
    return ended


def _is_first(last: dt.datetime, now: dt.datetime) -> bool:
    """Notes this start in place of the one before it, if nobody else did meanwhile."""
    row, made = Sweep.objects.get_or_create(name=START, defaults={"finished_at": now})
    if made:
        return True
    return bool(
        Sweep.objects.filter(name=START, finished_at=row.finished_at, finished_at__lte=last).update(
            finished_at=now
        )
    )
