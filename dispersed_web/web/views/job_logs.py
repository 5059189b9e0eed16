"""The log of a job: a page with its end or any part of it, ranges of lines for its script, and a file.

The page works without scripts. With them its frame is renewed like that of every tab, and its script asks for lines.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET

from dispersed_web.events.record import record
from dispersed_web.jobs import log_keeping, runs, sync
from dispersed_web.jobs.logs import Log
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.signals import logs as signals
from dispersed_web.web import access, live
from dispersed_web.web.job import log_lines
from dispersed_web.web.views.job import answer, frame

POLL_MS = 3000
MOST_LINES = 2000
MOST_HITS = 20_000
LONGEST_SEARCH = 200


@dataclass(frozen=True)
class Wish:
    """What the address asks for. Lines count from 1."""

    begin: int | None
    target: int | None
    search: str
    follows: bool
    wraps: bool

    @property
    def is_of_a_place(self) -> bool:
        return self.begin is not None or self.target is not None or bool(self.search)


@require_GET
@sensitive_variables()
def page(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """The log as a page, as its live frame, with ``data`` as lines for the script, with ``download`` as a file."""
    place, job = access.job(request, slug, job_id)
    sync.note_watcher(place.team.pk)
    run = _run(job, request.GET.get("run", ""))
    if "download" in request.GET:
        sentence = f"{place.actor.label} downloaded the job's log."
        about, now = ("job", job.pk), timezone.now()
        record(place.team.pk, place.actor, "job.log_downloaded", about, sentence, now=now, bump=False)
        return _file(job, log_keeping.show(job, run, timezone.now()) if run else Log())
    if run:
        signals.note_reader(run.pk)
    if "data" in request.GET:
        return _data(request, job, run)
    return _page(request, place, job, run)


def _run(job: Job, run_id: str) -> JobRun | None:
    """The run that is asked for, else the newest live one, else the newest."""
    found = list(job.runs.all())
    return next((run for run in found if str(run.pk) == run_id), None) or runs.newest(found)


def _wish(request: HttpRequest) -> Wish:
    return Wish(
        _number(request, "from"),
        _number(request, "line"),
        request.GET.get("q", "")[:LONGEST_SEARCH],
        request.GET.get("follow") != "no",
        request.GET.get("wrap") == "yes",
    )


def _number(request: HttpRequest, name: str) -> int | None:
    given = request.GET.get(name, "")
    return int(given) if re.fullmatch(r"[0-9]{1,9}", given) else None


def _is_live(job: Job, run: JobRun) -> bool:
    return job.is_active and run.ended_at is None


# The page --------------------------------------------------------------------------------------------------------------


@sensitive_variables()
def _page(request: HttpRequest, place: access.Seat, job: Job, run: JobRun | None) -> HttpResponse:
    now, wish = timezone.now(), _wish(request)
    token = live.token(place.team, request.user.pk, now)
    if live.is_unchanged(request, token):
        return live.unchanged()
    context = frame(request, place, job, "job-logs", token, now)
    kept = {name: request.GET[name] for name in ("run",) if name in request.GET}
    if kept:
        context["poll_address"] += f"&{urlencode(kept)}"
    context |= {"run": run, "runs": job.runs.order_by("first_seen_at", "pk"), "kept": urlencode(kept)}
    if run:
        # The frame is for pages whose script has the lines, or fetches them.
        log = Log() if live.is_part(request) else log_keeping.show(job, run, now)
        address = f"?{urlencode(kept)}{'&' if kept else ''}"
        context |= _shown(log, wish, job, run, address) | {"is_frame": live.is_part(request)}
    return answer(request, place, context)


@sensitive_variables()
def _shown(log: Log, wish: Wish, job: Job, run: JobRun, address: str) -> dict[str, Any]:
    hits = [number + 1 for number in log.lines.find(wish.search)]
    place = log_lines.nearest_hit(hits, wish.target) if hits else -1
    target = hits[place] if hits and (wish.target is None or wish.search) else wish.target
    window = log_lines.window(log.lines, wish.begin, target)
    zone = timezone.get_current_timezone()
    is_live = _is_live(job, run)
    first, end = log.lines.first + 1, log.lines.end + 1
    return {
        "log": log,
        "token": _token(log, is_live),
        "is_live": is_live,
        "is_late": bool(log.trouble and len(log.lines)),
        "follows": is_live and wish.follows and not wish.is_of_a_place,
        "wraps": wish.wraps,
        "poll_log_ms": POLL_MS,
        "rows": log_lines.rows_html(log.lines, window, zone, frozenset(hits), target, address),
        "window": window,
        "last": window.end - 1,
        "first": first,
        "total": end - 1,
        "earlier": max(first, window.begin - log_lines.PAGE_LINES) if window.begin > first else None,
        "later": window.end if window.end < end else None,
        "target": target,
        "search": wish.search,
        "hits": len(hits),
        "hit": place + 1,
        "next_hit": hits[(place + 1) % len(hits)] if hits else None,
        "previous_hit": hits[place - 1] if hits else None,
    }


# Lines for the script --------------------------------------------------------------------------------------------------


@sensitive_variables()
def _data(request: HttpRequest, job: Job, run: JobRun | None) -> HttpResponse:
    """Lines as JSON; 204 when the reader has them all. ``have`` is the number of the last line that the reader has, which
    is given again, because it may have been written over."""
    if run is None:
        return live.unchanged()
    shown, wish, is_live = request.GET.get("v", ""), _wish(request), _is_live(job, run)
    log = log_keeping.show(job, run, timezone.now(), unless=shown.partition(".")[0])
    token = _token(log, is_live)
    if shown == token:
        return live.unchanged()
    if shown.partition(".")[0] == log.version:  # only what is said of it has changed
        log = log_keeping.show(job, run, timezone.now())
    first, end = log.lines.first + 1, log.lines.end + 1
    limit = min(MOST_LINES, _number(request, "limit") or 0)
    begin = max(first, end - limit) if wish.begin is None else max(first, wish.begin)
    if end - begin > limit and "v" in request.GET:
        begin = max(first, end - limit)  # a reader who follows wants the end
    zone = timezone.get_current_timezone()
    found = log.lines.part(begin - 1, min(begin + limit, end) - 1)
    body: dict[str, Any] = {
        "run": str(run.pk),
        "epoch": log.epoch,
        "version": token,
        "live": is_live,
        "trouble": log.trouble,
        "seen_at": log.seen_at,
        "is_cut": log.is_cut,
        "first": first,
        "end": end,
        "from": begin,
        "lines": [log_lines.line_html(line, zone) for line in found],
    }
    if wish.search:
        hits = log.lines.find(wish.search, (_number(request, "search_from") or 1) - 1)
        body |= {"hits": [number + 1 for number in hits[:MOST_HITS]], "count": len(hits)}
    return JsonResponse(body)


def _token(log: Log, is_live: bool) -> str:
    """Names what is shown: the text, and what is said of it."""
    said = hashlib.sha256(f"{log.trouble}\0{is_live}".encode()).hexdigest()[:8]
    return f"{log.version}.{said}"


# The file --------------------------------------------------------------------------------------------------------------


def _file(job: Job, log: Log) -> HttpResponse:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", job.title).strip("-.")[:60] or "job"
    response = HttpResponse(log.text or log.trouble, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.log"'
    return response
