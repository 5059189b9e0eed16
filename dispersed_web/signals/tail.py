"""What is new in a log since the last look, told from hashes alone. Pure; standard library only.

Compared are the last lines that are no noise, because the cloud keeps only the end of a log, and noise would push what
matters out of sight. A line counts once for as long as it is among them, however often it is written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

KEPT_LINES = 200
HASH_BYTES = 8


class Kind(StrEnum):
    """``first``: nothing to compare with. ``scrolled``: every line that was known is gone, and no fewer took their
    place. ``anew``: a shorter log that does not go on from the last one, so another container writes it."""

    FIRST = "first"
    SAME = "same"
    GREW = "grew"
    SCROLLED = "scrolled"
    ANEW = "anew"


@dataclass(frozen=True)
class Tail:
    """Hashes of the last lines that are no noise, oldest first, and how many lines the log has, noise included."""

    hashes: tuple[str, ...]
    lines: int


@dataclass(frozen=True)
class Change:
    """``new_lines`` are the distinct lines that were not there before: at most 200, and none of a log's first look."""

    kind: Kind
    new_lines: int = 0


def read(text: str, noise: Iterable[str], key: bytes) -> Tail:
    """The tail of ``text``, which is clean and masked. Blank lines are none; a line that contains one of the texts in
    ``noise`` is noise. ``key``, at most 64 bytes, keeps lines from being guessed from their hashes."""
    lines = [line.rstrip() for line in text.split("\n")]
    lines = [line for line in lines if line]
    unwanted = [part for part in noise if part]
    told = [line for line in lines if not any(part in line for part in unwanted)]
    return Tail(tuple(_hash(line, key) for line in told[-KEPT_LINES:]), len(lines))


def compare(before: Sequence[str] | None, now: Tail) -> Change:
    """What changed since a look that saw the hashes ``before``; ``None`` when there was no such look."""
    if before is None:
        return Change(Kind.FIRST)
    if now.lines < len(before) and not _goes_on(before, now.hashes):
        return Change(Kind.ANEW)
    known = set(before)
    new_lines = len(set(now.hashes) - known)
    if not new_lines:
        return Change(Kind.SAME)
    scrolled = bool(known) and known.isdisjoint(now.hashes)
    return Change(Kind.SCROLLED if scrolled else Kind.GREW, new_lines)


def _goes_on(before: Sequence[str], now: Sequence[str]) -> bool:
    """Whether ``now`` begins with the end of ``before``, as a log does whose beginning was cut off. The last line is
    left out of account: it may have been written over."""
    old, new = list(before), list(now)
    return any(
        old[start : start + size] == new[:size]
        for start in range(len(old))
        for size in {len(old) - start, len(old) - start - 1}
        if 0 < size <= len(new)
    )


def _hash(line: str, key: bytes) -> str:
    return hashlib.blake2b(line.encode(), digest_size=HASH_BYTES, key=key).hexdigest()
