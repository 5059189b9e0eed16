"""The output of a job's container, in ranges."""

from __future__ import annotations

import uuid
from typing import Any

from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web.api import access
from dispersed_web.api.documents.logs import read_log
from dispersed_web.api.errors import Refused
from dispersed_web.api.serializers.logs import LogQuerySerializer, LogSerializer
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.clock import database_now
from dispersed_web.jobs import log_keeping, runs
from dispersed_web.jobs.log_lines import Lines
from dispersed_web.jobs.log_text import plain
from dispersed_web.jobs.logs import Log
from dispersed_web.jobs.models import Job, JobRun


class Logs(ApiView):
    @read_log
    def get(self, request: Request, job_id: uuid.UUID) -> Response:
        _, job = access.job(request, job_id)
        query = valid(LogQuerySerializer, request.query_params.dict())
        return Response(LogSerializer(_answer(job, query)).data)


@sensitive_variables()
def _answer(job: Job, query: dict[str, Any]) -> dict[str, Any]:
    run = _run(job, query.get("run"))
    log = log_keeping.show(job, run, database_now()) if run else Log()
    if log.trouble and not log.version:
        raise Refused(503, "log_unavailable", log.trouble)
    live = job.is_active and (run is None or run.ended_at is None)
    numbers, more_from = _chosen(log.lines, query)
    total = log.lines.end
    return {
        "run_id": run and run.pk,
        "lines": [{"number": number + 1, "text": text} for number, text in numbers],
        "first": log.lines.first + 1,
        "total": total,
        "is_cut": log.is_cut,
        "live": live,
        "next": more_from or (total + 1 if live else None),
        "seen_at": log.seen_at,
        "trouble": log.trouble,
    }


def _run(job: Job, run_id: uuid.UUID | None) -> JobRun | None:
    found = list(job.runs.all())
    if run_id is None:
        return runs.newest(found)
    run = next((run for run in found if run.pk == run_id), None)
    if run is None:
        sentence = "This job has no such run."
        raise Refused(400, "invalid", sentence, {"run": sentence})
    return run


def _chosen(lines: Lines, query: dict[str, Any]) -> tuple[list[tuple[int, str]], int | None]:
    """The wanted lines with their numbers from 0, and the number from 1 at which there are more."""
    limit, search = query["limit"], query.get("search", "")
    begin = query["from"] - 1 if "from" in query else None
    if search:
        hits = lines.find(search, begin or 0)
        more_from = hits[limit] + 1 if len(hits) > limit else None
        return [(number, plain(lines.part(number, number + 1)[0])) for number in hits[:limit]], more_from
    begin = max(lines.first, lines.end - limit if begin is None else begin)
    end = begin + limit
    found = [(number, plain(text)) for number, text in enumerate(lines.part(begin, end), begin)]
    return found, end + 1 if end < lines.end else None
