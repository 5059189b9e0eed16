"""Error pages: what happened and what to do next, as a page or, for a part of a page, as a short text."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dispersed_web.web.access import SecondFactorNeeded


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403; without a second factor, the way to one."""
    if isinstance(exception, SecondFactorNeeded):
        return render(request, "mfa/needed.html", {"needing": exception.team}, status=403)
    return render(request, "403.html", {"why": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return render(request, "404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """Needs neither database nor context: both may be what is broken."""
    return render(None, "500.html", status=500)
