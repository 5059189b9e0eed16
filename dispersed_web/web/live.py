"""Live pages: an unchanged poll costs a look at the team's version, a changed one a fragment that all watchers share.

What a page shows is named by a token: the team's version and a half minute of time, because some words (a limit that
comes near, a stop that hangs) change without any row changing. The half minutes of readers begin at different seconds,
so that they do not all come at once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from dispersed_web.teams.models import Team

HALF_MINUTE_S = 30
KEPT_S = 30
BUSY_MS, STEADY_MS, CALM_MS = 2000, 5000, 30000

LONGEST_WAIT_S = 2
NEAR_S = 5
MOST_NEAR = 50

T = TypeVar("T")

_near: dict[str, tuple[float, Any]] = {}
_making = threading.RLock()


def token(team: Team, user_id: int, now: dt.datetime) -> str:
    """Names what this reader sees; it moves with every visible change and twice a minute. ``team`` must have been read
    before the rows, so that a change in between is fetched with the next poll."""
    half_minute = int(now.timestamp() + user_id * 7 % HALF_MINUTE_S) // HALF_MINUTE_S
    return f"{team.version}-{half_minute}"


def is_part(request: HttpRequest) -> bool:
    """A part of a page is asked for, not the page; going back in history needs the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def is_unchanged(request: HttpRequest, shown: str) -> bool:
    """Whether the reader's page asks for its live part and has what there is."""
    return is_part(request) and request.GET.get("v") == shown


def unchanged() -> HttpResponse:
    """Nothing is swapped, so focus, selection and open menus stay."""
    return HttpResponse(status=204)


def kept(team: Team, what: tuple[Any, ...], make: Callable[[], T], keep_s: int = KEPT_S) -> T:
    """``make()``, done once for each version of the team and ``what``. Without a cache it is done each time.

    A thousand readers ask again within seconds of a change: in each process one of them makes it, and the others wait
    for that instead of making the same.
    """
    digest = hashlib.sha256(repr(what).encode()).hexdigest()[:32]
    key = f"live:{team.pk}:{team.version}:{digest}"
    found = _find(key, keep_s)
    if found is None:
        is_first = _making.acquire(timeout=LONGEST_WAIT_S)
        try:
            found = _find(key, keep_s)
            if found is None:
                found = make()
                cache.set(key, found, keep_s)
        finally:
            if is_first:
                _making.release()
    return found


def _find(key: str, keep_s: int) -> Any:
    """What the cache has, or had a moment ago: it is large, and fetching it takes longer than the rest of a poll."""
    near = _near.get(key)
    if near is not None and time.monotonic() < near[0]:
        return near[1]
    found = cache.get(key)
    if found is not None:
        if len(_near) >= MOST_NEAR:
            _near.clear()
        _near[key] = (time.monotonic() + min(keep_s, NEAR_S), found)
    return found


def poll_ms(*, under_way: bool, unfinished: bool) -> int:
    """How often a page asks: quickly while something starts or stops, seldom when nothing is unfinished."""
    if under_way:
        return BUSY_MS
    return STEADY_MS if unfinished else CALM_MS


def tell_frame(response: HttpResponse, news: dict[str, Any], banners_shown: str) -> None:
    """Hands the frame around a page what is new in it; the part alone would leave it behind. ``banners_shown`` names those
    that hold now: a page that shows others asks for them."""
    response["HX-Trigger"] = json.dumps({"shell": news, "frame": {"banners": banners_shown}})
