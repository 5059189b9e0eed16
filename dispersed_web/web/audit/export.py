"""The audit log as a file: CSV for a spreadsheet, JSON with everything that is needed to verify the chain."""

from __future__ import annotations

import csv
import datetime as dt
import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import F

from dispersed_web.events import chain, search
from dispersed_web.events.models import ChainHead
from dispersed_web.events.search import Wanted
from dispersed_web.teams.models import Team
from dispersed_web.web.jobs.csv_rows import Echo, safe

CHUNK = 1000
FORMAT = "dispersed-web-audit/1"
COLUMNS = (
    "chain_number",
    "id",
    "at",
    "kind",
    "sentence",
    "actor_kind",
    "actor_label",
    "actor_user_id",
    "subject_type",
    "subject_id",
    "ip_address",
    "user_agent",
    "request_id",
    "data",
    "audience",
    "team_id",
    "chain_hash",
)


def rows(team_id: uuid.UUID, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """The events in the order of the chain; those that are not sealed yet come last."""
    found = search.of_team(team_id, wanted).order_by(F("chain_number").asc(nulls_last=True), "id")
    return found.values(*COLUMNS).iterator(chunk_size=CHUNK)


def csv_lines(events: Iterable[dict[str, Any]]) -> Iterator[str]:
    """RFC 4180, line by line. No cell is read as a formula, so a cell may begin with an apostrophe more than the event."""
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for event in events:
        yield writer.writerow([safe(_cell(event[name])) for name in COLUMNS])


def json_lines(
    events: Iterable[dict[str, Any]], team: Team, now: dt.datetime, *, is_whole: bool
) -> Iterator[str]:
    """One document, an event a line. ``complete``: no filter left anything out, so that the chain can be verified."""
    head = ChainHead.objects.filter(pk=chain.scope_of(team.pk)).first() or ChainHead()
    about = {
        "format": FORMAT,
        "team": {"id": str(team.pk), "slug": team.slug, "name": team.name},
        "exported_at": chain.plain(now),
        "complete": is_whole,
        "chain": {"number": head.number, "hash": head.hash},
    }
    yield json.dumps(about)[:-1] + ', "events": ['
    between = "\n"
    for event in events:
        yield between + json.dumps({name: chain.plain(value) for name, value in event.items()})
        between = ",\n"
    yield "\n]}\n"


def _cell(value: Any) -> Any:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value
