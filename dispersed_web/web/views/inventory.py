"""The inventory: what runs on the team's keys without having been launched here, and jobs that were lost sight of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dispersed_web import tasks
from dispersed_web.clock import database_now
from dispersed_web.jobs import inventory, stocktaking, sync
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.inventory import Hand
from dispersed_web.jobs.making import title_of
from dispersed_web.jobs.models import UnmanagedJob
from dispersed_web.jobs.sources import Source
from dispersed_web.jobs.stocktaking import Stock
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, answers, live, words
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.inventory import AdoptForm, StopUnmanagedForm
from dispersed_web.web.inventory import inventory_rows

POLL_MS = 15_000


@require_GET
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The page, or its live part: 204 when the reader sees what there is."""
    seat = access.seat(request, slug)
    now = timezone.now()
    sync.note_watcher(seat.team.pk)
    token = live.token(seat.team, request.user.pk, now)
    if live.is_unchanged(request, token):
        return live.unchanged()
    wanted = _wanted(request)
    stock = stocktaking.of_team(seat.team.pk, now)
    query = urlencode({name: value for name, value in wanted.items() if value} | {"v": token})
    context = _context(request, seat, stock, wanted, now) | {
        "team": seat.team,
        "wanted": wanted,
        "sources": [
            (source.value, label, note) for source, (label, _, note) in inventory_rows.SOURCES.items()
        ],
        "poll_address": f"{_home(slug)}?{query}",
        "poll_ms": POLL_MS,
    }
    return render(
        request, "inventory/_live.html" if live.is_part(request) else "inventory/page.html", context
    )


def _wanted(request: HttpRequest) -> dict[str, str]:
    source = request.GET.get("source", "")
    text = " ".join(request.GET.get("q", "").replace("\0", "").split())[:100]
    return {"q": text, "source": source if source in Source.values else ""}


def _context(
    request: HttpRequest, seat: Seat, stock: Stock, wanted: dict[str, str], now: dt.datetime
) -> dict[str, Any]:
    zone = timezone.get_current_timezone()
    may = {"acts": seat.may(Action.ADOPT), "manages": seat.may(Action.MANAGE_JOBS)}

    def rows(found: list[UnmanagedJob]) -> list[inventory_rows.InventoryRow]:
        return [
            inventory_rows.row(
                one, now, user_id=request.user.pk, twin=stock.twins.get(one.remote_uuid), **may
            )
            for one in found
            if _matches(one, wanted)
        ]

    rates = [one.hourly_rate_usd or Decimal(0) for one in (*stock.unmanaged, *stock.ignored)]
    lost = [
        *(inventory_rows.missing_row(job, now) for job in stock.missing),
        *(
            inventory_rows.doubtful_row(job, now, zone)
            for job in stock.unconfirmed
            if job.missing_since is None
        ),
        *(inventory_rows.found_row(job, now) for job in stock.found if job.missing_since is None),
    ]
    return {
        "rows": rows(stock.unmanaged),
        "ignored": rows(stock.ignored),
        "long_lost": rows(stock.long_lost),
        "lost": lost,
        "manages": may["manages"],
        "count": len(rates),
        "rate": words.rate(sum(rates, Decimal(0))),
        "is_filtered": any(wanted.values()),
        "has_any": bool(rates or stock.long_lost),
    }


def _matches(job: UnmanagedJob, wanted: dict[str, str]) -> bool:
    if wanted["source"] and job.source != wanted["source"]:
        return False
    texts = (job.title, job.remote_uuid, job.credential.name, job.gpu_label)
    return any(wanted["q"].lower() in text.lower() for text in texts)


