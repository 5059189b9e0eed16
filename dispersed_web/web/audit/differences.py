"""What an event says was changed, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from dispersed_web.web import words

LONGEST = 200
_SPECIAL = {
    "max_active_jobs": "jobs at once",
    "max_hourly_usd": "spending per hour",
    "max_day_usd": "spending per day",
    "max_month_usd": "spending per month",
    "gpu_models": "GPU models",
    "max_gpu_count": "GPUs in a job",
    "default_lifetime_s": "usual lifetime",
    "max_lifetime_s": "longest lifetime",
    "warn_lead_s": "warning before",
    "launches_frozen": "launches frozen",
    "require_mfa": "second factor required",
    "secret_sealed": "secret key",
    "value_sealed": "value",
    "url_sealed": "address",
    "usable_by": "may be used by",
    "managed_by": "managed by",
    "email_my_jobs": "e-mails about my jobs",
    "is_usual": "usual one",
}


@dataclass(frozen=True)
class Difference:
    """One thing that was changed. ``before`` is empty where nothing is known of it."""

    name: str
    before: str
    after: str


def differences(data: Any) -> list[Difference]:
    """The changes that an event's data tells of: ``before`` and ``after`` by name, or one ``before`` and ``to``."""
    if not isinstance(data, Mapping):
        return []
    before, after = data.get("before"), data.get("after")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return [_one(str(name), before.get(name), value) for name, value in after.items()]
    if isinstance(before, str) and isinstance(data.get("to"), str):
        return [_one("role", before, data["to"])]
    if isinstance(before, str) and isinstance(after, str):
        return [_one("text", before, after)]
    return []


def _one(name: str, before: Any, after: Any) -> Difference:
    return Difference(label(name), said(name, before), said(name, after))


def label(name: str) -> str:
    """``max_hourly_usd`` as people read it."""
    if name in _SPECIAL:
        return _SPECIAL[name][0].upper() + _SPECIAL[name][1:]
    plain = name.removesuffix("_s").removesuffix("_usd").removesuffix("_at")
    return plain.replace("_", " ").capitalize()


def said(name: str, value: Any) -> str:
    """A value as people read it: a time span, an amount, yes or no."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_s") and isinstance(value, int):
        return words.round_duration(value)
    if name.endswith("_usd"):
        return _amount(value)
    if isinstance(value, list):
        return _short(", ".join(str(one) for one in value) or "none")
    return _short(str(value))


def _amount(value: Any) -> str:
    try:
        return words.money(Decimal(str(value)))
    except InvalidOperation:
        return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
