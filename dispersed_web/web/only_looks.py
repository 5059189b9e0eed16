"""In a copy of another installation's database: what pages say, and how an act is answered that must not be done."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme

from dispersed_web.teams.installation import OnlyLooks
from dispersed_web.web.answers import done


class OnlyLooksMiddleware:
    """Answers an act that is not done here with the sentence that says so, on the page where it was asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, OnlyLooks):
            return None
        before = request.headers.get("Referer", "")
        known = url_has_allowed_host_and_scheme(before, {request.get_host()})
        return done(request, error.sentence, "error", before if known else "/")
