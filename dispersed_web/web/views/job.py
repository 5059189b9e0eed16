"""The pages of one job: overview, activity and auto-stop, events, specification. All of them are live."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from dispersed_web.events.models import Event
from dispersed_web.jobs import figures, states, sync
from dispersed_web.jobs.models import Job
from dispersed_web.teams.roles import Action
from dispersed_web.web import (
    access,
    connection,
    event_rows,
    extending,
    job_page,
    live,
    rows,
    spec_page,
    timeline,
    words,
)

TABS = (
    ("job", "Overview"),
    ("job-logs", "Logs"),
    ("job-activity", "Activity & auto-stop"),
    ("job-events", "Events"),
    ("job-spec", "Spec"),
)
NEWEST = 5
MOST_EVENTS = 300


@require_GET
def overview(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    return _page(request, slug, job_id, "job")


@require_GET
def activity(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    return _page(request, slug, job_id, "job-activity")


@require_GET
def events(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    return _page(request, slug, job_id, "job-events")


@require_GET
def spec(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    return _page(request, slug, job_id, "job-spec")


def _page(request: HttpRequest, slug: str, job_id: uuid.UUID, tab: str) -> HttpResponse:
    """A tab as a page, or its live part; 204 when the reader sees what there is."""
    place, job = access.job(request, slug, job_id)
    now = timezone.now()
    sync.note_watcher(place.team.pk)
    token = live.token(place.team, request.user.pk, now)
    if live.is_unchanged(request, token):
        return live.unchanged()
    context = frame(request, place, job, tab, token, now) | PARTS[tab](
        job, now, timezone.get_current_timezone()
    )
    return render(request, "job/_live.html" if live.is_part(request) else "job/page.html", context)


def frame(
    request: HttpRequest, place: access.Seat, job: Job, tab: str, token: str, now: dt.datetime
) -> dict[str, Any]:
    """What every tab shows around its own part."""
    zone = timezone.get_current_timezone()
    slug = place.team.slug
    address = reverse(f"web:{tab}", args=[slug, job.pk])
    options = extending.options(job, now, zone)
    under_way = job.state in states.UNDER_WAY or job.is_stopping
    return {
        "team": place.team,
        "job": job,
        "tab": tab,
        "tabs": [
            {"label": label, "address": reverse(f"web:{name}", args=[slug, job.pk]), "is_here": name == tab}
            for name, label in TABS
        ],
        "part": f"job/_{tab.removeprefix('job-') if tab != 'job' else 'overview'}.html",
        "row": rows.row(job, now, zone),
        "notice": job_page.notice(job, now, zone),
        "options": options,
        "may_act": place.may(Action.STOP),
        "can_extend": job.remote_uuid is not None and options.possible,
        "can_stop": job.is_active and job.stop_requested_at is None,
        "stale": _stale(job, now),
        "poll_address": f"{address}?v={token}",
        "poll_ms": live.poll_ms(under_way=under_way, unfinished=job.is_active),
        "now": now,
    }


def _stale(job: Job, now: dt.datetime) -> figures.Stale | None:
    """Why the page of an unfinished job may be out of date."""
    if not job.is_active:
        return None
    return next(
        (one for one in figures.sight(job.team_id, now).stale if one.name == job.credential.name), None
    )


def _overview(job: Job, now: dt.datetime, zone: dt.tzinfo) -> dict[str, Any]:
    return {
        "phases": timeline.phases(job, now, zone),
        "connection": connection.connection(job, job.runs.order_by("first_seen_at"), now),
        "costs": job_page.costs(job, now),
        "limits": job_page.limits(job, now, zone),
        "verdict": job_page.verdict(job, now, zone),
        "events": event_rows.lines(events_of(job)[:NEWEST]),
    }


def _activity(job: Job, now: dt.datetime, zone: dt.tzinfo) -> dict[str, Any]:
    kinds = ("job.warned", "job.extended", "job.stop_requested", "job.stop_unconfirmed")
    return {
        "verdict": job_page.verdict(job, now, zone),
        "limits": job_page.limits(job, now, zone),
        "costs": job_page.costs(job, now),
        "events": event_rows.lines(events_of(job).filter(kind__in=kinds)[:MOST_EVENTS]),
        "used": _lifetime_used(job, now),
    }


def _events(job: Job, now: dt.datetime, zone: dt.tzinfo) -> dict[str, Any]:
    return {"events": event_rows.lines(events_of(job)[:MOST_EVENTS]), "most": MOST_EVENTS}


def _spec(job: Job, now: dt.datetime, zone: dt.tzinfo) -> dict[str, Any]:
    return {"groups": spec_page.groups(job), "spec_json": spec_page.as_json(job)}


def events_of(job: Job) -> Any:
    """The job's events, newest first."""
    return Event.objects.filter(subject_type="job", subject_id=str(job.pk), team=job.team_id).order_by("-id")


def _lifetime_used(job: Job, now: dt.datetime) -> dict[str, Any] | None:
    """How much of its time is over, for a bar; ``None`` where nothing limits it."""
    if job.stop_at is None or not job.is_active:
        return None
    begun = job.launched_at or job.created_at
    whole = (job.stop_at - begun).total_seconds()
    used = min((now - begun).total_seconds(), whole)
    return (
        {"max": int(whole), "value": int(used), "words": words.duration(now - begun)} if whole > 0 else None
    )


PARTS = {"job": _overview, "job-activity": _activity, "job-events": _events, "job-spec": _spec}
