"""Pages of sensitive acts: who signed in a while ago confirms who they are before they get the form.

``@needs_sudo`` is for views whose form is a :class:`ConfirmedForm`, which has the last word on what is sent;
``@only_fresh`` for all others, whatever is sent to them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRedirect

from dispersed_web.web.forms.confirm import gives_password, is_fresh, way

View = Callable[..., HttpResponse]


def needs_sudo(view: View) -> View:
    """Leads people who cannot confirm in the form itself to the page where they can, before they fill it in."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not _asks(request) or is_fresh(request) or gives_password(request):
            return view(request, *args, **kwargs)
        return _lead_to(way(request), request)

    return wrapped


def only_fresh(view: View) -> View:
    """Nothing of the view, neither page nor act, for people who did not confirm lately who they are."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated or is_fresh(request):
            return view(request, *args, **kwargs)
        if _asks(request):
            return _lead_to(way(request), request)
        return render(request, "people/too_late.html", {"way": way(request)}, status=422)

    wrapped.only_fresh = True
    return wrapped


def _asks(request: HttpRequest) -> bool:
    return request.method in ("GET", "HEAD") and request.user.is_authenticated


def _lead_to(url: str, request: HttpRequest) -> HttpResponse:
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else HttpResponseRedirect(url)