@require_http_methods(["GET", "POST"])
def adopt(request: HttpRequest, slug: str, row_id: int) -> HttpResponse:
    """Who answers for it and how long it may run: the question, and the act."""
    seat, row = _row(request, slug, row_id)
    form = AdoptForm(request.POST or None, row=row, team=seat.team, user=request.user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            job = inventory.adopt(
                row,
                owner=data["owner"],
                lifetime_s=data["lifetime"],
                hand=_hand(request, seat, data.get("confirm", "")),
                now=database_now(),
            )
        except JobError as error:
            return _refused(request, seat, row, error, form, "adopt")
        tasks.nudge(tasks.sync_credential, row.credential_id)
        text = f"“{job.title}” is a job of the team. It is watched, warned about and stopped as any other."
        return answers.done(request, text, "success", reverse("web:job", args=[slug, job.pk]))
    return _ask(request, seat, row, form, "adopt")


@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, slug: str, row_id: int) -> HttpResponse:
    """Adopts it and asks for its end, after a look at what that hits and what it costs."""
    seat, row = _row(request, slug, row_id)
    form = StopUnmanagedForm(request.POST or None, row=row)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        hand = _hand(request, seat, data.get("confirm", ""))
        try:
            job = inventory.stop(row, hand=hand, now=database_now(), note=data.get("note", ""))
        except JobError as error:
            return _refused(request, seat, row, error, form, "stop")
        tasks.nudge(tasks.pursue_stop, job.pk)
        text = f"“{job.title}” is being stopped. It counts as stopped once Dispersed shows its end."
        return answers.done(request, text, "success", reverse("web:job", args=[slug, job.pk]))
    return _ask(request, seat, row, form, "stop")


@require_POST
def watch(request: HttpRequest, slug: str, row_id: int) -> HttpResponse:
    done = "You hear once a day what “{}” has cost, and when it ends."
    return _simple(request, slug, row_id, inventory.watch, done)


@require_POST
def unwatch(request: HttpRequest, slug: str, row_id: int) -> HttpResponse:
    return _simple(request, slug, row_id, inventory.unwatch, "You hear no more of “{}”.")


@require_POST
def ignore(request: HttpRequest, slug: str, row_id: int) -> HttpResponse:
    done = "“{}” is folded away. It is counted on, and comes back in a week or when its price rises."
    return _simple(request, slug, row_id, inventory.ignore, done)


@require_POST
def unignore(request: HttpRequest, slug: str, row_id: int) -> HttpResponse:
    return _simple(request, slug, row_id, inventory.unignore, "“{}” is in the list again.")


def _simple(
    request: HttpRequest, slug: str, row_id: int, act: Callable[..., bool], done: str
) -> HttpResponse:
    """An act that needs no question: it costs nothing and can be taken back."""
    seat, row = _row(request, slug, row_id)
    try:
        changed = act(row, hand=_hand(request, seat), now=database_now())
    except JobError as error:
        return answers.done(request, error.sentence, "error", _home(slug))
    text = done.format(title_of(row.title)) if changed else "That was so already."
    return answers.done(request, text, "success" if changed else "info", _home(slug))


def _row(request: HttpRequest, slug: str, row_id: int) -> tuple[Seat, UnmanagedJob]:
    """An unmanaged job of the team, for somebody who may act."""
    seat = access.seat(request, slug)
    rows = UnmanagedJob.objects.select_related("credential__team")
    found = rows.filter(pk=row_id, credential__team=seat.team).first()
    if found is None:
        raise Http404
    seat.need(Action.ADOPT)
    return seat, found


def _hand(request: HttpRequest, seat: Seat, typed: str = "") -> Hand:
    return Hand(request.user, seat.actor, manages=seat.may(Action.MANAGE_JOBS), typed=typed)


def _ask(request: HttpRequest, seat: Seat, row: UnmanagedJob, form: Any, act: str) -> HttpResponse:
    now = timezone.now()
    may = {"acts": True, "manages": seat.may(Action.MANAGE_JOBS)}
    context = {
        "team": seat.team,
        "row": inventory_rows.row(row, now, user_id=request.user.pk, **may),
        "form": form,
        "part": f"inventory/_ask_{act}.html",
        "heading": "Adopt a job" if act == "adopt" else "Stop a job that was not launched here",
    }
    status = 422 if form.errors else 200
    template = context["part"] if live.is_part(request) else "inventory/ask.html"
    return render(request, template, context, status=status)


def _refused(
    request: HttpRequest, seat: Seat, row: UnmanagedJob, error: JobError, form: Any, act: str
) -> HttpResponse:
    if error.field and error.field in form.fields:
        form.add_error(error.field, error.sentence)
        return _ask(request, seat, row, form, act)
    return answers.done(request, error.sentence, "error", _home(seat.team.slug))


def _home(slug: str) -> str:
    return reverse("web:inventory", args=[slug])
