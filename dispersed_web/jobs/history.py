"""Bringing in what ran on a credential before it was added here: ended jobs of the last 90 days, and what they cost.

It goes through two lists page by page, first the ended jobs, then the ended runs. Each page is applied in one transaction
together with the number of the next, so a process may be killed at any moment: the page is read again, and what it made
is already there. What is brought in is history: no budget, no saving and no warning knows of it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from dispersed_web.accounts.models import User
from dispersed_web.clock import Clock
from dispersed_web.credentials import vault
from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import TERMINAL, Client, DispersedError
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.dispersed import JobRun as RemoteRun
from dispersed_web.events.record import LAUNCHER, Actor, record
from dispersed_web.jobs import past
from dispersed_web.jobs.models import HistoryImport

PAGE = 50
PAGES_AT_ONCE = 20
MOST_JOBS = 5000
SPAN = dt.timedelta(days=90)
LEASE = dt.timedelta(seconds=120)
MOST_FAILURES = 8
State = HistoryImport.State


def request(credential: Credential, *, user: User, actor: Actor, now: dt.datetime) -> HistoryImport:
    """Asks for the credential's past jobs. One that is under way already is given back instead of a second one."""
    try:
        with transaction.atomic():
            made = HistoryImport.objects.create(
                credential=credential, asked_by=user, asked_at=now, since=now - SPAN, next_try_at=now
            )
            sentence = f"{actor.label} asked to bring in the past jobs of the credential “{credential.name}”."
            subject = ("credential", credential.pk)
            record(credential.team_id, actor, "credential.history_asked", subject, sentence, now=now)
    except IntegrityError:
        return HistoryImport.objects.get(credential=credential, state__in=HistoryImport.OPEN)
    return made


def latest(credential: Credential) -> HistoryImport | None:
    """The newest request, open or done."""
    return HistoryImport.objects.filter(credential=credential).order_by("-asked_at").first()


def due(now: dt.datetime) -> list[uuid.UUID]:
    """The imports with a page to read now."""
    return list(
        HistoryImport.objects.filter(_is_free(now)).order_by("next_try_at").values_list("pk", flat=True)[:50]
    )


def _is_free(now: dt.datetime) -> Q:
    free = Q(lease_until=None) | Q(lease_until__lt=now) | Q(lease_until__gt=now + 2 * LEASE)
    return free & Q(state__in=HistoryImport.OPEN, next_try_at__lte=now)


def go_on(import_id: uuid.UUID, clock: Clock) -> None:
    """Reads page after page for a while; what is left is due again."""
    for _ in range(PAGES_AT_ONCE):
        if not step(import_id, clock):
            return


def step(import_id: uuid.UUID, clock: Clock) -> bool:
    """Reads and applies one page. False when there was nothing to do, or another process is at it."""
    token = uuid.uuid4()
    now = clock()
    rows = HistoryImport.objects.filter(_is_free(now), pk=import_id)
    if not rows.update(lease_until=now + LEASE, lease_token=token):
        return False
    row = HistoryImport.objects.select_related("credential__team").get(pk=import_id)
    try:
        with client_for(row.credential, team_id=row.credential.team_id, purpose="history") as client:
            read = _page_of_jobs if row.state == State.JOBS else _page_of_runs
            read(row, client, clock)
    except (DispersedError, vault.CannotOpen, ValueError) as error:
        _note_failure(row, getattr(error, "sentence", str(error)), clock())
    return True


def _page_of_jobs(row: HistoryImport, client: Client, clock: Clock) -> None:
    page = client.list_jobs(page=row.next_page, limit=PAGE, statuses=TERMINAL)
    wanted = [remote for remote in page.items if remote.created_at is None or remote.created_at >= row.since]
    is_last = len(page.items) < page.limit or len(wanted) < len(page.items)
    is_cut = not is_last and row.next_page * PAGE >= MOST_JOBS
    with transaction.atomic():
        made = past.bring_in(row.credential, wanted, clock())
        values = {"seen": F("seen") + len(wanted), "brought_in": F("brought_in") + made}
        _go_on(row, is_last or is_cut, State.RUNS, clock(), is_cut=is_cut, **values)


def _page_of_runs(row: HistoryImport, client: Client, clock: Clock) -> None:
    page = client.list_job_runs(page=row.next_page, limit=PAGE, statuses=TERMINAL)
    is_last = len(page.items) < page.limit or _are_old(page.items, row.since)
    is_last |= row.next_page * PAGE >= 2 * MOST_JOBS
    with transaction.atomic():
        priced = past.price(row.credential, page.items, clock())
        _go_on(row, is_last, State.DONE, clock(), priced=F("priced") + priced)


def _are_old(items: Sequence[RemoteJob | RemoteRun], since: dt.datetime) -> bool:
    last = items[-1].created_at if items else None
    return last is not None and last < since


def _go_on(row: HistoryImport, is_last: bool, after: State, now: dt.datetime, **values: object) -> None:
    """The next page, or what comes after the last. Raises when the lease was lost, so that its page is not applied."""
    values |= {"lease_until": None, "lease_token": None, "failures": 0, "failure": "", "next_try_at": now}
    values |= {"state": after, "next_page": 1} if is_last else {"next_page": row.next_page + 1}
    if is_last and after == State.DONE:
        values["finished_at"] = now
    if not _held(row).update(**values):
        raise _LeaseLost("Another process went on with it.")
    if is_last and after == State.DONE:
        _tell_done(row, now)


def _tell_done(row: HistoryImport, now: dt.datetime) -> None:
    row.refresh_from_db()
    name, team_id = row.credential.name, row.credential.team_id
    sentence = f"{row.brought_in} past jobs of the credential “{name}” were brought in."
    subject = ("credential", row.credential_id)
    record(team_id, LAUNCHER, "credential.history_brought", subject, sentence, now=now)


class _LeaseLost(ValueError):
    """Nothing of the page was applied."""


def _held(row: HistoryImport):  # noqa: ANN202
    return HistoryImport.objects.filter(
        pk=row.pk, lease_token=row.lease_token, state=row.state, next_page=row.next_page
    )


def _note_failure(row: HistoryImport, why: str, now: dt.datetime) -> None:
    """Tried again later and later; after eight in a row it is given up, and a person may ask anew."""
    failures = row.failures + 1
    given_up = failures >= MOST_FAILURES
    _held(row).update(
        failures=failures,
        failure=why,
        lease_until=None,
        lease_token=None,
        next_try_at=now + dt.timedelta(seconds=min(5 * 2**failures, 300)),
        **({"state": State.FAILED, "finished_at": now} if given_up else {}),
    )
