"""Per request: whether the session is still good, the reader's time zone, and no caching of what a signed-in person
sees."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers

from dispersed_web.web.people import session_age


class SessionAgeMiddleware:
    """Ends sessions that were not used for 12 hours or began 7 days ago. Goes before what asks who is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/static/") and request.user.is_authenticated:
            session_age.check(request, timezone.now())
        return self.get_response(request)


class ReaderMiddleware:
    """Times in the zone of whoever is signed in, and nothing of what they see kept by anybody in between."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/static/"):
            return self.get_response(request)
        if not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(request.user.zone):
            response = self.get_response(request)
        patch_cache_control(response, no_store=True, private=True)
        patch_vary_headers(response, ["HX-Request", "Cookie"])
        return response
