"""How an act that was asked for is answered: a message and the page again, or, for a part of a page, a toast."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

LEVELS = {"success": messages.SUCCESS, "info": messages.INFO, "error": messages.ERROR}


def done(request: HttpRequest, text: str, level: str, address: str) -> HttpResponse:
    """``level`` is success, info or error. With HTMX the dialog closes and every live part of the page asks for what is
    new; without JavaScript the reader is led to ``address``."""
    if not request.htmx:
        messages.add_message(request, LEVELS[level], text)
        return redirect(address)
    news = {"toast": {"text": text, "level": level}, "close-dialog": True, "refresh": True}
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(news)})
