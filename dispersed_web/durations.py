"""Durations as people write them: “2h 30m”, “90 min”, “1d”, “02:30”. Pure."""

from __future__ import annotations

import re
from decimal import Decimal

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 24 * HOUR_S
LONGEST_S = 10 * 365 * DAY_S

_UNITS = {
    "s": (1, "s sec secs second seconds"),
    "m": (MINUTE_S, "m min mins minute minutes"),
    "h": (HOUR_S, "h hr hrs hour hours"),
    "d": (DAY_S, "d day days"),
    "w": (7 * DAY_S, "w week weeks"),
}
_WORDS = {word: unit for unit, (_, words) in _UNITS.items() for word in words.split()}
_SECONDS = {unit: seconds for unit, (seconds, _) in _UNITS.items()}
_PART = re.compile(r"([0-9]{1,9}(?:[.,][0-9]{1,6})?)\s*([a-z]*)[\s,]*", re.ASCII)
_CLOCK = re.compile(r"([0-9]{1,4}):([0-9]{2})(?::([0-9]{2}))?", re.ASCII)
_EXAMPLES = "for example 45 min, 2h 30m, 1d or 02:30 (hours and minutes)"


class BadDuration(ValueError):
    """The text is no duration; ``str(error)`` says what to write instead."""


def parse(text: str) -> int:
    """The duration in whole seconds, zero included. Raises :class:`BadDuration`."""
    text = text.strip().lower()
    if not text:
        raise BadDuration(f"Write a duration, {_EXAMPLES}.")
    seconds = _clock(text) if ":" in text else _parts(text)
    if seconds > LONGEST_S:
        raise BadDuration("That is more than ten years. Write a shorter duration.")
    return seconds


def write(seconds: int) -> str:
    """The shortest text that :func:`parse` reads back as ``seconds``: ``90`` is “1m 30s”, ``86400`` is “24h”.

    Days are used from two days on, because “24h” is what people say.
    """
    rest, words = seconds, []
    for unit, length in (("d", DAY_S), ("h", HOUR_S), ("m", MINUTE_S), ("s", 1)):
        if unit == "d" and seconds < 2 * DAY_S:
            continue
        count, rest = divmod(rest, length)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words) or "0s"


def write_ms(milliseconds: int) -> str:
    """The same of milliseconds, cut to whole seconds."""
    return write(milliseconds // 1000)


def _clock(text: str) -> int:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise BadDuration(
            f"“{_short(text)}” is not a duration; with a colon write hours:minutes, as in 02:30."
        )
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    if minutes > 59 or seconds > 59:
        raise BadDuration(f"“{_short(text)}” has more than 59 minutes or seconds after the colon.")
    return hours * HOUR_S + minutes * MINUTE_S + seconds


def _parts(text: str) -> int:
    total, position, used = Decimal(0), 0, []
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise BadDuration(f"“{_short(text)}” is not a duration; write {_EXAMPLES}.")
        unit = _unit(match[2], used, text, at_end=match.end() == len(text))
        if unit in used:
            raise BadDuration(f"“{_short(text)}” names the same unit twice.")
        used.append(unit)
        total += Decimal(match[1].replace(",", ".")) * _SECONDS[unit]
        position = match.end()
    if total != int(total):
        raise BadDuration(f"“{_short(text)}” is not a whole number of seconds.")
    return int(total)


def _unit(word: str, used: list[str], text: str, *, at_end: bool) -> str:
    """The unit that ``word`` means. “1h30” is read as people mean it; a number alone is not guessed at."""
    if word in _WORDS:
        return _WORDS[word]
    if not word and used == ["h"] and at_end:
        return "m"
    if not word:
        number = _short(text)
        raise BadDuration(f"Say of what: “{number}” could be {number} min or {number} h.")
    raise BadDuration(f"“{_short(word)}” is not a unit of time; use s, min, h or d.")


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:29] + "…"
