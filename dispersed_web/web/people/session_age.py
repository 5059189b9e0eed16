"""When a session began and was last used, noted in the session itself. Written at sign-in and then every five minutes at
most, so that reading a page writes nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth import logout, user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from dispersed_web.accounts import sessions

BEGAN, SEEN = "signed_in_at", "seen_at"


@receiver(user_logged_in)
def begin(request: HttpRequest, **kwargs: Any) -> None:
    """Notes when the session began, at each sign-in."""
    request.session[BEGAN] = request.session[SEEN] = timezone.now().timestamp()


def check(request: HttpRequest, now: dt.datetime) -> None:
    """Signs out whose session is over, and otherwise notes now and then that it is in use. A session from before this
    was noted begins now."""
    began, seen = request.session.get(BEGAN, now.timestamp()), request.session.get(SEEN, 0.0)
    if sessions.is_over(began, seen or now.timestamp(), now):
        request.session_is_over = True
        logout(request)
    elif sessions.is_due(seen, now) and _is_use(request):
        request.session[BEGAN], request.session[SEEN] = began, now.timestamp()
        _note(request, now)


def _is_use(request: HttpRequest) -> bool:
    """A page that is left open asks by itself what is new; that keeps no session alive."""
    by_script = "HX-Request" in request.headers or request.headers.get("Accept") == "application/json"
    return request.method not in ("GET", "HEAD") or not by_script


def _note(request: HttpRequest, now: dt.datetime) -> None:
    mine = UserSession.objects.filter(session_key=request.session.session_key)
    if not mine.update(last_seen_at=now):
        UserSession.objects.create_from_request(request)
