"""The engine watches itself: outages, jumps of the clock, and whether heartbeats can reach this server at all.

After any of the first two nothing that was observed before counts as quiet; while heartbeats cannot arrive, their
silence is our own fault and counts against no job.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable

from django.db import transaction
from django.db.models import Q

from dispersed_web.autostop.models import Engine
from dispersed_web.events.models import Audience
from dispersed_web.events.record import ENGINE, record
from dispersed_web.jobs import sweeps
from dispersed_web.jobs.models import IN_CLOUD, Job
from dispersed_web.signals.models import Bucket, Source

log = logging.getLogger(__name__)
SWEEP = "autostop"
# Three ticks, as slow as those of an overloaded machine may be: samples bridge as much, and a quick restart is none.
OUTAGE_AFTER = dt.timedelta(seconds=90)
JUMP = dt.timedelta(seconds=60)
# A notice that an outage gave once more is not cut short by the next one.
NOTICE_HOLDS = dt.timedelta(minutes=15)
TEST_EVERY = dt.timedelta(minutes=1)
REAL_ONES_COUNT_FOR = dt.timedelta(minutes=3)

_last_clocks: tuple[dt.datetime, float] | None = None


def begin_pass(now: dt.datetime) -> None:
    """Call before each pass: after an outage trust begins anew."""
    last = sweeps.last_finished().get(SWEEP)
    if last is not None and now - last > OUTAGE_AFTER:
        minutes = int((now - last).total_seconds() // 60)
        trust_anew(f"auto-stop did not run for {minutes} min", now, away_since=last)


def watch_clock(now: dt.datetime, boot_s: float) -> None:
    """Compares the clock with the time since this machine booted: a clock that was set proves nothing about idleness."""
    global _last_clocks
    before, _last_clocks = _last_clocks, (now, boot_s)
    if before is None:
        return
    jump = (now - before[0]) - dt.timedelta(seconds=boot_s - before[1])
    if abs(jump) > JUMP:
        log.error("The clock jumped by %d seconds; idleness is watched anew.", jump.total_seconds())
        why = f"the clock jumped by {int(jump.total_seconds())} seconds"
        trust_anew(why, now, away_since=min(before[0], now))


def boot_s() -> float:
    """Seconds that pass whatever anybody does to the clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def trust_anew(why: str, now: dt.datetime, *, away_since: dt.datetime) -> None:
    """Nothing that was observed before ``now`` counts as quiet, and what fell due since ``away_since``, when nobody
    looked, gives notice once more.

    Only once: an engine that is always late would put off for ever what it looked at before.
    """
    values = {"trusted_since": now, "why": why[:120]}
    before = Engine.get().resumed_at
    if before is None or not dt.timedelta(0) <= now - before < NOTICE_HOLDS:
        looked_at = before if before is not None and before <= now else away_since
        values |= {"resumed_at": now, "away_since": max(away_since, looked_at)}
    Engine.objects.filter(pk=1).update(**values)


def tell_if_late(now: dt.datetime) -> None:
    """Tells admins of teams with running jobs, once for each outage, that no pass was completed for a while. To be
    called by what runs beside the engine."""
    last = sweeps.last_finished().get(SWEEP)
    if last is None or now - last <= sweeps.LATE_AFTER:
        return
    minutes = int((now - last).total_seconds() // 60)
    with transaction.atomic():
        told_before = Q(late_told_at=None) | Q(late_told_at__lt=last)
        Engine.get()
        if not Engine.objects.filter(told_before, pk=1).update(late_told_at=now):
            return
        running = Job.objects.filter(status__in=IN_CLOUD).order_by().values_list("team", flat=True).distinct()
        for team_id in sorted(running):
            sentence = (
                f"Auto-stop has not run for {minutes} minutes: nothing is stopped by its limits until it does. The "
                "operator must look at the processes worker, beat and reconcile."
            )
            team = ("team", team_id)
            record(team_id, ENGINE, "team.engine_late", team, sentence, now=now, audience=Audience.ADMINS)


def test_receiver(post: Callable[[], str], now: dt.datetime) -> None:
    """Once a minute sends a heartbeat to ourselves over the public address. ``post`` returns a fault in words, or
    nothing. Heartbeats that really arrive prove as much."""
    engine = Engine.get()
    tested = max((at for at in (engine.receiver_ok_at, engine.receiver_failed_at) if at), default=None)
    if tested is not None and dt.timedelta(0) <= now - tested < TEST_EVERY:
        return
    fault = "" if _real_ones_arrive(now) else post()
    if not fault:
        Engine.objects.filter(pk=1).update(receiver_ok_at=now, receiver_error="")
    elif engine.receiver_ok_at is not None:
        # An address that never worked from here may still work from outside: that tells nothing.
        Engine.objects.filter(pk=1).update(receiver_failed_at=now, receiver_error=fault[:120])


def _real_ones_arrive(now: dt.datetime) -> bool:
    start = now - REAL_ONES_COUNT_FOR
    recent = Bucket.objects.filter(start__gte=start - dt.timedelta(minutes=5), source=Source.HEARTBEAT)
    return recent.filter(last_at__gte=start).exists()
