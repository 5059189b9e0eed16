"""Statuses written into the SQL as constants, so that SQLite sees that a partial index fits.

SQLite chooses its plan before it knows the parameters: with ``status IN (?, ?, ?)`` it reads the whole table, with the
words themselves it uses the index whose condition is written so.
"""

from __future__ import annotations

from typing import Any

from django.db.models.lookups import In

from dispersed_web.jobs.states import Status

WORDS = {status.value for status in Status}


class InStatuses(In):
    """``status__in`` for lists of known statuses; anything else is passed as parameters as usual."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        words = self.rhs if isinstance(self.rhs, (list, tuple, set, frozenset)) else ()
        if not words or not all(isinstance(word, str) and word in WORDS for word in words):
            return super().as_sql(compiler, connection)
        column, params = self.process_lhs(compiler, connection)
        constants = ", ".join(f"'{Status(word).value}'" for word in words)
        return f"{column} IN ({constants})", params
