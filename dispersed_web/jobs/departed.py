"""Unmanaged jobs that a listing does not show any more: asked for singly, because a list that lacks one proves nothing."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Collection

from django.db import transaction
from django.db.models import Q

from dispersed_web.clock import Clock
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import BadReply, Client, NotFound, ServerBroken, is_terminal
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.jobs import ignoring, watching
from dispersed_web.jobs.alone import alone
from dispersed_web.jobs.models import UnmanagedJob

LOST = "LOST"  # our word, where the cloud has none any more
LOST_AFTER = dt.timedelta(seconds=60)
LONG_AGO = dt.timedelta(days=7)
LOOKUPS = 20


def look(credential: Credential, shown: Collection[str], client: Client, clock: Clock) -> bool:
    """Asks for what ``shown``, a complete listing, lacks. True when something visible changed.

    A network fault concerns the whole credential, so it is raised; "not found" concerns the one job.
    """
    rows = list(UnmanagedJob.objects.filter(credential=credential))
    gone = [row for row in rows if row.remote_uuid not in shown and row.status != LOST]
    changed = False
    for row in random.sample(gone, min(len(gone), LOOKUPS)):
        with alone(row, "asked for"):
            changed |= _ask_for(row, client, clock)
    return _end_of_ignoring(rows, clock()) or changed


def long_lost(now: dt.datetime) -> Q:
    """Those that were lost sight of a week ago: folded away, and counted in no figure of the present."""
    return Q(status=LOST, missing_since__lt=now - LONG_AGO)


def is_long_lost(row: UnmanagedJob, now: dt.datetime) -> bool:
    """The same of one row."""
    return row.status == LOST and row.missing_since is not None and now - row.missing_since > LONG_AGO


def _ask_for(row: UnmanagedJob, client: Client, clock: Clock) -> bool:
    try:
        remote = client.get_job(row.remote_uuid)
    except NotFound:
        return _note_missing(row, clock())
    except (BadReply, ServerBroken):
        return False  # the cloud cannot speak of this one; the listing was complete all the same
    return is_terminal(remote.status) and _end(row, remote, clock())


def _end(row: UnmanagedJob, remote: RemoteJob, now: dt.datetime) -> bool:
    """The row goes first and the team's is moved last, in the order in which an adoption does both."""
    with transaction.atomic():
        people = watching.watchers(row)
        removed = bool(UnmanagedJob.objects.filter(pk=row.pk).delete()[0])
        if removed:
            watching.tell_end(row, people, remote.status, remote.completed_at or now, now)
    return removed


def _note_missing(row: UnmanagedJob, now: dt.datetime) -> bool:
    """Twice not found with a minute between: lost sight of. It stays for good, as it may still cost money: in the list,
    and after a week folded away."""
    rows = UnmanagedJob.objects.filter(pk=row.pk, missing_since=row.missing_since)
    if row.missing_since is None:
        return bool(rows.update(missing_since=now))
    if now - row.missing_since < LOST_AFTER:
        return False
    with transaction.atomic():
        changed = rows.exclude(status=LOST).update(status=LOST)
        if changed:
            watching.tell_lost(row, now)
    return bool(changed)


def _end_of_ignoring(rows: Collection[UnmanagedJob], now: dt.datetime) -> bool:
    over = [row.pk for row in rows if ignoring.is_over(row, now)]
    return bool(over and UnmanagedJob.objects.filter(pk__in=over).update(**ignoring.BACK))
