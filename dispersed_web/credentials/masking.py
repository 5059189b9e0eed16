"""Keeping secrets out of the logs: known shapes, and the values that this process opened, are masked in every record,
whatever the message."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from dispersed_web.credentials.known_values import known

SHAPES = re.compile(
    r"sk_[A-Za-z0-9_-]{6,}|whsec_[\w-]{20,}|dwp_[A-Za-z0-9]{10,}|hf_[A-Za-z0-9]{10,}|glpat-[\w-]{10,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|AKIA[0-9A-Z]{16}|(?<=/hb/|/do/)[\w-]{20,}|(?<=/cal/)[\w-]{20,}|(?<=/join/)[\w-]{20,}"
    r"|(?<=hooks\.slack\.com/)\S+|(?<=/api/webhooks/)\S+"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
    r"|(?i:(?<=authorization: )\S+( \S+)?|(?<=x-signature: )\S+)"
)
# Each shape contains one of these, in any case of letters: lines without any of them need no closer look.
SIGNS = (
    "sk_",
    "whsec_",
    "dwp_",
    "hf_",
    "glpat-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "akia",
    "/hb/",
    "/do/",
    "/cal/",
    "/join/",
    "hooks.slack.com/",
    "/api/webhooks/",
    "://",
    "authorization: ",
    "x-signature: ",
)
# In patterns they count as "i" and "s" whatever their case, and lowering leaves them as they are.
ODD_LETTERS = "ıſ"
MASK = "••••"


def mask_shapes(text: str) -> str:
    """``mask`` for texts of many lines: only the lines that may hold a secret are searched. No shape spans lines."""
    lowered = text.lower()
    if len(lowered) != len(text) or any(letter in text for letter in ODD_LETTERS):
        return mask(text)
    done, pieces = 0, []
    for begin, end in _suspect_lines(lowered):
        pieces += [text[done:begin], SHAPES.sub(MASK, text[begin:end])]
        done = end
    return "".join(pieces) + text[done:] if pieces else text


def _suspect_lines(lowered: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each line that contains a sign, in order."""
    starts = set()
    for sign in SIGNS:
        place = lowered.find(sign)
        while place >= 0:
            starts.add(lowered.rfind("\n", 0, place) + 1)
            line_end = lowered.find("\n", place)
            place = lowered.find(sign, line_end) if line_end >= 0 else -1
    for begin in sorted(starts):
        end = lowered.find("\n", begin)
        yield begin, len(lowered) if end < 0 else end


def mask(text: str) -> str:
    """``text`` with everything that looks like a secret replaced."""
    return SHAPES.sub(MASK, text)


def masked(text: str) -> str:
    """``mask``, and every secret value that this process opened lately, however it is written."""
    return mask(known.hide(text, MASK))


class MaskSecrets(logging.Filter):
    """Masks the finished message and the text of an exception."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, LookupError):  # a wrong call must not break what it tells of
            message = f"{record.msg} (its values do not fit)"
        record.msg = masked(message)
        record.args = ()
        if record.exc_info:
            # Another handler may have written it out already.
            record.exc_text = masked(record.exc_text or logging.Formatter().formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = masked(record.stack_info)
        return True
