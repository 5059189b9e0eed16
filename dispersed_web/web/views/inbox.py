"""The inbox: one's own notices of all teams. Nothing is read by looking at the list; a person says so."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dispersed_web.clock import database_now
from dispersed_web.notifications import inbox as notices
from dispersed_web.notifications.notice import compose
from dispersed_web.teams import belonging
from dispersed_web.teams.roles import Action, Role, may
from dispersed_web.web.notice_rows import inbox_rows, page_of
from dispersed_web.web.shell import note_read


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    only_unread = request.GET.get("show") == "unread"
    before = request.GET.get("before", "")
    found = notices.page(
        request.user,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        only_unread=only_unread,
    )
    acts_in = {
        one.team.pk for one in belonging.everywhere(request.user.pk) if may(Role(one.role), Action.EXTEND)
    }
    context = {
        "rows": inbox_rows(found, acts_in, timezone.now(), timezone.get_current_timezone()),
        "unread": notices.unread(request.user),
        "only_unread": only_unread,
        "first": not before,
        "older": found[-1].pk if len(found) == notices.PAGE_SIZE else None,
    }
    return render(request, "inbox/inbox.html", context)


@require_POST
def inbox_open(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Marks a notice as read and leads to what it is about."""
    delivery = notices.of(request.user).filter(pk=notice_id).first()
    if delivery is None:
        raise Http404
    notices.mark_read(notices.of(request.user).filter(pk=notice_id), database_now())
    note_read(request)
    return redirect(page_of(compose(delivery.event)))


@require_POST
def inbox_read(request: HttpRequest, notice_id: int) -> HttpResponse:
    rows = notices.of(request.user).filter(pk=notice_id)
    if not rows.exists():
        raise Http404
    notices.mark_read(rows, database_now())
    note_read(request)
    return redirect("web:inbox")


@require_POST
def inbox_read_all(request: HttpRequest) -> HttpResponse:
    marked = notices.mark_read(notices.of(request.user), database_now())
    note_read(request)
    if marked:
        messages.success(request, "All notices are marked as read.")
    return redirect("web:inbox")
