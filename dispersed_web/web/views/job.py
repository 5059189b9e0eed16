"""The pages of one job: overview, activity and auto-stop, events, specification. All of them are live."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from dispersed_web.autostop import policy
from dispersed_web.jobs import figures, log_ends, states, sync
from dispersed_web.jobs import runs as job_runs
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, live, shell
from dispersed_web.web.job import (
    activity_page,
    causes,
    connection,
    extending,
    job_notices,
    job_page,
    kept_page,
    longer,
    sightings,
    tabs,
)
from dispersed_web.web.job.cause_facts import Cause
from dispersed_web.web.job.verdict_words import Outlook
from dispersed_web.web.jobs import rows

TABS = (
    ("job", "Overview"),
    ("job-logs", "Logs"),
    ("job-activity", "Activity & auto-stop"),
    ("job-events", "Events"),
    ("job-spec", "Spec"),
)
# What of an address chooses between things to show.
KEPT = ("show", "at", "before", "connect")


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
    place, job = access.job(request, slug, job_id)
    return show(request, place, job, tab, {name: request.GET[name] for name in KEPT if name in request.GET})


def show(
    request: HttpRequest, place: access.Seat, job: Job, tab: str, wishes: dict[str, str]
) -> HttpResponse:
    """A tab as a page, or its live part; 204 when the reader sees what there is. ``wishes`` is what of the address
    chooses between things to show: it stays while the part is asked for again and again."""
    now = timezone.now()
    sync.note_watcher(place.team.pk)
    token = live.token(place.team, request.user.pk, now)
    if live.is_unchanged(request, token):
        return live.unchanged()
    context = frame(request, place, job, tab, token, now)
    if wishes:
        context["poll_address"] += f"&{urlencode(wishes)}"
    if wishes.get("show") in activity_page.WIDE:
        context["poll_ms"] = max(context["poll_ms"], live.CALM_MS)
    zone = timezone.get_current_timezone()
    told = {name: context[name] for name in ("runs", "connection", "outlook", "cause")}
    context |= tabs.PARTS[tab](tabs.Sheet(job, now, zone, wishes, request.user.pk, **told))
    return answer(request, place, context)


def answer(request: HttpRequest, place: access.Seat, context: dict[str, Any]) -> HttpResponse:
    """The page, or its live part, which also tells the frame what is new."""
    if not live.is_part(request):
        return render(request, "job/page.html", context)
    response = render(request, "job/_live.html", context | {"is_part": True})
    live.tell_frame(response, shell.news(place.team), shell.recent_banners(place.team, says_age=True))
    return response


def frame(
    request: HttpRequest, place: access.Seat, job: Job, tab: str, token: str, now: dt.datetime
) -> dict[str, Any]:
    """What every tab shows around its own part."""
    zone = timezone.get_current_timezone()
    slug = place.team.slug
    address = reverse(f"web:{tab}", args=[slug, job.pk])
    runs = _runs(job)
    outlook = sightings.outlook(job, now, zone, request.user.pk)
    options = _options(job, outlook, now, zone)
    under_way = job.state in states.UNDER_WAY or job.is_stopping or rows.is_starting(job, now)
    cause = _cause(job, runs)
    way = connection.connection(job, runs, now, connection.recipe_of(job))
    notice = job_notices.notice(
        job,
        outlook,
        now,
        zone,
        tells_verdict=not _has_verdict(job, tab),
        cause=cause,
        unreachable=way.sentence if way.state == "late" else "",
    )
    return {
        "team": place.team,
        "job": job,
        "tab": tab,
        "tabs": _tabs(job, slug, tab),
        "part": f"job/_{tab.removeprefix('job-') if tab != 'job' else 'overview'}.html",
        "row": rows.row(job, now, zone),
        "runs": runs,
        "cause": cause,
        "longer": longer.query_of(job, cause),
        "connection": way,
        "is_fresh": _is_fresh(job),
        "outlook": outlook,
        "verdict": job_page.verdict(job, outlook, now, zone),
        "notice": notice,
        "may_relaunch": not job.is_active and not (notice and {"same", "relaunch"} & set(notice.acts)),
        "question": job_notices.question(job, outlook, now),
        "options": options,
        "may_act": place.may(Action.STOP),
        "may_settle": place.may(Action.MANAGE_JOBS),
        **kept_page.around_title(place, job),
        **job_page.possible(job, outlook, options, now),
        "stale": _stale(job, now),
        "poll_address": f"{address}?v={token}",
        "poll_ms": live.poll_ms(under_way=under_way, unfinished=job.is_active),
        "now": now,
    }


def _tabs(job: Job, slug: str, here: str) -> list[dict[str, Any]]:
    return [
        {"label": label, "address": reverse(f"web:{name}", args=[slug, job.pk]), "is_here": name == here}
        for name, label in TABS
    ]


def _is_fresh(job: Job) -> bool:
    """It can be reached, and nobody has asked how yet."""
    is_ready = job.is_active and job.stop_requested_at is None and job.reachable_at is not None
    return is_ready and job.connected_at is None


def _runs(job: Job) -> list[JobRun]:
    """The job's runs, the oldest first; the present one is not asked for again."""
    runs = list(job.runs.order_by("first_seen_at"))
    present = next((run for run in runs if run.pk == job.current_run_id), None)
    if present is not None:
        job.current_run = present
    return runs


def _cause(job: Job, runs: list[JobRun]) -> Cause | None:
    """Why it ended, with what is kept of the last run's log."""
    if job.is_active:
        return None
    last = job_runs.newest(runs)
    text = log_ends.last_words(last) if last and job.state != states.Status.COMPLETED else ""
    return causes.cause(job, runs, text)


def _options(job: Job, outlook: Outlook | None, now: dt.datetime, zone: dt.tzinfo) -> extending.Options:
    if outlook is None:
        return extending.offer(job, None, None, now, zone)
    latest = policy.latest_end(outlook.policy, outlook.facts)
    return extending.offer(job, outlook.verdict.stop_at, latest, now, zone)


def _has_verdict(job: Job, tab: str) -> bool:
    """Whether the tab has a panel for the verdict, and so needs no notice of it."""
    return tab == "job-activity" or (tab == "job" and job.is_active)


def _stale(job: Job, now: dt.datetime) -> figures.Stale | None:
    """Why the page of an unfinished job may be out of date."""
    if not job.is_active:
        return None
    return next(
        (one for one in figures.sight(job.team_id, now).stale if one.name == job.credential.name), None
    )
