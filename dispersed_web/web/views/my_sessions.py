"""Where one is signed in, and ending sessions there."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from dispersed_web.web.people import notices, session_list


@require_http_methods(["GET", "POST"])
def my_sessions(request: HttpRequest) -> HttpResponse:
    """The page; a POST ends the session ``end``, or with ``end=others`` all but this one."""
    this_key = request.session.session_key
    if request.method != "POST":
        found = session_list.places_of(request.user, this_key, timezone.now())
        return render(request, "usersessions/usersession_list.html", {"places": found})
    wanted = request.POST.get("end", "")
    everything = session_list.places_of(request.user, this_key, timezone.now())
    if wanted == "others":
        return _ended(request, session_list.others(request.user, this_key))
    chosen = [place for place in everything if str(place.id) == wanted]
    if not chosen:
        raise Http404
    if chosen[0].is_this:
        logout(request)
        return redirect("account_login")
    return _ended(request, [chosen[0].id])


def _ended(request: HttpRequest, ids: list[int]) -> HttpResponse:
    count = session_list.end(request.user, ids)
    if count:
        notices.note_ended(request, request.user, count)
    messages.success(
        request, "There was no other session." if not count else "Ended. It is signed out there."
    )
    return redirect("usersessions_list")
