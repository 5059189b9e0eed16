"""Every list of jobs that the doors show: which jobs, in which order, which page. No OFFSET, no count of everything.

A page continues from the last row that was seen. Orders by what moves with time (cost, runtime) are computed as of the
moment of the first page, which travels with the cursor, so that no row is shown twice or skipped.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import NullIf

from dispersed_web.jobs.keeping import LONGEST_TAG
from dispersed_web.jobs.list_orders import SORTS
from dispersed_web.jobs.models import ENDED, IN_CLOUD, Job, JobStar, JobTag
from dispersed_web.jobs.states import Status

PAGE_SIZE = 50
STUCK_AFTER = dt.timedelta(minutes=3)
# No look of auto-stop is planned so far ahead.
FARTHEST_LOOK = dt.timedelta(minutes=30)
SHOWS = ("active", "all", "attention")
STATUSES = frozenset(status.value for status in Status)
T = TypeVar("T")
# Columns that no list shows: large ones, and those of the protocol.
LEFT_OUT = (
    *("spec", "spec_secrets_sealed", "spec_fingerprint", "form_token", "next_try_at", "claims"),
    *("maybe_sent", "claim_token", "lease_until", "x_time_ms", "nonce", "unknown_since", "absent_lists"),
    *("watch_until", "remote_status", "evaluate_at", "stop_note", "stop_token", "stop_attempts"),
    *("stop_lease_until", "stop_error", "end_seen_at", "log_noise", "heartbeat_digest", "notes"),
)


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after (or, ``back``, before) the row with this key, in the order as of ``as_of``. As a text it
    is made of what stands in the page anyway, so that it takes few bytes of a compressed one."""

    sort: str
    as_of: dt.datetime
    key: Any
    job_id: uuid.UUID
    back: bool = False

    def __str__(self) -> str:
        key = _moment(self.key) if isinstance(self.key, dt.datetime) else quote(str(self.key), safe="")
        way = "newer" if self.back else "older"
        return "~".join((self.sort, way, _moment(self.as_of), str(self.job_id), key))

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """``None`` for anything that is not one of ours: the list then begins at its start."""
        try:
            sort, way, as_of, job_id, stored = text.split("~", 4)
            kind = SORTS[sort].kind
            key = dt.datetime.fromisoformat(stored) if kind is dt.datetime else kind(unquote(stored))
            moment = dt.datetime.fromisoformat(as_of)
            if moment.tzinfo is None or (kind is dt.datetime and key.tzinfo is None):
                return None
            if kind is str and "\0" in key:
                return None
            return cls(sort, moment, key, uuid.UUID(job_id), way == "newer")
        except (ValueError, KeyError):
            return None


