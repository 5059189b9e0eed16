"""The private calendar of planned stops: its feed, which needs no sign-in, and the buttons that make and end its address."""

from __future__ import annotations

import hashlib
import logging

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from dispersed_web.accounts.models import User
from dispersed_web.autostop import planned
from dispersed_web.clock import database_now
from dispersed_web.jobs import calendar
from dispersed_web.jobs.models import CalendarFeed
from dispersed_web.web import access, ics
from dispersed_web.web.job.pace import Pace
from dispersed_web.web.views import me as my_page
from dispersed_web.web.views import team as team_page

log = logging.getLogger(__name__)
PACE = Pace(calls=20, window_s=60)
# The address is a secret: no other page and no search engine hears of it. A calendar program keeps what it read and asks
# whether that still holds; a cache in between keeps nothing.
HEADERS = {
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


@login_not_required
@require_safe
@sensitive_variables()
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar of this address. Answers whatever goes wrong, because Django would log the address of a request that
    raises."""
    try:
        return _feed(request, token)
    except Exception as error:
        log.error("A calendar could not be made: %s.", type(error).__name__)
        return _refused(503, "Dispersed Web cannot make the calendar right now.", {"Retry-After": "300"})


@sensitive_variables()
def _feed(request: HttpRequest, token: str) -> HttpResponse:
    found = calendar.find(token)
    if found is None:
        return _refused(404, "There is no calendar at this address.")
    if wait_s := PACE.take(found.pk):
        return _refused(429, "This calendar was asked for too often.", {"Retry-After": str(wait_s)})
    now = database_now()
    body = ics.file(name_of(found), planned.plan(*calendar.jobs_of(found, now), now), settings.PUBLIC_URL)
    calendar.touch(found, now)
    headers = HEADERS | {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return HttpResponseNotModified(headers=headers)
    headers["Content-Disposition"] = 'inline; filename="dispersed-web.ics"'
    return HttpResponse(body, content_type="text/calendar; charset=utf-8", headers=headers)


def name_of(found: CalendarFeed) -> str:
    return f"{found.team.name}: planned stops" if found.team else "My jobs: planned stops"


def _refused(status: int, text: str, headers: dict[str, str] | None = None) -> HttpResponse:
    headers = HEADERS | (headers or {})
    return HttpResponse(f"{text}\n", content_type="text/plain; charset=utf-8", status=status, headers=headers)


@require_POST
@sensitive_variables("token")
def me_calendar(request: HttpRequest) -> HttpResponse:
    """Makes an address of one's own jobs. It is in this answer and nowhere else."""
    _, token = calendar.make(_person(request), None, now=timezone.now())
    return my_page.page(request, calendar_address=_address(token))


@require_POST
def me_calendar_off(request: HttpRequest) -> HttpResponse:
    if calendar.switch_off(_person(request), None, now=timezone.now()):
        messages.success(request, "The address is dead. Calendars that used it show nothing new.")
    return redirect("web:me")


@require_POST
@sensitive_variables("token")
def team_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """Makes this member's own address of the team's jobs. It is in this answer and nowhere else."""
    seat = access.seat(request, slug)
    _, token = calendar.make(_person(request), seat.team, now=timezone.now())
    return team_page.page(request, seat, calendar_address=_address(token))


@require_POST
def team_calendar_off(request: HttpRequest, slug: str) -> HttpResponse:
    seat = access.seat(request, slug)
    if calendar.switch_off(_person(request), seat.team, now=timezone.now()):
        messages.success(request, "The address is dead. Calendars that used it show nothing new.")
    return redirect("web:team", slug)


def _person(request: HttpRequest) -> User:
    return User.objects.get(pk=request.user.pk)


def _address(token: str) -> dict[str, str]:
    """The address as it is copied, and as a link that a calendar program opens."""
    address = settings.PUBLIC_URL + reverse("web:calendar-feed", args=[token])
    return {"https": address, "webcal": f"webcal://{address.partition('://')[2]}"}
