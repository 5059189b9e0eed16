"""The secret values that this process had in its hands lately, so that its logs can be kept free of them.

Held in memory alone, and no more than a bounded number: the one that was not used for longest goes first. A text is
searched in time that does not grow with their number: each window of eight characters is looked up.
"""

from __future__ import annotations

import base64
import json
import threading
import urllib.parse
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from django.views.decorators.debug import sensitive_variables

# Hiding shorter ones would hide ordinary words.
SHORTEST = 8
MOST_VALUES = 1000
# A value of many lines, such as a key file, is known by its lines; nothing longer than this is a secret in a log.
LONGEST = 20_000


@sensitive_variables()
def forms(secret: str) -> set[str]:
    """The ways in which a secret is commonly written: as it is, line by line, quoted for URLs, JSON and Python, in
    base64. Only those of at least 8 characters."""
    found = {secret, *secret.split("\n")}
    found |= {
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
        urllib.parse.quote(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
    found = {form.strip() for form in found}
    if len(secret) >= SHORTEST:
        found |= set(_base64_forms(secret.encode(errors="replace")))
    return {form for form in found if len(form) >= SHORTEST}


@sensitive_variables()
def _base64_forms(raw: bytes) -> Iterable[str]:
    """In base64 also where other bytes stand before it, such as a user's name: what depends on the secret alone."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode()
        begin = (0, 2, 3)[before]
        end = len(encoded) - (0, 3, 2)[(before + len(raw)) % 3]
        core = encoded[begin:end]
        yield core
        yield core.translate(str.maketrans("+/", "-_"))


class KnownValues:
    """A bounded set of secret values that finds each of their forms in a text. Safe to use from several threads."""

    def __init__(self, most: int = MOST_VALUES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._uses: Counter[str] = Counter()  # of a form, because two values may be written alike
        # By their first eight characters; what begins alike is tried longest first.
        self._by_start: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"KnownValues({len(self)} values)"

    @sensitive_variables()
    def learn(self, text: str) -> None:
        """``text`` is a secret, or JSON whose values are secrets."""
        for value in _values_in(text):
            if len(value) >= SHORTEST:
                self._learn_one(value)

    @sensitive_variables()
    def _learn_one(self, value: str) -> None:
        with self._lock:
            if value in self._values:
                self._values.move_to_end(value)
                return
            self._values[value] = written = tuple(forms(value))
            for form in written:
                self._add(form)
            if len(self._values) > self._most:
                _, forgotten = self._values.popitem(last=False)
                for form in forgotten:
                    self._drop(form)

    def _add(self, form: str) -> None:
        self._uses[form] += 1
        if self._uses[form] == 1:
            self._set(form[:SHORTEST], {*self._by_start.get(form[:SHORTEST], ()), form})

    def _drop(self, form: str) -> None:
        self._uses[form] -= 1
        if not self._uses[form]:
            del self._uses[form]
            self._set(form[:SHORTEST], {*self._by_start[form[:SHORTEST]]} - {form})

    def _set(self, start: str, written: set[str]) -> None:
        """Replaces an entry whole, so that a reader without the lock sees the old one or the new one."""
        if written:
            self._by_start[start] = tuple(sorted(written, key=len, reverse=True))
        else:
            del self._by_start[start]

    @sensitive_variables()
    def hide(self, text: str, mask: str) -> str:
        """``text`` with ``mask`` in the place of every known value."""
        known, done, at, pieces = self._by_start, 0, 0, []
        last = len(text) - SHORTEST if known else -1
        while at <= last:
            found = known.get(text[at : at + SHORTEST])
            hit = next((form for form in found if text.startswith(form, at)), "") if found else ""
            if not hit:
                at += 1
                continue
            pieces += [text[done:at], mask]
            done = at = at + len(hit)
        return "".join(pieces) + text[done:] if pieces else text


@sensitive_variables()
def _values_in(text: str) -> Iterator[str]:
    if len(text) > LONGEST:
        text = text[:LONGEST]
    if text.startswith("{"):
        try:
            yield from _leaves(json.loads(text))
            return
        except ValueError:
            pass
    yield from text.split("\n") if "\n" in text else (text,)


@sensitive_variables()
def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str):
        yield value


known = KnownValues()
