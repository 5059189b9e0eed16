"""Notices and deliveries as the pages show them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.urls import reverse

from dispersed_web.jobs.models import Job
from dispersed_web.notifications.models import Channel, Delivery, DeliveryState, Way
from dispersed_web.notifications.notice import Notice, compose, spoken
from dispersed_web.web import words
from dispersed_web.web.job import lease_words
from dispersed_web.web.jobs import row_acts

ICONS = {
    "green": "check",
    "amber": "clock",
    "red": "status-alarm",
    "blue": "info",
    "grey": "status-stopped",
}


WARNINGS = ("job.warned", "job.reminded", "job.checkin")


@dataclass(frozen=True, slots=True)
class NoticeAct:
    """A link to the page that asks before it is done."""

    label: str
    address: str
    look: str


@dataclass(frozen=True)
class InboxRow:
    """``calls_off`` says what keeps an announced stop from coming, ``rate`` what the job costs, and ``acts`` are what may
    be done about it: all empty where no stop is announced any more."""

    id: int
    subject: str
    sentence: str
    team: str
    at: dt.datetime
    icon: str
    tone: str
    is_unread: bool
    opens: str
    calls_off: str = ""
    rate: str = ""
    acts: tuple[NoticeAct, ...] = ()


@dataclass(frozen=True)
class DeliveryRow:
    """``to`` names a person or the webhook by its host; ``kind`` is a mark of ``_status.html``."""

    subject: str
    to: str
    way: str
    kind: str
    label: str
    error: str
    at: dt.datetime


def inbox_rows(
    deliveries: Sequence[Delivery], acts_in: Collection[uuid.UUID], now: dt.datetime, zone: dt.tzinfo
) -> list[InboxRow]:
    """What was told to a person, in its order: the newest first. ``acts_in`` are the teams whose jobs the person may extend
    and stop; what may be done about a job stands beside its newest notice."""
    found: list[InboxRow] = []
    answered: set[uuid.UUID] = set()
    for one, notice in _with_notices(deliveries):
        row = _inbox_row(one, notice, now, zone)
        if notice.job is not None and notice.job.pk not in answered and _is_open(notice, notice.job):
            answered.add(notice.job.pk)
            row = _with_acts(row, notice, notice.job, acts_in, now)
        found.append(row)
    return found


def delivery_rows(deliveries: Sequence[Delivery], now: dt.datetime, zone: dt.tzinfo) -> list[DeliveryRow]:
    """What went out of a team, in its order."""
    return [_delivery_row(one, notice, now, zone) for one, notice in _with_notices(deliveries)]


def page_of(notice: Notice) -> str:
    """Where more stands, as an address of this server."""
    return notice.page.removeprefix(settings.PUBLIC_URL)


def _with_notices(deliveries: Sequence[Delivery]) -> Iterable[tuple[Delivery, Notice]]:
    """Each with its message; the jobs are fetched all at once."""
    ids = {one.event.subject_id for one in deliveries if one.event.subject_type == "job"}
    rows = Job.objects.select_related("owner", "team").defer("spec", "spec_secrets_sealed")
    jobs = {str(job.pk): job for job in rows.filter(pk__in=ids)}
    return [(one, compose(one.event, jobs.get(one.event.subject_id))) for one in deliveries]


def _inbox_row(delivery: Delivery, notice: Notice, now: dt.datetime, zone: dt.tzinfo) -> InboxRow:
    return InboxRow(
        id=delivery.pk,
        subject=_subject(notice, now, zone),
        sentence=notice.sentence,
        team=delivery.event.team.name if delivery.event.team else "Your account",
        at=delivery.event.at,
        icon=ICONS[notice.tone],
        tone=notice.tone,
        is_unread=delivery.read_at is None,
        opens=notice.page_label,
    )


def _is_open(notice: Notice, job: Job) -> bool:
    """Whether what the notice announces still comes."""
    if notice.event.kind == "job.rate_exceeded":
        return lease_words.is_too_dear(job)
    return notice.event.kind in WARNINGS and lease_words.is_warned(job) and notice.event.at >= job.warned_at


def _with_acts(
    row: InboxRow, notice: Notice, job: Job, acts_in: Collection[uuid.UUID], now: dt.datetime
) -> InboxRow:
    page = reverse("web:job", args=[job.team.slug, job.pk])
    offered = row_acts.acts_of(job, now) if job.team_id in acts_in else ()
    acts = tuple(NoticeAct(act.label, f"{page}{act.name}/", act.look) for act in offered if act.asks)
    rate = words.rate(job.hourly_rate_usd) if job.hourly_rate_usd is not None else ""
    return replace(row, calls_off=notice.calls_off, rate=rate, acts=acts)


def _delivery_row(delivery: Delivery, notice: Notice, now: dt.datetime, zone: dt.tzinfo) -> DeliveryRow:
    kind, label = _state(delivery)
    return DeliveryRow(
        subject=_subject(notice, now, zone),
        to=str(delivery.user or delivery.channel.host),
        way=Way(delivery.way).label,
        kind=kind,
        label=label,
        error=delivery.error,
        at=delivery.sent_at or delivery.claimed_at or delivery.event.at,
    )


def _state(delivery: Delivery) -> tuple[str, str]:
    if delivery.state == DeliveryState.SENT:
        return "completed", "Sent"
    if delivery.state == DeliveryState.FAILED:
        return "failed", "Failed"
    if delivery.state == DeliveryState.SENDING:
        return "waiting", "Being sent"
    return ("waiting", "Trying again") if delivery.attempts else ("waiting", "Waiting")


def _subject(notice: Notice, now: dt.datetime, zone: dt.tzinfo) -> str:
    words = (word if isinstance(word, str) else spoken(word, zone, now) for word in notice.subject)
    return "".join(words)


def channel_status(channel: Channel) -> dict[str, Any]:
    """How the webhook is doing: kind, label and detail of a status mark."""
    if not channel.active:
        return {"kind": "stopped", "label": "Paused", "detail": "Nothing is sent there."}
    if channel.last_error:
        return {"kind": "alarm", "label": "Does not work", "detail": channel.last_error}
    if channel.last_success_at is None:
        return {"kind": "waiting", "label": "Not tried yet", "detail": "Send a test to see whether it works."}
    return {"kind": "running", "label": "Works"}
