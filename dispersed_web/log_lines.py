"""How the processes write their logs: one entry a line, whatever text of people or of the cloud stands in it. Nothing that
somebody else wrote can begin a line, move the cursor of a terminal or turn the reading order."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re

from dispersed_web.events import context

# C0 and C1 control characters, line and paragraph separators, marks that turn the reading order
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# What a traceback says stands behind this, so that no line of it looks like an entry.
_INDENT = "  | "


def plain(text: str) -> str:
    """``text`` with every such character written out, a line break as ``\\n``."""
    return _ODD.sub(lambda found: repr(found[0])[1:-1], text)


class LineFormatter(logging.Formatter):
    """``12:00:00 WARNING dispersed_web.tasks message (request 3f2a…)``, and a traceback indented below."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = plain(super().formatMessage(record))
        request_id = context.current().request_id
        return f"{line} (request {request_id})" if request_id else line

    def format(self, record: logging.LogRecord) -> str:
        head = self.formatMessage(_with_message(record, self))
        rest = _traceback(record, self)
        return "\n".join([head, *(_INDENT + plain(line) for line in rest.splitlines())])


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``at``, ``level``, ``logger``, ``message``, and ``request`` and ``traceback`` if there are."""

    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC)
        entry = {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request": context.current().request_id,
            "traceback": _traceback(record, self),
        }
        return json.dumps({name: value for name, value in entry.items() if value})


def _with_message(record: logging.LogRecord, formatter: logging.Formatter) -> logging.LogRecord:
    record.message = record.getMessage()
    record.asctime = formatter.formatTime(record, formatter.datefmt)
    return record


def _traceback(record: logging.LogRecord, formatter: logging.Formatter) -> str:
    """That of the exception, as the masking filter left it, and that of the call."""
    if record.exc_info and not record.exc_text:
        record.exc_text = formatter.formatException(record.exc_info)
    return "\n".join(part for part in (record.exc_text, record.stack_info) if part)
