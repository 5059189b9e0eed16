"""Forgetting what was observed long ago, a few rows at a time, so that nothing else waits for it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import F, Q, QuerySet

from dispersed_web.jobs.models import ENDED
from dispersed_web.signals.models import KEPT, Bucket, LogWatch

BATCH = 500
MOST_BATCHES = 400


def prune(now: dt.datetime) -> int:
    """Deletes buckets that are older than 60 days, and the watches of runs that ended; says how many rows."""
    return forget(Bucket.objects.filter(start__lt=now - KEPT)) + _forget_watches(now)


def forget(rows: QuerySet[Any]) -> int:
    """Deletes ``rows``, and says how many; what is too much for one pass is left to the next."""
    deleted = 0
    for _ in range(MOST_BATCHES):
        ids = list(rows.values_list("pk", flat=True)[:BATCH])
        if ids:
            deleted += rows.model.objects.filter(pk__in=ids).delete()[0]
        if len(ids) < BATCH:
            break
    return deleted


def _forget_watches(now: dt.datetime) -> int:
    """A watch with a lease is left: it counts as one of its credential's calls."""
    is_over = Q(run__ended_at__isnull=False) | Q(run__job__status__in=ENDED)
    is_over |= ~Q(run__job__current_run=F("run"))
    return forget(LogWatch.objects.filter(is_over, Q(lease_until=None) | Q(lease_until__lte=now)))
