"""The page behind a link in a message: says what would be done, and does it when somebody presses the button.

It needs no sign-in: the address is the key. Mail servers and chats open links by themselves, so opening changes nothing.
"""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from dispersed_web import tasks
from dispersed_web.clock import database_now
from dispersed_web.notifications import acting, links
from dispersed_web.notifications.acting import Result, Standing
from dispersed_web.notifications.models import ActLink
from dispersed_web.web.job import act_words
from dispersed_web.web.secret_addresses import kept_nowhere

STATUS = {
    Standing.READY: 200,
    Standing.DONE: 200,
    Standing.USED: 410,
    Standing.EXPIRED: 410,
    Standing.TOO_LATE: 410,
    Standing.NOT_ALLOWED: 403,
    Standing.REFUSED: 409,
}


# A page without referrer sends no origin either, by which Django would know its own form. Nothing is lost: no cookie
# gives any right here, and whoever knows the address may act anyway.
@csrf_exempt
@login_not_required
@kept_nowhere("no-referrer")
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables()
def act_link(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST acts."""
    link = links.find(token)
    if link is None:
        return render(request, "act/outcome.html", {"words": act_words.unknown()}, status=404)
    now = database_now()
    if request.method != "POST":
        standing = acting.standing(link, now)
        if standing == Standing.READY:
            return render(request, "act/ask.html", {"ask": act_words.asked(link, now), "link": link})
        return _outcome(request, link, Result(standing), now)
    result = acting.use(link, now)
    if result.standing == Standing.DONE and link.act == ActLink.Act.STOP:
        tasks.nudge(tasks.pursue_stop, link.job_id)
    return _outcome(request, link, result, now)


def _outcome(request: HttpRequest, link: ActLink, result: Result, now: dt.datetime) -> HttpResponse:
    context = {"words": act_words.outcome(link, result, now), "job": link.job}
    return render(request, "act/outcome.html", context, status=STATUS[result.standing])
