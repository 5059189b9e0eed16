"""Jobs of the cloud in states that we have no name for. Its lists are asked for by the states that mean "not ended", so such
a job would be seen by nobody while it bills.

Every ten minutes the cloud is asked how many jobs there are in all and how many have ended: two small requests. Where that
is more than what the list shows, the rest is looked for in a list of every state. From then on its state is asked for by
name, for as long as one of our rows is in it.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Collection

from dispersed_web.clock import Clock
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import LIVE, TERMINAL, Client, DispersedError, is_terminal
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.jobs.departed import LOST
from dispersed_web.jobs.models import IN_CLOUD, Job, JobRun, UnmanagedJob

log = logging.getLogger(__name__)
EVERY = dt.timedelta(minutes=10)
# Where the whole list shows no more than before, the cloud's numbers do not fit together: that is not looked into often.
SELDOM = dt.timedelta(days=1)
# No count is planned so far ahead: one that is stems from before the clock was set back.
FARTHEST = dt.timedelta(days=2)
PAGE_LIMIT = 50
MAX_PAGES = 200
FEW_PAGES = 2
MOST_WORDS = 10
WORD = re.compile(r"[A-Z][A-Z_]{0,31}")
NAMED = frozenset({*LIVE, *TERMINAL, LOST, ""})


def states_of(credential: Credential) -> tuple[str, ...]:
    """The states without a name of ours in which jobs and runs of this credential were seen last."""
    jobs = Job.objects.filter(credential=credential, status__in=IN_CLOUD).exclude(remote_status__in=NAMED)
    runs = JobRun.objects.filter(job__credential=credential, job__status__in=IN_CLOUD, ended_at=None).exclude(
        status__in=NAMED
    )
    rows = UnmanagedJob.objects.filter(credential=credential).exclude(status__in=NAMED)
    words = jobs.order_by().values_list("remote_status").distinct()
    more = (runs.order_by().values_list("status"), rows.order_by().values_list("status"))
    found = {word for (word,) in words.union(*more)}
    return tuple(sorted(word for word in found if WORD.fullmatch(word))[:MOST_WORDS])


def look(credential: Credential, client: Client, shown: Collection[str], clock: Clock) -> list[RemoteJob]:
    """The jobs that have not ended and that ``shown``, a complete listing by states, lacks. Mostly none, and mostly
    nothing is asked. A fault here says nothing about the listing, so it is logged and tried again."""
    now = clock()
    due = credential.count_due_at
    if due is not None and now < due < now + FARTHEST:
        return []
    try:
        found, again = _look(client, shown)
    except DispersedError as error:
        log.warning("The jobs of %s could not be counted in all states: %s", credential.pk, error.sentence)
        found, again = [], EVERY
    Credential.objects.filter(pk=credential.pk).update(count_due_at=clock() + again)
    return found


def _look(client: Client, shown: Collection[str]) -> tuple[list[RemoteJob], dt.timedelta]:
    """What was found, and when to count again."""
    ended = client.list_jobs(statuses=TERMINAL, limit=1).total
    every = client.list_jobs(limit=1).total
    if ended is None or every is None:
        return _search(client, shown, None, FEW_PAGES), EVERY
    lacking = every - ended - len(shown)
    if lacking <= 0:
        return [], EVERY
    found = _search(client, shown, lacking, MAX_PAGES)
    return found, EVERY if found else SELDOM


def _search(client: Client, shown: Collection[str], lacking: int | None, pages: int) -> list[RemoteJob]:
    """Newest first, until as many were found as are lacking, or the list ends."""
    found: dict[str, RemoteJob] = {}
    for number in range(1, pages + 1):
        page = client.list_jobs(page=number, limit=PAGE_LIMIT)
        found |= {
            one.uuid: one for one in page.items if not is_terminal(one.status) and one.uuid not in shown
        }
        if len(page.items) < page.limit or (lacking is not None and len(found) >= lacking):
            break
    return list(found.values())
