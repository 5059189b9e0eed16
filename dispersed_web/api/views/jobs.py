"""Jobs: list, look at one, launch."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web import tasks
from dispersed_web.api import access, documents, orders, present
from dispersed_web.api.authentication import Caller
from dispersed_web.api.errors import Refused
from dispersed_web.api.serializers.acts import JobQuerySerializer
from dispersed_web.api.serializers.jobs import JobPageSerializer, JobSerializer
from dispersed_web.api.serializers.launch import LaunchSerializer
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.clock import database_now
from dispersed_web.jobs import form_tokens, launch, queries
from dispersed_web.jobs.errors import FormAlreadyUsed, LaunchRefused
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Action

REPLAY_HEADER = "Idempotent-Replay"
SAME_AGAIN = (
    "You launched exactly this less than a minute ago. Send same_again: true if you want a second one, "
    "or the first one's Idempotency-Key if you meant that one."
)


def rendered(job: Job, team: Team, now: dt.datetime) -> dict[str, Any]:
    """One job with its runs, as every call about one job answers."""
    return JobSerializer(present.full(job, team, job.runs.order_by("first_seen_at", "remote_uuid"), now)).data


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
            show=query["show"],
            sort=query["sort"],
            cursor=query.get("cursor"),
        )
        page = queries.page(place.team.pk, wanted, now, query["limit"])
        body = {
            "jobs": [present.brief(job, place.team, now) for job in page.jobs],
            "next_cursor": page.older or None,
            "previous_cursor": page.newer or None,
        }
        return Response(JobPageSerializer(body).data)

    @documents.launch_job
    def post(self, request: Request) -> Response:
        place = access.caller(request, Action.LAUNCH)
        key = orders.idempotency_key(request)
        now = database_now()
        job, created = _launch(place, key, valid(LaunchSerializer, request.data), now)
        headers = {"Location": reverse("api:job", args=[job.pk])}
        if created:
            tasks.nudge(tasks.send_launch, job.pk)
        else:
            job = access.job(request, job.pk)[1]
            headers[REPLAY_HEADER] = "true"
        return Response(rendered(job, place.team, now), status=201 if created else 200, headers=headers)


@sensitive_variables()
def _launch(place: Caller, key: str, body: dict[str, Any], now: dt.datetime) -> tuple[Job, bool]:
    """The job of this key, and whether this call made it."""
    credential = access.credential(place, body["credential_id"])
    order = orders.order_of(body, place.team, credential)
    token = form_tokens.for_api(place.token.user_id, key)
    before = Job.objects.filter(team=place.team, form_token=token).first()
    try:
        job = before or launch.request(
            order,
            team=place.team,
            credential=credential,
            user=place.token.user,
            actor=place.actor,
            form_token=token,
            now=now,
            same_again=body["same_again"],
            supersedes=body.get("supersedes"),
        )
    except FormAlreadyUsed as error:
        raise _key_reused() from error
    except LaunchRefused as error:
        raise _in_words_of_the_api(error) from error
    created = before is None and job.created_at == now
    if not created and not orders.is_same(job, body, order):
        raise _key_reused()
    return job, created


def _key_reused() -> Refused:
    return Refused(
        409,
        "idempotency_key_reused",
        "This Idempotency-Key was used to launch something else. Use a new one for each launch.",
    )


def _in_words_of_the_api(error: LaunchRefused) -> LaunchRefused:
    if error.code == "same_again":
        return LaunchRefused(error.code, SAME_AGAIN, field="same_again")
    if error.field in ("lifetime", "idle_limit", "checkin_every"):
        return LaunchRefused(error.code, error.sentence, field=f"{error.field}_s")
    return error


class OneJob(ApiView):
    @documents.get_job
    def get(self, request: Request, job_id: uuid.UUID) -> Response:
        place, job = access.job(request, job_id)
        return Response(rendered(job, place.team, database_now()))
