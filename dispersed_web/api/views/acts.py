"""Acts on one job: stop, extend, in use, protect, accept its price. All answer with the job as it is then."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web import tasks
from dispersed_web.api import access, documents
from dispersed_web.api.launching import rendered
from dispersed_web.api.serializers.acts import (
    ExtendSerializer,
    ProtectSerializer,
    SeenSerializer,
    SettleSerializer,
    StopSerializer,
)
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.autostop import extend, facts, policy
from dispersed_web.clock import database_now
from dispersed_web.jobs import settling, stop
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.teams.roles import Action


class Stop(ApiView):
    @documents.stop_job
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        place, job = access.job(request, job_id, Action.STOP)
        note = valid(StopSerializer, request.data).get("note", "")
        now = database_now()
        if stop.request_stop(job, actor=place.actor, reason=Reason.USER, now=now, note=note):
            tasks.nudge(tasks.pursue_stop, job.pk)
        job = access.job(request, job_id)[1]
        return Response(rendered(job, now))


class Extend(ApiView):
    @documents.extend_job
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        place, job = access.job(request, job_id, Action.EXTEND)
        body = valid(ExtendSerializer, request.data)
        now = database_now()
        extend.extend(
            job,
            until=_until(job, body, now),
            actor=place.actor,
            now=now,
            seen_version=body.get("limits_version", job.limits_version),
        )
        job = access.job(request, job_id)[1]
        return Response(rendered(job, now))


class Settle(ApiView):
    @documents.settle_job
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        place, job = access.job(request, job_id, Action.MANAGE_JOBS)
        valid(SettleSerializer, request.data)
        now = database_now()
        settling.settle(job, actor=place.actor, now=now)
        return Response(rendered(access.job(request, job_id)[1], now))


class InUse(ApiView):
    @documents.in_use
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        return _said(request, job_id, extend.confirm_use)


class Protect(ApiView):
    @documents.protect_job
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        place = access.caller(request, Action.EXTEND)
        body = valid(ProtectSerializer, request.data)
        by_admin = access.allows(place, Action.MANAGE_LIMITS)
        return _said(request, job_id, extend.protect, by_admin=by_admin, **body)


class Unprotect(ApiView):
    @documents.unprotect_job
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        return _said(request, job_id, extend.unprotect)


class AcceptRate(ApiView):
    @documents.accept_rate
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        return _said(request, job_id, extend.accept_rate)


def _said(request: Request, job_id: uuid.UUID, act: Callable[..., None], **told: Any) -> Response:
    """What somebody says of a job; the answer is the job as it is then."""
    place, job = access.job(request, job_id, Action.EXTEND)
    if not told:
        told = valid(SeenSerializer, request.data)
    told["seen_version"] = told.pop("limits_version", None)
    now = database_now()
    act(job, actor=place.actor, now=now, **told)
    return Response(rendered(access.job(request, job_id)[1], now))


def _until(job: Job, body: dict[str, Any], now: dt.datetime) -> dt.datetime:
    if "until" in body:
        return body["until"]
    stop_at = policy.decide(*facts.of(job, now), now).stop_at
    base = max(stop_at, now) if stop_at else now
    return base + dt.timedelta(seconds=body["by_s"])
