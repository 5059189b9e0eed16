"""Whether a secret stands in a text: any twelve characters of it in a row, however they are written."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.contrib.sessions.models import Session
from django.db import connection

ROW = 12
HINT = 6
EVERY = ROW - HINT + 1


def written(secret: str) -> set[str]:
    """The ways in which it may be written: plain, for URLs, HTML, JSON (twice over too), Python and scripts, in hex, and
    in base64 behind any number of other bytes."""
    raw, quoted = secret.encode(), json.dumps(secret)[1:-1]
    found = {
        secret,
        html.escape(secret),
        quoted,
        json.dumps(quoted)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        raw.hex(),
        raw.hex().upper(),
        quoted.translate({ord(sign): f"\\u{ord(sign):04X}" for sign in "<>&'"}),
    }
    for escaped in (
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote(secret),
        urllib.parse.quote_plus(secret),
    ):
        found |= {escaped, escaped.lower()}
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode()
        cut = (0, 3, 2)[(before + len(raw)) % 3]
        core = text[(0, 2, 3)[before] : len(text) - cut]
        found |= {core, core.translate(str.maketrans("+/", "-_"))}
    return found


class Needles:
    """Secrets by name. Those shorter than twelve characters are looked for as a whole.

    Any twelve characters in a row hold six that begin at a multiple of seven, so only those are looked up.
    """

    def __init__(self, **secrets: str) -> None:
        self._rows: dict[str, str] = {}
        self._hints: set[str] = set()
        self._short: dict[str, str] = {}
        for name, secret in secrets.items():
            self.add(name, secret)

    def add(self, name: str, *secrets: str) -> None:
        for secret in secrets:
            assert len(secret) >= 6, f"{name} is too short to be looked for"
            for form in (form for line in secret.split("\n") for form in written(line) if len(form) >= 6):
                if len(form) < ROW:
                    self._short[form] = name
                for start in range(len(form) - ROW + 1):
                    self._rows[form[start : start + ROW]] = name
                if len(form) >= ROW:
                    self._hints |= {form[start : start + HINT] for start in range(len(form) - HINT + 1)}

    def find(self, pieces: Iterable[tuple[str, str]]) -> list[str]:
        """Where each was found, of pairs of a place and what stood there. Each line is read once, however often it came."""
        read: set[str] = set()
        found = set()
        for where, text in pieces:
            lines = [line for line in dict.fromkeys(text.split("\n")) if line not in read]
            read.update(lines)
            fresh = "\n".join(lines)
            found |= {f"{where}: {self._rows[row]} as {row!r}" for row in self._rows_in(fresh)}
            found |= {f"{where}: {name} as {form!r}" for form, name in self._short.items() if form in fresh}
        return sorted(found)

    def _rows_in(self, text: str) -> set[str]:
        """The rows that stand in the text."""
        hints = {text[at : at + HINT] for at in range(0, len(text), EVERY)} & self._hints
        if not hints:
            return set()
        places = [at for at in range(0, len(text), EVERY) if text[at : at + HINT] in hints]
        starts = {start for at in places for start in range(max(at + HINT - ROW, 0), at + 1)}
        return {text[start : start + ROW] for start in starts} & self._rows.keys()


def stored() -> Iterator[tuple[str, str]]:
    """Every column of every row of every table, as the database has it, sealed ones too; sessions unpacked."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                yield from (
                    (f"{table}.{name}", text_of(value)) for name, value in zip(names, row, strict=True)
                )
    for session in Session.objects.all():
        yield "session", str(session.get_decoded())


def text_of(value: Any) -> str:
    """A stored value as text; what is packed is unpacked."""
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        return (zlib.decompress(raw) if raw[:1] == b"x" else raw).decode("utf-8", "replace")
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def in_files(folder: Path) -> Iterator[tuple[str, str]]:
    """What stands in the files of a folder, such as a server's data."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes().decode("utf-8", "replace")
