"""The pages of one job: overview, activity and auto-stop, events, specification. All of them are live."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from dispersed_web.autostop import policy
from dispersed_web.events.models import Event
from dispersed_web.jobs import figures, log_ends, states, sync
from dispersed_web.jobs import runs as job_runs
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.recipes import queries as recipes
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, event_rows, live, markdown, shell
from dispersed_web.web.job import (
    activity_page,
    causes,
    connection,
    extending,
    history,
    job_notices,
    job_page,
    kept_page,
    longer,
    next_words,
    progress,
    provenance,
    run_rows,
    sightings,
    spec_page,
    timeline,
)
from dispersed_web.web.job.cause_facts import Cause
from dispersed_web.web.job.verdict_words import Outlook
from dispersed_web.web.jobs import marks, rows

TABS = (
    ("job", "Overview"),
    ("job-logs", "Logs"),
    ("job-activity", "Activity & auto-stop"),
    ("job-events", "Events"),
    ("job-spec", "Spec"),
)
NEWEST = 5
MOST_ACTS = 50
MOST_EVENTS = 300
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
    context |= PARTS[tab](Sheet(job, now, zone, wishes, request.user.pk, **told))
    return answer(request, place, context)


def answer(request: HttpRequest, place: access.Seat, context: dict[str, Any]) -> HttpResponse:
    """The page, or its live part, which also tells the frame what is new."""
    if not live.is_part(request):
        return render(request, "job/page.html", context)
    response = render(request, "job/_live.html", context | {"is_part": True})
    live.tell_frame(response, shell.news(place.team), shell.recent_banners(place.team, says_age=True))
    return response


@dataclass(frozen=True)
class Sheet:
    """What a tab is made of: the job, its runs, the verdict on it or why it ended, and what the reader wishes to see."""

    job: Job
    now: dt.datetime
    zone: dt.tzinfo
    wishes: dict[str, str]
    reader_id: int | None
    runs: list[JobRun]
    connection: connection.Connection
    outlook: Outlook | None
    cause: Cause | None


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


def _overview(sheet: Sheet) -> dict[str, Any]:
    job, now, zone = sheet.job, sheet.now, sheet.zone
    found = sheet.connection
    picture = (
        activity_page.picture(job, sheet.outlook, "3h", now, zone, is_small=True) if job.is_active else None
    )
    return {
        "phases": timeline.phases(job, now, zone),
        "progress": progress.progress(job, sheet.runs, now, zone),
        "run_rows": run_rows.table(job, sheet.runs, now, zone, sheet.cause),
        **_provenance(job, sheet.reader_id),
        "recipe_text": markdown.render(found.text) if found.text else "",
        "is_connection_open": found.state == "ready" and sheet.wishes.get("connect") == "open",
        "heartbeat": sightings.heartbeat(job, now) if sheet.outlook else None,
        "has_heartbeat_address": job.heartbeat_digest is not None,
        "costs": job_page.costs(job, sheet.outlook, now),
        "limits": job_page.limits(job, sheet.outlook, now, zone),
        "sureness": next_words.sureness(sheet.outlook) if sheet.outlook else None,
        "picture": picture,
        "events": event_rows.lines(events_of(job)[:NEWEST]),
        **kept_page.notes(job),
        **kept_page.tags(job),
    }


def _provenance(job: Job, reader_id: int | None) -> dict[str, Any]:
    """Where it came from; a recipe that the reader may not see is not named."""
    version, address = job.recipe_version, ""
    if version and recipes.visible_to(reader_id or 0, job.team).filter(pk=version.recipe_id).exists():
        address = f"{reverse('web:recipe', args=[job.team.slug, version.recipe_id])}?v={version.number}"
    found = provenance.provenance(job, may_see_recipe=bool(address))
    return {"provenance": found, "recipe_address": address}


def _activity(sheet: Sheet) -> dict[str, Any]:
    job, outlook, now, zone = sheet.job, sheet.outlook, sheet.now, sheet.zone
    picture = activity_page.picture(job, outlook, sheet.wishes.get("show", ""), now, zone)
    changes, older = activity_page.history_page(job, sheet.wishes.get("before", ""))
    return {
        "picture": picture,
        "asked_about": activity_page.moment(sheet.wishes.get("at", ""), zone),
        "answer": activity_page.answer(job, picture, sheet.wishes.get("at", ""), now, zone)
        if picture
        else None,
        "history": history.lines(changes, now, zone),
        "older": older,
        "steps": next_words.steps(outlook) if outlook else [],
        "keeps": next_words.calls_off(outlook) if outlook else [],
        "sureness": next_words.sureness(outlook) if outlook else None,
        "limits": job_page.limits(job, outlook, now, zone),
        "costs": job_page.costs(job, outlook, now),
        "events": event_rows.lines(events_of(job).filter(kind__in=marks.KINDS)[:MOST_ACTS]),
    }


def _events(sheet: Sheet) -> dict[str, Any]:
    return {"events": event_rows.lines(events_of(sheet.job)[:MOST_EVENTS]), "most": MOST_EVENTS}


def _spec(sheet: Sheet) -> dict[str, Any]:
    return {"groups": spec_page.groups(sheet.job), "spec_json": spec_page.as_json(sheet.job)}


def events_of(job: Job) -> Any:
    """The job's events, newest first."""
    return Event.objects.filter(subject_type="job", subject_id=str(job.pk), team=job.team_id).order_by("-id")


PARTS = {"job": _overview, "job-activity": _activity, "job-events": _events, "job-spec": _spec}
