"""Answers whose larger part is the same for many readers: that part is compressed once, not for each of them.

A gzip file may be put together of pieces that were compressed apart. The name in its header is as long as chance wants, as
Django's own compression has it, so that the length of an answer tells nothing of what stands in it.
"""

from __future__ import annotations

import re
import secrets
import struct
import zlib
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

_TAKES_GZIP = re.compile(r"\bgzip\b")
_LONGEST_NAME = 100
# Where the shared part belongs in a text, written in its template. No word of a person can be this: their "<" are escaped.
PLACE = "<!--shared-->"
# Magic, deflate, "has a name", no time, no hints, unknown system
_HEADER = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True, slots=True)
class Shared:
    """A text with its compressed bytes: a piece of a gzip file."""

    text: str
    packed: bytes

    @classmethod
    def of(cls, text: str) -> Shared:
        return cls(text, _pack(text.encode(), zlib.Z_FULL_FLUSH))

    @classmethod
    def unpacked(cls, packed: bytes) -> Shared:
        return cls(zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed).decode(), packed)

    def __reduce__(self) -> tuple[Any, ...]:
        """A cache holds the compressed bytes alone: they are a twentieth of the text."""
        return Shared.unpacked, (self.packed,)


def answer(request: HttpRequest, html: str, shared: Shared) -> HttpResponse:
    """The HTML with ``shared`` in its :data:`PLACE`, compressed for a browser that takes it so."""
    begin, _, end = html.partition(PLACE)
    if not _TAKES_GZIP.search(request.headers.get("Accept-Encoding", "")):
        return HttpResponse(begin + shared.text + end)
    packed = _zip(begin.encode(), shared, end.encode())
    response = HttpResponse(packed, headers={"Content-Encoding": "gzip"})
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _zip(begin: bytes, shared: Shared, end: bytes) -> bytes:
    middle = shared.text.encode()
    check = zlib.crc32(end, zlib.crc32(middle, zlib.crc32(begin)))
    size = (len(begin) + len(middle) + len(end)) & 0xFFFFFFFF
    name = b"a" * secrets.randbelow(_LONGEST_NAME) + b"\0"
    pieces = (_pack(begin, zlib.Z_FULL_FLUSH), shared.packed, _pack(end, zlib.Z_FINISH))
    return b"".join((_HEADER, name, *pieces, struct.pack("<LL", check, size)))


def _pack(data: bytes, flush: int) -> bytes:
    """A piece of a compressed stream that needs nothing of what stands before it."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(flush)
