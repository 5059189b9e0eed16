"""The rows of the jobs table as HTML, each made once for what it shows. After a change one row of fifty is another one; the
others are taken as they were made some seconds ago.

A row is the same for every reader of the team: what one role may not do is hidden by a class around the table. It is
known by everything that it is made of: the job as it is stored, what is around it, where its links lead, the reader's
time zone, and a piece of the time, because some words change without any column changing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from dispersed_web.jobs.stored import StoredJob
from dispersed_web.web.job.lease_words import Around
from dispersed_web.web.jobs import cells, rows
from dispersed_web.web.jobs.cells import Places

KEPT_S = 10
# In each process; then all are forgotten.
MOST_KEPT = 500

# What a row was made of, and the row, by job and zone
_kept: dict[tuple[Any, str], tuple[tuple[Any, ...], str]] = {}


def table_rows(
    jobs: Iterable[StoredJob], now: dt.datetime, zone: dt.tzinfo, around: Around, places: Places
) -> SafeString:
    """The rows at ``now``, or some seconds before, for readers in ``zone``."""
    moment = int(now.timestamp()) // KEPT_S
    made = [_row(job, (moment, around, places, job), now, zone) for job in jobs]
    return mark_safe("".join(made))  # noqa: S308 - made by cells


def _row(job: StoredJob, facts: tuple[Any, ...], now: dt.datetime, zone: dt.tzinfo) -> str:
    key = (job["id"], str(zone))
    found = _kept.get(key)
    if found is not None and found[0] == facts:
        return found[1]
    _, around, places, _ = facts
    html = cells.table_row(rows.row(job.job(), now, zone, around), places, cells.forms(places))
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[key] = (facts, html)
    return html
