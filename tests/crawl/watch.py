"""What one request stores and what the cloud is asked for meanwhile, seen at the database and at the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

WRITES = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)
# Written by any request, whoever asks: sessions, how often somebody tried, when a token was last used.
ALWAYS = {
    "django_session",
    "usersessions_usersession",
    "accounts_throttle",
    "teams_apitoken",
    "credentials_secretuse",
}


@dataclass
class Seen:
    """``tables`` that a request wrote rows to beside ``ALWAYS``; ``cloud`` are the writes that the cloud was asked for."""

    tables: set[str] = field(default_factory=set)
    values: list[str] = field(default_factory=list)
    cloud: list[str] = field(default_factory=list)
    last_id: int = 0

    def note(self, execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        answer = execute(sql, params, many, context)
        found = WRITES.match(sql)
        if found and context["cursor"].rowcount and found[1].lower() not in ALWAYS:
            self.tables.add(found[1].lower())
            self.values.append(repr(params))
        return answer


@contextmanager
def watched(sandbox: Any, after: int) -> Iterator[Seen]:
    """Whatever the request stores is seen and then taken back; ``after`` is the ledger's last entry before it."""
    seen = Seen()
    with transaction.atomic(), connection.execute_wrapper(seen.note):
        yield seen
        transaction.set_rollback(True)
    asked = sandbox.control.requests(since_id=after)
    seen.last_id = max([after, *(one["id"] for one in asked)])
    seen.cloud = [f"{one['method']} {one['path']}" for one in asked if one["method"] != "GET"]
