"""Markdown that people write, as safe HTML: no HTML of theirs, no pictures, links only to the web and to mail."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from urllib.parse import urlsplit

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST = 50_000
LONGEST_LINE = 160
MOST_OF_A_LINE = 1000
SCHEMES = frozenset({"http", "https", "mailto"})
LINK = {"rel": "noopener noreferrer nofollow", "target": "_blank"}
# The page has its own h1, and its parts have their h2.
LEVELS_DOWN = 2


def render(text: str) -> SafeString:
    """The text as HTML that may stand in a page. What is no markdown that we allow stays as it was typed."""
    reader = _reader()
    tokens = reader.parse(text[:LONGEST])
    for token in _all(tokens):
        _tame(token)
    html = reader.renderer.render(tokens, reader.options, {})
    return mark_safe(html)  # noqa: S308 - the renderer escapes, and its HTML is switched off


def first_line(text: str) -> str:
    """The plain words of the first paragraph, cut to one line."""
    return _first_line(text.lstrip()[:MOST_OF_A_LINE])


@lru_cache(maxsize=1024)
def _first_line(text: str) -> str:
    """A gallery asks for hundreds of them, each time the same."""
    for token in _reader().parse(text):
        if token.type == "inline" and token.children:
            words = " ".join("".join(_words(token.children)).split())
            if words:
                return words if len(words) <= LONGEST_LINE else f"{words[:LONGEST_LINE].rstrip()}…"
    return ""


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
    reader.disable(["image", "html_block", "html_inline"])
    reader.validateLink = _may_link  # type: ignore[method-assign]
    return reader


def _may_link(url: str) -> bool:
    """Only whole addresses: a relative one would lead to pages of ours that look like part of the text."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    return parts.scheme.lower() in SCHEMES and bool(parts.netloc or parts.scheme.lower() == "mailto")


def _all(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or [])


def _tame(token: Token) -> None:
    if token.type == "link_open":
        token.attrs.update(LINK)
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1:]) + LEVELS_DOWN, 6)}"
    if "style" in token.attrs:  # columns of tables; the page allows no inline style
        side = str(token.attrs.pop("style")).rpartition(":")[2]
        token.attrs["class"] = {"right": "text-end", "center": "text-center"}.get(side, "text-start")


def _words(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            yield " "
        elif token.type in ("text", "code_inline"):
            yield token.content
