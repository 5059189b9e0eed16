"""What was not launched here, and acts on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web import tasks
from dispersed_web.accounts.models import User
from dispersed_web.api import access
from dispersed_web.api.authentication import Caller
from dispersed_web.api.documents import inventory as documents
from dispersed_web.api.launching import rendered
from dispersed_web.api.serializers.inventory import (
    AdoptSerializer,
    InventorySerializer,
    NothingSerializer,
    StopUnmanagedSerializer,
    UnmanagedSerializer,
)
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.clock import database_now
from dispersed_web.jobs import inventory, missing, stocktaking, watching
from dispersed_web.jobs.inventory import Hand, InventoryRefused, typed_for
from dispersed_web.jobs.models import Job, UnmanagedJob
from dispersed_web.teams.roles import Action


class Inventory(ApiView):
    @documents.get_inventory
    def get(self, request: Request) -> Response:
        place = access.caller(request)
        now = database_now()
        stock = stocktaking.of_team(place.team.pk, now)
        rows = sorted(
            (*stock.unmanaged, *stock.ignored, *stock.long_lost), key=lambda row: -(row.hourly_rate_usd or 0)
        )
        lost = (("missing", stock.missing), ("unconfirmed", stock.unconfirmed), ("found", stock.found))
        body = {
            "unmanaged": [_shown(row, request.user, now) for row in rows],
            "lost": [_lost(state, job, now) for state, jobs in lost for job in jobs],
        }
        return Response(InventorySerializer(body).data)


class Adopt(ApiView):
    @documents.adopt
    def post(self, request: Request, row_id: int) -> Response:
        place, row = _row(request, row_id)
        body = valid(AdoptSerializer, request.data)
        job = inventory.adopt(
            row,
            owner=_owner(place, body.get("owner")) or request.user,
            lifetime_s=body.get("lifetime_s", place.team.default_lifetime_s),
            hand=_hand(request, place, body.get("confirm", "")),
            now=database_now(),
        )
        tasks.nudge(tasks.sync_credential, row.credential_id)
        return Response(rendered(access.job(request, job.pk)[1], database_now()))


class Stop(ApiView):
    @documents.stop
    def post(self, request: Request, row_id: int) -> Response:
        place, row = _row(request, row_id)
        body = valid(StopUnmanagedSerializer, request.data)
        hand = _hand(request, place, body.get("confirm", ""))
        job = inventory.stop(row, hand=hand, now=database_now(), note=body.get("note", ""))
        tasks.nudge(tasks.pursue_stop, job.pk)
        return Response(rendered(access.job(request, job.pk)[1], database_now()))


class Watch(ApiView):
    @documents.watch
    def post(self, request: Request, row_id: int) -> Response:
        return _simple(request, row_id, inventory.watch)


class Unwatch(ApiView):
    @documents.unwatch
    def post(self, request: Request, row_id: int) -> Response:
        return _simple(request, row_id, inventory.unwatch)


class Ignore(ApiView):
    @documents.ignore
    def post(self, request: Request, row_id: int) -> Response:
        return _simple(request, row_id, inventory.ignore)


class Unignore(ApiView):
    @documents.unignore
    def post(self, request: Request, row_id: int) -> Response:
        return _simple(request, row_id, inventory.unignore)


def _simple(request: Request, row_id: int, act: Callable[..., bool]) -> Response:
    place, row = _row(request, row_id)
    valid(NothingSerializer, request.data)
    act(row, hand=_hand(request, place), now=database_now())
    return Response(UnmanagedSerializer(_shown(_row(request, row_id)[1], request.user, database_now())).data)


def _row(request: Request, row_id: int) -> tuple[Caller, UnmanagedJob]:
    """An unmanaged job of the token's team. The same 404 for another team's and for none."""
    place = access.caller(request, Action.ADOPT)
    rows = UnmanagedJob.objects.select_related("credential__team")
    found = rows.filter(pk=min(row_id, 2**63 - 1), credential__team=place.team).first()
    if found is None:
        raise Http404
    return place, found


def _hand(request: Request, place: Caller, typed: str = "") -> Hand:
    return Hand(request.user, place.actor, access.allows(place, Action.MANAGE_JOBS), typed)


def _owner(place: Caller, email: str | None) -> User | None:
    if email is None:
        return None
    people = User.objects.filter(memberships__team=place.team, is_service=False)
    found = people.filter(email__iexact=email).first()
    if found is None:
        raise InventoryRefused("invalid", "The team has no member with this address.", field="owner")
    return found


def _shown(row: UnmanagedJob, user: User, now: dt.datetime) -> dict[str, Any]:
    same = ("id", "remote_uuid", "title", "source", "credential_id", "task", "status", "hourly_rate_usd")
    times = ("created_at", "first_seen_at", "seen_at", "missing_since", "ignored_at")
    return {name: getattr(row, name) for name in (*same, *times)} | {
        "gpu": row.gpu_label,
        "estimate_usd": watching.cost(row, now),
        "watched": any(one.pk == user.pk for one in row.watched_by.all()),
        "confirm": typed_for(row),
    }


def _lost(state: str, job: Job, now: dt.datetime) -> dict[str, Any]:
    span = missing.cost_span(job, now)
    since = {"missing": job.missing_since, "unconfirmed": job.unknown_since, "found": job.launched_at}
    return {
        "id": job.pk,
        "title": job.title,
        "state": state,
        "remote_uuid": job.remote_uuid,
        "since": since[state],
        "at_last_sight_usd": span.at_last_sight,
        "up_to_usd": span.up_to,
    }
