"""What stands on each tab of a job's page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.recipes import queries as recipes
from dispersed_web.web import event_rows, markdown
from dispersed_web.web.job import (
    activity_page,
    history,
    job_page,
    kept_page,
    next_words,
    progress,
    provenance,
    run_rows,
    sightings,
    spec_page,
    timeline,
)
from dispersed_web.web.job.cause_facts import Cause
from dispersed_web.web.job.connection import Connection
from dispersed_web.web.job.verdict_words import Outlook
from dispersed_web.web.jobs import marks

NEWEST = 5
MOST_ACTS = 50
MOST_EVENTS = 300


@dataclass(frozen=True)
class Sheet:
    """What a tab is made of: the job, its runs, the verdict on it or why it ended, and what the reader wishes to see."""

    job: Job
    now: dt.datetime
    zone: dt.tzinfo
    wishes: dict[str, str]
    reader_id: int | None
    runs: list[JobRun]
    connection: Connection
    outlook: Outlook | None
    cause: Cause | None


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
        "events": event_rows.lines(_events_of(job)[:NEWEST]),
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
        "events": event_rows.lines(_events_of(job).filter(kind__in=marks.KINDS)[:MOST_ACTS]),
    }


def _events(sheet: Sheet) -> dict[str, Any]:
    return {"events": event_rows.lines(_events_of(sheet.job)[:MOST_EVENTS]), "most": MOST_EVENTS}


def _spec(sheet: Sheet) -> dict[str, Any]:
    return {"groups": spec_page.groups(sheet.job), "spec_json": spec_page.as_json(sheet.job)}


def _events_of(job: Job) -> QuerySet[Event]:
    """The job's events, newest first."""
    return Event.objects.filter(subject_type="job", subject_id=str(job.pk), team=job.team_id).order_by("-id")


PARTS = {"job": _overview, "job-activity": _activity, "job-events": _events, "job-spec": _spec}
