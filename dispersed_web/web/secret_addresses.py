"""Pages whose address is a secret: whoever has it may do what stands there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

View = Callable[..., HttpResponse]


def kept_nowhere(referrer: str) -> Callable[[View], View]:
    """The address is told to no other page, to no search engine and to no cache. ``referrer`` is the Referrer-Policy:
    with ``no-referrer`` Django would not know its own forms, so a page that has one says ``strict-origin``."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, **names: Any) -> HttpResponse:
            response = view(request, **names)
            response.headers["Referrer-Policy"] = referrer
            response.headers["X-Robots-Tag"] = "noindex, nofollow"
            patch_cache_control(response, no_store=True, private=True)
            return response

        return wrapped

    return decorate
