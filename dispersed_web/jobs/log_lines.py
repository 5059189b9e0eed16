"""The lines of one log, held compactly: parts of it, what is found in it, and what a newer sight adds. Pure.

Lines are numbered from 0 as they were written, also when the first ones are not held any more.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import re
import zlib
from array import array
from functools import cached_property

from dispersed_web.jobs.log_text import plain

MOST_BYTES = 8 * 1024 * 1024
MOST_LINES = 200_000
# At how many places of the older sight the newer one's beginning is tried.
MOST_TRIED = 5_000
NEAR = 256


_NEWLINE = re.compile(rb"\n")


class Lines:
    """Immutable. ``first`` is the number of the first line that is held, ``end`` that of the line after the last."""

    def __init__(self, data: bytes = b"", first: int = 0) -> None:
        self.data = data
        self.first = first
        ends = (match.end() for match in _NEWLINE.finditer(data))
        self._starts = array("I", itertools.chain((0,), ends, (len(data) + 1,) if data else ()))

    @classmethod
    def of(cls, text: str, first: int = 0) -> Lines:
        """The lines of a text, without the blank ones at its end."""
        return cls(text.rstrip("\n").encode(errors="replace"), first)

    @classmethod
    def unpack(cls, packed: bytes, first: int = 0) -> Lines:
        return cls(zlib.decompress(packed) if packed else b"", first)

    def pack(self) -> bytes:
        return zlib.compress(self.data, 1) if self.data else b""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lines) and (self.first, self.data) == (other.first, other.data)

    def __hash__(self) -> int:
        return hash((self.first, self.data))

    def __len__(self) -> int:
        return len(self._starts) - 1

    @property
    def end(self) -> int:
        return self.first + len(self)

    @cached_property
    def digest(self) -> str:
        """Names the text and its numbers."""
        return f"{self.first}-{_digest(self.data)}"

    @cached_property
    def opening(self) -> str:
        """Names the first line that is held."""
        return _digest(self.data[: self._starts[1] - 1] if len(self) else b"")

    def part(self, begin: int, end: int) -> list[str]:
        """The lines from number ``begin`` up to and without ``end``, as far as they are held."""
        begin, end = max(begin, self.first) - self.first, min(end, self.end) - self.first
        if begin >= end:
            return []
        return self.data[self._starts[begin] : self._starts[end] - 1].decode().split("\n")

    def text(self) -> str:
        """All of it, without colours."""
        return plain(self.data.decode())

    def find(self, wanted: str, begin: int = 0) -> list[int]:
        """The numbers of the lines from ``begin`` on that contain ``wanted``, whatever the case of its letters."""
        begin = max(begin, self.first)
        if not wanted or begin >= self.end:
            return []
        needle = wanted.lower()
        text = plain(self.data[self._starts[begin - self.first] :].decode()).lower()
        if needle not in text:
            return []
        return [number for number, line in enumerate(text.split("\n"), begin) if needle in line]

    def last(self, most_bytes: int = MOST_BYTES, most_lines: int = MOST_LINES) -> Lines:
        """The last lines that fit; itself when all of them do."""
        skip = max(0, len(self) - most_lines)
        skip = max(skip, bisect.bisect_left(self._starts, len(self.data) - most_bytes))
        if not skip:
            return self
        return (
            Lines(self.data[self._starts[skip] :], self.first + skip)
            if skip < len(self)
            else Lines(b"", self.end)
        )

    def joined(self, newer: Lines) -> Lines | None:
        """What is known after a newer sight of the same log, of which the cloud may have cut the beginning off; ``None``
        when that does not go on from this one. The last line may have been written over in between."""
        if not len(self) or not len(newer):
            return newer if not len(self) else None
        settled = self.data[: self._starts[-2]]
        if newer.data.startswith(settled):
            return Lines(newer.data, self.first)
        for skip in self._places(newer.data[: newer._starts[1]]):
            start = self._starts[skip]
            size = len(settled) - start
            # What is cheap to compare goes first: there may be many places.
            is_end = newer.data[max(0, size - NEAR) : size] == settled[-min(size, NEAR) :]
            if is_end and newer.data.startswith(settled[start:]):
                return Lines(self.data[:start] + newer.data, self.first)
        return None

    def _places(self, opening: bytes) -> list[int]:
        """Which lines but the last are like ``opening``, earliest first, and at most so many."""
        found: list[int] = []
        for skip in range(1, len(self) - 1):
            if self.data.startswith(opening, self._starts[skip]):
                found.append(skip)
                if len(found) >= MOST_TRIED:
                    break
        return found


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
