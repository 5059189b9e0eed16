"""A launch over the API: once for each Idempotency-Key, whatever it is made from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web import tasks
from dispersed_web.api import access, kept, present
from dispersed_web.api.authentication import Caller
from dispersed_web.api.errors import Refused
from dispersed_web.api.serializers.jobs import JobSerializer
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs import form_tokens, launch
from dispersed_web.jobs.errors import FormAlreadyUsed, LaunchRefused
from dispersed_web.jobs.launch import Order
from dispersed_web.jobs.models import Job

REPLAY_HEADER = "Idempotent-Replay"
SAME_AGAIN = (
    "You launched exactly this less than a minute ago. Send same_again: true if you want a second one, "
    "or the first one's Idempotency-Key if you meant that one."
)


@dataclass(frozen=True, repr=False)
class Call:
    """What a call asks for: its key, the flat ``body`` with secrets, the order made of it, and how to tell whether a
    job was launched by the same call before."""

    key: str
    credential: Credential
    body: Mapping[str, Any]
    order: Order
    is_same: Callable[[Job, Mapping[str, Any], Order], bool]


def rendered(job: Job, now: dt.datetime) -> dict[str, Any]:
    """One job with its runs, as every call about one job answers."""
    runs = job.runs.order_by("first_seen_at", "remote_uuid")
    return JobSerializer(present.full(job, job.team, runs, now) | kept.of(job)).data


def answer(request: Request, place: Caller, call: Call, now: dt.datetime) -> Response:
    """Launches, or finds what this key launched before. Raises :class:`Refused` or :class:`LaunchRefused`."""
    job, created = _launch(place, call, now)
    headers = {"Location": reverse("api:job", args=[job.pk])}
    if created:
        tasks.nudge(tasks.send_launch, job.pk)
    else:
        job = access.job(request, job.pk)[1]
        headers[REPLAY_HEADER] = "true"
    return Response(rendered(job, now), status=201 if created else 200, headers=headers)


@sensitive_variables()
def _launch(place: Caller, call: Call, now: dt.datetime) -> tuple[Job, bool]:
    """The job of this key, and whether this call made it."""
    token = form_tokens.for_api(place.token.user_id, call.key)
    before = launch.of_form(place.team, token)
    try:
        job = before or launch.request(
            call.order,
            launch.Ask(place.team, call.credential, place.token.user, place.actor, form_token=token, now=now),
            same_again=call.body["same_again"],
            supersedes=call.body.get("supersedes"),
        )
    except FormAlreadyUsed as error:
        raise _key_reused() from error
    except LaunchRefused as error:
        raise _in_words_of_the_api(error) from error
    created = before is None and job.created_at == now
    if not created and not call.is_same(job, call.body, call.order):
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
