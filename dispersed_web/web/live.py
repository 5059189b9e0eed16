"""Live pages: an unchanged poll costs a look at the team's version, a changed one a fragment that all watchers share.

What a page shows is named by a token: the team's version and a half minute of time, because some words (a limit that
comes near, a stop that hangs) change without any row changing. The half minutes of readers begin at different seconds,
so that they do not all come at once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from dispersed_web.teams.models import Team

HALF_MINUTE_S = 30
KEPT_S = 30
BUSY_MS, STEADY_MS, CALM_MS = 2000, 5000, 30000

T = TypeVar("T")


def token(team: Team, user_id: int, now: dt.datetime) -> str:
    """Names what this reader sees; it moves with every visible change and twice a minute. ``team`` must have been read
    before the rows, so that a change in between is fetched with the next poll."""
    half_minute = int(now.timestamp() + user_id * 7 % HALF_MINUTE_S) // HALF_MINUTE_S
    return f"{team.version}-{half_minute}"


def is_part(request: HttpRequest) -> bool:
    """A part of a page is asked for, not the page; going back in history needs the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def is_unchanged(request: HttpRequest, shown: str) -> bool:
    return is_part(request) and request.GET.get("v") == shown


def unchanged() -> HttpResponse:
    """Nothing is swapped, so focus, selection and open menus stay."""
    return HttpResponse(status=204)


def kept(team: Team, what: tuple[Any, ...], make: Callable[[], T], keep_s: int = KEPT_S) -> T:
    """``make()``, done once for each version of the team and ``what``. Without a cache it is done each time."""
    digest = hashlib.sha256(repr(what).encode()).hexdigest()[:32]
    key = f"live:{team.pk}:{team.version}:{digest}"
    found = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, keep_s)
    return found


def poll_ms(*, under_way: bool, unfinished: bool) -> int:
    """How often a page asks: quickly while something starts or stops, seldom when nothing is unfinished."""
    if under_way:
        return BUSY_MS
    return STEADY_MS if unfinished else CALM_MS


def tell_frame(response: HttpResponse, news: dict[str, Any]) -> None:
    """Hands the frame around a page what is new in it; the part alone would leave it behind."""
    response["HX-Trigger"] = json.dumps({"shell": news})
