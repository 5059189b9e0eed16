"""Keeping secrets out of the logs: known shapes are masked in every record, whatever the message."""

from __future__ import annotations

import logging
import re

SHAPES = re.compile(
    r"sk_[A-Za-z0-9_-]{6,}|dwp_[A-Za-z0-9]{10,}|hf_[A-Za-z0-9]{10,}|glpat-[\w-]{10,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|AKIA[0-9A-Z]{16}|(?<=/hb/|/do/)[\w-]{20,}|(?<=hooks\.slack\.com/)\S+|(?<=/api/webhooks/)\S+"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
    r"|(?i:(?<=authorization: )\S+( \S+)?|(?<=x-signature: )\S+)"
)
MASK = "••••"


def mask(text: str) -> str:
    """``text`` with everything that looks like a secret replaced."""
    return SHAPES.sub(MASK, text)


class MaskSecrets(logging.Filter):
    """Masks the finished message and the text of an exception."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, LookupError):  # a wrong call must not break what it tells of
            message = f"{record.msg} (its values do not fit)"
        record.msg = mask(message)
        record.args = ()
        if record.exc_info:
            # Another handler may have written it out already.
            record.exc_text = mask(record.exc_text or logging.Formatter().formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = mask(record.stack_info)
        return True
