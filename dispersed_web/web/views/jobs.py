"""The jobs table: a live page of the team's jobs, and the same rows as CSV."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from dispersed_web import plain_sql
from dispersed_web.accounts.models import User
from dispersed_web.events.record import record
from dispersed_web.jobs import figures, keeping, queries, stored, sweeps, sync
from dispersed_web.jobs.queries import JobFilter
from dispersed_web.jobs.states import Status
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, around, compressed, live, shell
from dispersed_web.web.compressed import Shared
from dispersed_web.web.inventory import unmanaged_rows
from dispersed_web.web.jobs import csv_rows, jobs_columns, kept_rows, stats

# The sum of a day moves little in that time, and the browser counts on from it.
TODAY_KEPT_S = 20
# A jobs page shows so many people and tags to choose from.
MOST_PEOPLE = 200
PEOPLE = (
    "SELECT person.id, person.is_service, person.name, person.email "
    "FROM teams_membership seat JOIN accounts_user person ON person.id = seat.user_id "
    "WHERE seat.team_id = %s ORDER BY person.is_service, person.name, person.email LIMIT %s"
)
People = tuple[tuple[int, str], ...]
Tags = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """The fragment that every watcher of a team shares: neutral to the viewer, so that it can be kept. ``stats`` are the
    figures above the filter, which offers ``people`` and ``tags``; ``rest`` is what stands below it. ``job_ids`` are those
    of its rows."""

    stats: SafeString
    people: People
    tags: Tags
    rest: Shared
    job_ids: tuple[uuid.UUID, ...]
    poll_ms: int
    shell: dict[str, Any]


@require_GET
def jobs(request: HttpRequest, slug: str) -> HttpResponse:
    """The page, or its live part: 204 when the reader sees what there is."""
    place = access.seat(request, slug)
    now = timezone.now()
    sync.note_watcher(place.team.pk)
    token = live.token(place.team, request.user.pk, now)
    if live.is_unchanged(request, token):
        return live.unchanged()
    wanted = queries.read_filter(request.GET, request.user.pk)
    zone = timezone.get_current_timezone()
    table = live.kept(
        place.team, ("table and filter", wanted, str(zone)), lambda: _table(place.team, wanted, now, zone)
    )
    address = address_of(slug, wanted)
    context = {
        "table": table,
        "poll_address": f"{address}{'&' if '?' in address else '?'}{urlencode({'v': token})}",
        "may_act": place.may(Action.STOP),
        "wanted": wanted,
        "team": place.team,
        "hidden": jobs_columns.hidden(request),
        "columns": jobs_columns.choices(request),
        "starred": keeping.starred(request.user.pk, table.job_ids),
        "address": address,
    }
    if not live.is_part(request):
        context["filter_html"] = _filter_html(slug, wanted, table.people, table.tags)
        return compressed.answer(request, render_to_string("jobs/page.html", context, request), table.rest)
    response = compressed.answer(request, render_to_string("jobs/_live.html", context), table.rest)
    live.tell_frame(response, table.shell, shell.recent_banners(place.team, says_age=True))
    if "v" not in request.GET:
        response["HX-Push-Url"] = address
    return response


@require_GET
def jobs_csv(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Every job that the filter lets through, newest first, times in UTC."""
    place = access.seat(request, slug)
    now = timezone.now()
    wanted = queries.read_filter(request.GET, request.user.pk)
    found = queries.for_list(queries.matching(place.team.pk, wanted, now)).order_by("-created_at", "-id")
    found = queries.with_tags(found)
    sentence, about = f"{place.actor.label} exported the list of jobs.", ("team", place.team.pk)
    record(place.team.pk, place.actor, "export.jobs", about, sentence, now=now, bump=False)
    response = StreamingHttpResponse(
        csv_rows.lines(found.iterator(chunk_size=500), now), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="jobs-{place.team.slug}-{now:%Y-%m-%d}.csv"'
    return response


@require_POST
def jobs_columns_choose(request: HttpRequest, slug: str) -> HttpResponse:
    """Which columns this reader sees from now on."""
    place = access.seat(request, slug)
    jobs_columns.choose(request, request.POST.getlist("column"))
    wanted = queries.read_filter(QueryDict(request.POST.get("back", "").partition("?")[2]), request.user.pk)
    return redirect(address_of(place.team.slug, wanted))


@functools.lru_cache(maxsize=100)
def _filter_html(slug: str, wanted: JobFilter, people: People, tags: Tags) -> SafeString:
    """The filter of the table as a form that offers these people and tags of the team; the same for all its readers."""
    context = {
        "slug": slug,
        "wanted": wanted,
        "statuses": [status.value for status in Status],
        "people": people if len(people) > 1 else (),
        "tags": tags,
    }
    return render_to_string("jobs/_filter.html", context)


def _people(team: Team) -> People:
    """Id and name of everybody whose jobs one may look for."""
    return tuple(
        (user_id, User(is_service=is_service, name=name, email=email).called)
        for user_id, is_service, name, email in plain_sql.select(PEOPLE, (team.pk, MOST_PEOPLE))
    )


def address_of(slug: str, wanted: JobFilter, *, route: str = "web:jobs", **changes: str) -> str:
    """The address of the table with this filter; defaults are left out. ``changes`` may overrule its parameters."""
    params = {
        "q": wanted.text,
        "status": wanted.status,
        "task": wanted.task,
        "whose": "starred" if wanted.starred_by else "mine" if wanted.owner_id is not None else "",
        "owner": str(wanted.of_id or ""),
        "tag": wanted.tag,
        "show": wanted.show if wanted.show != "active" else "",
        "sort": wanted.sort if wanted.sort != "newest" else "",
        "cursor": str(wanted.cursor or ""),
    } | changes
    query = urlencode({name: value for name, value in params.items() if value})
    address = reverse(route, args=[slug])
    return f"{address}?{query}" if query else address


def _table(team: Team, wanted: JobFilter, now: dt.datetime, zone: dt.tzinfo) -> Table:
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    strangers = figures.unmanaged(team.pk, now)
    strangers_usd = sum((job.hourly_rate_usd or Decimal(0) for job in strangers), Decimal(0))
    today = cache.get_or_set(
        f"today:{team.pk}:{midnight.timestamp()}",
        lambda: (figures.spent_since(team.pk, midnight, now), now),
        TODAY_KEPT_S,
    )
    found = figures.figures(team.pk, now, strangers_usd)
    page = stored.page(team.pk, wanted, now)
    sight = figures.sight(team.pk, now)
    may_be_held = any(job["verdict_state"] in around.HELD_STATES or job["blind_since"] for job in page.jobs)
    hold = around.open_hold(team.pk) if may_be_held else None
    scene = around.around(hold, sight.stale, now)
    places = around.places_of(team, hold)
    context = {
        "rows": kept_rows.table_rows(page.jobs, now, zone, scene, places),
        "columns": [_column(team.slug, wanted, *column) for column in jobs_columns.HEADINGS],
        "wanted": wanted,
        "newer": page.newer and address_of(team.slug, wanted, cursor=page.newer),
        "older": page.older and address_of(team.slug, wanted, cursor=page.older),
        "stale": sight.stale if found.unfinished else (),
        "unmanaged": unmanaged_rows.panel(strangers, now) if not wanted.cursor else None,
        "inventory_url": reverse("web:inventory", args=[team.slug]),
        "csv": address_of(team.slug, wanted, cursor="", route="web:jobs-csv"),
        "jobs_url": places.jobs,
        "ask_url": reverse("web:jobs-ask", args=[team.slug, "stop"]),
        "launch_url": places.launch,
        "icons": places.icons,
        "is_filtered": wanted != JobFilter(sort=wanted.sort),
        "has_jobs": bool(page.jobs) or team.jobs.exists(),
        "now": now,
    }
    figures_shown = {"stats": stats.stats(found, *today), "jobs_url": places.jobs}
    return Table(
        stats=render_to_string("jobs/_stats.html", figures_shown),
        people=_people(team),
        tags=tuple(keeping.suggestions(team.pk)),
        rest=Shared.of(render_to_string("jobs/_table.html", context)),
        job_ids=tuple(job.id for job in page.jobs),
        poll_ms=live.poll_ms(under_way=bool(found.under_way), unfinished=bool(found.unfinished)),
        shell=_frame_news(sight.synced_at, found.unfinished),
    )


def _frame_news(synced_at: dt.datetime | None, unfinished: int) -> dict[str, Any]:
    """What the frame around the page shows of the team, so that it stays true while only the part is fetched."""
    moments = {"synced_at": synced_at, "checked_at": sweeps.last_finished().get("autostop")}
    return {name: at.isoformat() for name, at in moments.items() if at} | {"active_jobs": unfinished}


def _column(slug: str, wanted: JobFilter, sort: str, label: str, css: str) -> dict[str, str]:
    """A heading. A click sorts by it, a click on the sorted one goes back to the newest first."""
    is_sorted = bool(sort) and wanted.sort == sort
    target = "" if is_sorted else sort
    descending = sort in queries.SORTS and queries.SORTS[sort].descending
    return {
        "label": label,
        "css": css,
        "address": address_of(slug, wanted, sort=target, cursor="") if sort else "",
        "sorted": ("descending" if descending else "ascending") if is_sorted else "",
    }
