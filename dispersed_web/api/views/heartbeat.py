"""Heartbeats of containers, and the script that sends them. Plain answers without sessions, cookies or log lines: the
address is all that a caller has, and it must not be written anywhere."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, UnreadablePostError
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from dispersed_web import signals
from dispersed_web.autostop import extend
from dispersed_web.clock import database_now
from dispersed_web.events.models import ActorKind
from dispersed_web.events.record import Actor
from dispersed_web.jobs.errors import JobError
from dispersed_web.signals import beat, receiver
from dispersed_web.signals.receiver import Outcome

log = logging.getLogger(__name__)
CONTAINER = Actor(ActorKind.CLOUD, "The container")
SCRIPT = Path(signals.__file__).with_name("heartbeat.sh")
KEEP_MINUTES, MOST_KEEP_MINUTES = 60, 24 * 60
AGAIN_S = {"Retry-After": "10"}
UNKNOWN, ENDED = "No job has this address.", "The job has ended."
View = Callable[[HttpRequest, str], HttpResponse]


def door(view: View) -> Any:
    """POST only, so that whatever follows links does nothing; and an answer whatever goes wrong, because Django would
    log the address of a request that raises."""

    @wraps(view)
    def opened(request: HttpRequest, token: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            return view(request, token)
        except Exception as error:
            log.error("A heartbeat could not be stored: %s.", type(error).__name__)
            return _refused(503, "Dispersed Web cannot take it right now.", AGAIN_S)

    return csrf_exempt(login_not_required(opened))


@door
def heartbeat(request: HttpRequest, token: str) -> HttpResponse:
    """Takes one report and tells the container what is coming."""
    body = _body(request)
    if body is None:
        return _refused(413, f"A report has at most {beat.LONGEST_BODY} bytes.")
    try:
        said = beat.parse(body)
    except beat.NotABeat as error:
        return _refused(400, str(error))
    receipt = receiver.accept(token, said, database_now())
    if receipt.answer is not None:
        return _answer(200, receipt.answer.as_json())
    if receipt.outcome == Outcome.TOO_OFTEN:
        return _refused(429, "At most six reports a minute of one machine.", AGAIN_S)
    return _gone() if receipt.outcome == Outcome.ENDED else _refused(404, UNKNOWN)


@door
def keep(request: HttpRequest, token: str) -> HttpResponse:
    """Keeps the job from being stopped for idleness for so many minutes from now; hard limits hold."""
    job = receiver.job_of(token)
    if job is None:
        return _refused(404, UNKNOWN)
    if not job.is_active:
        return _gone()
    minutes = request.GET.get("m", str(KEEP_MINUTES))
    is_number = minutes.isascii() and minutes.isdigit() and len(minutes) <= len(str(MOST_KEEP_MINUTES))
    if not is_number or not 1 <= int(minutes) <= MOST_KEEP_MINUTES:
        return _refused(400, f"Say how many minutes: m=1 to m={MOST_KEEP_MINUTES}.")
    now = database_now()
    try:
        until = extend.keep(job, until=now + dt.timedelta(minutes=int(minutes)), actor=CONTAINER, now=now)
    except JobError as error:
        return _refused(409, error.sentence)
    kept = f"This machine is kept until {until:%d %B, %H:%M} UTC."
    return _answer(200, {"until": until.strftime("%Y-%m-%dT%H:%M:%SZ"), "message": kept})


@login_not_required
@require_safe
@cache_control(public=True, max_age=3600)
def script(request: HttpRequest) -> HttpResponse:
    """The script that a container runs, for everybody: there is no secret in it."""
    return HttpResponse(_script(), content_type="text/x-shellscript; charset=utf-8")


@cache
def _script() -> bytes:
    return SCRIPT.read_bytes()


def _body(request: HttpRequest) -> bytes | None:
    """The body, unless it is too long; a body that broke off is an empty one."""
    try:
        body = request.read(beat.LONGEST_BODY + 1)
    except (UnreadablePostError, RequestDataTooBig):
        return b""
    return body if len(body) <= beat.LONGEST_BODY else None


def _gone() -> HttpResponse:
    return _answer(410, {"state": "ended", "message": ENDED})


def _refused(status: int, message: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return _answer(status, {"message": message}, headers)


def _answer(status: int, said: dict[str, Any], headers: dict[str, str] | None = None) -> HttpResponse:
    """One line, which a shell can take apart."""
    text = json.dumps(said, ensure_ascii=False) + "\n"
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return HttpResponse(text, content_type="application/json", status=status, headers=headers)
