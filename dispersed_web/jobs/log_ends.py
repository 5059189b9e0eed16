"""The last words of a run, from what is kept of its log."""

from __future__ import annotations

from django.core.cache import cache

from dispersed_web.jobs import log_store
from dispersed_web.jobs.log_lines import Lines
from dispersed_web.jobs.models import JobRun

READ_BYTES = 20_000
KEPT_S = 600


def last_words(run: JobRun) -> str:
    """At most 20 kB of masked text, without colours; empty where nothing is kept. What was once unpacked is remembered for
    ten minutes, because a page is asked for again and again and a log may be large."""
    kept = log_store.look(run)
    if kept is None or kept.fetched_at is None:
        return ""
    key = f"last-words:{run.pk}:{kept.fetched_at.timestamp()}"
    found = cache.get(key)
    if found is None:
        sight = log_store.load(run)
        found = Lines.unpack(sight.packed).last(READ_BYTES).text() if sight else ""
        cache.set(key, found, KEPT_S)
    return str(found)
