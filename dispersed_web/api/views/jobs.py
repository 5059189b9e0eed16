"""Jobs: list, look at one, launch."""

from __future__ import annotations

import uuid
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web.api import access, documents, launching, orders, present
from dispersed_web.api.serializers.acts import JobQuerySerializer
from dispersed_web.api.serializers.jobs import JobPageSerializer
from dispersed_web.api.serializers.launch import LaunchSerializer
from dispersed_web.api.views import kept
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.clock import database_now
from dispersed_web.jobs import keeping, queries
from dispersed_web.teams.roles import Action


class Jobs(ApiView):
    @documents.list_jobs
    def get(self, request: Request) -> Response:
        place = access.caller(request)
        query = valid(JobQuerySerializer, request.query_params.dict())
        now = database_now()
        wanted = queries.JobFilter(
            text=" ".join(query.get("q", "").split()),
            status=query.get("status", ""),
            task=query.get("task", ""),
            owner_id=request.user.pk if query["owner"] == "me" else None,
            tag=" ".join(query.get("tag", "").lower().split()),
            starred_by=request.user.pk if query["starred"] else None,
            show=query["show"],
            sort=query["sort"],
            cursor=query.get("cursor"),
        )
        page = queries.page(place.team.pk, wanted, now, query["limit"])
        stars = keeping.starred(request.user.pk, [job.pk for job in page.jobs])
        body = {
            "jobs": [present.brief(job, place.team, now) | {"starred": job.pk in stars} for job in page.jobs],
            "next_cursor": page.older or None,
            "previous_cursor": page.newer or None,
        }
        return Response(JobPageSerializer(body).data)

    @documents.launch_job
    def post(self, request: Request) -> Response:
        place = access.caller(request, Action.LAUNCH)
        key = orders.idempotency_key(request)
        body = valid(LaunchSerializer, request.data)
        credential = access.credential(place, body["credential_id"])
        order = orders.order_of(body, place.team, credential)
        call = launching.Call(key, credential, body, order, orders.is_same)
        return launching.answer(request, place, call, database_now())


class OneJob(ApiView):
    http_method_names: ClassVar = [*ApiView.http_method_names, "patch"]

    @documents.get_job
    def get(self, request: Request, job_id: uuid.UUID) -> Response:
        _, job = access.job(request, job_id)
        return Response(launching.rendered(job, database_now()))

    @documents.change_job
    def patch(self, request: Request, job_id: uuid.UUID) -> Response:
        return kept.change(request, job_id)
