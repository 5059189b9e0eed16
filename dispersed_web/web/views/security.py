"""What happened to one's own account: sign-ins, keys, password, second factor."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dispersed_web.web.audit.lines import PAGE_SIZE, account_lines


@require_safe
def account_events(request: HttpRequest) -> HttpResponse:
    before = request.GET.get("before", "")
    before_id = int(before) if before.isdecimal() and before.isascii() and len(before) < 19 else None
    found = account_lines(request.user, before_id)
    older = found[-1].event.pk if len(found) == PAGE_SIZE else None
    context = {"lines": found, "first": before_id is None, "older": older}
    return render(request, "me/security.html", context)