def _moment(at: dt.datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class JobFilter:
    """What a list shows. ``show`` is ``active``, ``all`` or ``attention``; ``owner_id`` narrows it to the reader's own
    jobs, ``of_id`` to those of somebody else, ``starred_by`` to a person's favourites. ``text`` is looked for in title,
    owner, tags, notes, marker and the cloud's uuid."""

    text: str = ""
    status: str = ""
    task: str = ""
    owner_id: int | None = None
    of_id: int | None = None
    starred_by: int | None = None
    tag: str = ""
    show: str = "active"
    sort: str = "newest"
    cursor: Cursor | None = None


@dataclass(frozen=True)
class JobPage:
    """One page; the cursors are empty where there is nothing more."""

    jobs: list[Job]
    newer: str
    older: str


def read_filter(params: Mapping[str, str], user_id: int | None) -> JobFilter:
    """The filter that an address names; what it names wrongly is left at its default."""
    sort = params.get("sort", "")
    status = params.get("status", "").upper()
    task = params.get("task", "").upper()
    show = params.get("show", "")
    cursor = Cursor.read(params.get("cursor", ""))
    whose, owner = params.get("whose", ""), params.get("owner", "")
    of_id = int(owner) if owner.isascii() and owner.isdigit() and len(owner) < 10 else None
    wanted = JobFilter(
        text=" ".join(params.get("q", "").replace("\0", "").split())[:100],
        status=status if status in STATUSES else "",
        task=task if task in ("BATCH", "PERSISTENT") else "",
        owner_id=user_id if whose == "mine" and of_id is None else None,
        of_id=of_id,
        starred_by=user_id if whose == "starred" else None,
        tag=" ".join(params.get("tag", "").replace("\0", "").lower().split())[:LONGEST_TAG],
        show=show if show in SHOWS else "active",
        sort=sort if sort in SORTS else "newest",
    )
    return replace(wanted, cursor=cursor if cursor and cursor.sort == wanted.sort else None)


def matching(team_id: uuid.UUID, wanted: JobFilter, now: dt.datetime) -> QuerySet[Job]:
    """The team's jobs that the filter lets through, in no order."""
    rows = Job.objects.filter(team=team_id)
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.task:
        rows = rows.filter(task=wanted.task)
    if wanted.owner_id is not None:
        rows = rows.filter(owner=wanted.owner_id)
    if wanted.of_id is not None:
        rows = rows.filter(owner=wanted.of_id)
    if wanted.starred_by is not None:
        rows = rows.filter(Exists(JobStar.objects.filter(job=OuterRef("pk"), user=wanted.starred_by)))
    if wanted.tag:
        rows = rows.filter(Exists(JobTag.objects.filter(job=OuterRef("pk"), name=wanted.tag)))
    if wanted.text:
        rows = rows.filter(_text(wanted.text))
    if wanted.show == "attention":
        return rows.exclude(status__in=ENDED).filter(needs_attention(now))
    if wanted.show == "active" and wanted.status not in ENDED:
        rows = rows.exclude(status__in=ENDED)
    return rows


def needs_attention(now: dt.datetime) -> Q:
    """Of jobs that have not ended: those that need a person, or soon will."""
    stuck = Q(stop_requested_at__lt=now - STUCK_AFTER) & ~Q(status=Status.QUEUED)
    waits = Q(status=Status.QUEUED) & ~Q(reason_text="")
    warned = Q(warned_at__isnull=False, stop_requested_at=None)
    return stuck | waits | warned | Q(missing_alarmed_at__isnull=False) | Q(status=Status.UNCONFIRMED)


def page(team_id: uuid.UUID, wanted: JobFilter, now: dt.datetime, size: int = PAGE_SIZE) -> JobPage:
    """One page of the team's jobs with their owners and tags, without their specifications."""
    rows = list(with_tags(for_list(ordered(team_id, wanted, now)))[: size + 1])
    return JobPage(*cut(rows, wanted, now, size, lambda job: (job.sort_key, job.pk)))


def ordered(team_id: uuid.UUID, wanted: JobFilter, now: dt.datetime) -> QuerySet[Job]:
    """The jobs from where the page begins, in its direction, each with its ``sort_key``."""
    cursor, order = wanted.cursor, SORTS[wanted.sort]
    rows = matching(team_id, wanted, now).annotate(sort_key=order.key(_as_of(wanted, now)))
    if cursor:
        rows = rows.filter(order.beyond(cursor))
    return rows.order_by(*order.by(cursor is not None and cursor.back))


def cut(
    rows: list[T], wanted: JobFilter, now: dt.datetime, size: int, key: Callable[[T], tuple[Any, uuid.UUID]]
) -> tuple[list[T], str, str]:
    """A page of ``rows``, of which there is one too many where there are more, and the cursors of the pages beside it.
    ``key`` gives a row's sort key and id."""
    back = wanted.cursor is not None and wanted.cursor.back
    more, shown = len(rows) > size, rows[:size]
    if back:
        shown.reverse()

    def at(index: int, *, backwards: bool) -> str:
        return str(Cursor(wanted.sort, _as_of(wanted, now), *key(shown[index]), backwards))

    has_newer = bool(shown) and (more if back else wanted.cursor is not None)
    has_older = bool(shown) and (True if back else more)
    return (
        shown,
        at(0, backwards=True) if has_newer else "",
        at(-1, backwards=False) if has_older else "",
    )


def _as_of(wanted: JobFilter, now: dt.datetime) -> dt.datetime:
    return wanted.cursor.as_of if wanted.cursor else now


def for_list(rows: QuerySet[Job]) -> QuerySet[Job]:
    """With what a row shows of the owner and the specification, and without the rest of them."""
    return (
        rows.select_related("owner")
        .defer(*LEFT_OUT, *(f"owner__{name}" for name in ("password", "last_login")))
        .annotate(**TIMEOUTS)
    )


def with_tags(rows: QuerySet[Job]) -> QuerySet[Job]:
    """With the jobs' tags as ``shown_tags``: one query more for all of them."""
    return rows.prefetch_related(Prefetch("tags", JobTag.objects.order_by("name"), to_attr="shown_tags"))


def to_evaluate(now: dt.datetime) -> QuerySet[Job]:
    """The jobs that auto-stop is to look at now, the longest overdue first, without their specifications."""
    rows = Job.objects.filter(stop_requested_at=None, status__in=IN_CLOUD, evaluate_at__lte=now)
    rows = rows.select_related("current_run").defer(*LEFT_OUT, "current_run__node_urls")
    return rows.annotate(**TIMEOUTS).order_by("evaluate_at")


def planned_by_another_clock(now: dt.datetime) -> QuerySet[Job]:
    """The jobs whose next look is too far ahead, because the clock was set back since it was planned."""
    return Job.objects.filter(
        stop_requested_at=None, status__in=IN_CLOUD, evaluate_at__gt=now + FARTHEST_LOOK
    )


def _number(name: str) -> Any:
    """A number of the specification; SQLite gives a JSON null as the text "null"."""
    return NullIf(KT(f"spec__{name}"), Value("null", TextField()))


def chosen(team_id: uuid.UUID, ids: list[str]) -> list[Job]:
    """The team's jobs among ``ids``, newest first, with their present runs; whatever is not one is left out."""
    valid = []
    for text in ids[:500]:
        try:
            valid.append(uuid.UUID(text))
        except ValueError:
            continue
    rows = Job.objects.filter(team=team_id, pk__in=valid).select_related("current_run")
    rows = rows.defer("current_run__node_urls", "current_run__access_tokens_sealed")
    return list(for_list(rows).order_by("-created_at", "-id"))


def _text(text: str) -> Q:
    return (
        Q(title__icontains=text)
        | Q(owner__name__icontains=text)
        | Q(owner__email__icontains=text)
        | Q(notes__icontains=text)
        | Q(Exists(JobTag.objects.filter(job=OuterRef("pk"), name__icontains=text.lower())))
        | Q(marker__startswith=text.lower())
        | Q(remote_uuid__startswith=text.lower())
    )


# What is left of a deferred specification: the cloud's own limits for the start
TIMEOUTS = {"assign_ms": _number("max_timeout_assign_ms"), "start_ms": _number("max_timeout_start_ms")}
