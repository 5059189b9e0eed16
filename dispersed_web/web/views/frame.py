"""The banners above a page, asked for when a live part says that they are not the ones it shows."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dispersed_web.web import access, shell


@require_safe
def banners_of(request: HttpRequest, slug: str) -> HttpResponse:
    """The part of a page with the banners; ``age=said`` asks without that of old data, which the page says itself."""
    place = access.seat(request, slug)
    frame = shell.bare(place.team, says_age=request.GET.get("age") == "said")
    return render(request, "_banners.html", {"shell": frame})
