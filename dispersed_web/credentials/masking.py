"""Keeping secrets out of the logs: known shapes are masked in every record, whatever the message."""

from __future__ import annotations

import logging
import re

SHAPES = re.compile(
    r"sk_[A-Za-z0-9_-]{6,}|dwp_[A-Za-z0-9]{10,}|hf_[A-Za-z0-9]{10,}|glpat-[\w-]{10,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|AKIA[0-9A-Z]{16}|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
    r"|(?i:(?<=authorization: )\S+( \S+)?|(?<=x-signature: )\S+)"
)
MASK = "••••"


def mask(text: str) -> str:
    """``text`` with everything that looks like a secret replaced."""
    return SHAPES.sub(MASK, text)


class MaskSecrets(logging.Filter):
    """Masks the finished message and the text of an exception."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = mask(record.getMessage())
        record.args = ()
        if record.exc_info and not record.exc_text:
            record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
        return True
