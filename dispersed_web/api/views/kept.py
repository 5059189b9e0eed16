"""Changing what people keep with a job. All calls answer with the job as it is then."""

from __future__ import annotations

import uuid

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web.accounts.models import User
from dispersed_web.api import access, documents
from dispersed_web.api.launching import rendered
from dispersed_web.api.serializers.kept import HandOverSerializer, JobChangeSerializer, StarSerializer
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.clock import database_now
from dispersed_web.jobs import handover, keeping
from dispersed_web.jobs.errors import JobError
from dispersed_web.teams.roles import Action, may


def change(request: Request, job_id: uuid.UUID) -> Response:
    """Title, notes and tags: all that the body names, or nothing."""
    place, job = access.job(request, job_id, Action.LAUNCH)
    body = valid(JobChangeSerializer, request.data)
    who = {"actor": place.actor, "now": database_now()}
    with transaction.atomic():
        if "title" in body:
            keeping.rename(job, body["title"], **who)
        if "notes" in body:
            keeping.set_notes(job, body["notes"], seen=body.get("notes_version"), **who)
        if "tags" in body:
            keeping.set_tags(job, body["tags"], **who)
    return _now(request, job_id)


class HandOver(ApiView):
    @documents.hand_over_job
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        place, job = access.job(request, job_id, Action.LAUNCH)
        email = valid(HandOverSerializer, request.data)["to"]
        if job.owner_id != request.user.pk and may(place.own_role, Action.MANAGE_JOBS):
            access.need(place, Action.MANAGE_JOBS)
        people = User.objects.filter(memberships__team=place.team, is_service=False)
        to = people.filter(email__iexact=email).first()
        if to is None:
            raise JobError("no_member", "Nobody in the team has this e-mail address.", field="to")
        handover.hand_over(job, to, actor=place.actor, now=database_now())
        return _now(request, job_id)


class Star(ApiView):
    @documents.star_job
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        _, job = access.job(request, job_id, Action.LAUNCH)
        wanted = valid(StarSerializer, request.data)["starred"]
        (keeping.star if wanted else keeping.unstar)(job, request.user.pk)
        return _now(request, job_id)


def _now(request: Request, job_id: uuid.UUID) -> Response:
    return Response(rendered(access.job(request, job_id)[1], database_now()))
