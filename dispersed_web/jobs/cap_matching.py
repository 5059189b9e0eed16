"""Whether one choice is among those that a cap allows. Pure; an empty cap allows everything.

The launch form marks by these what the caps judge by.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable


def task_is_allowed(task: str, only: str) -> bool:
    """``only`` is the one kind of job that may be launched; empty allows both."""
    return only in ("", task)


def gpu_is_allowed(name: str | None, models: Iterable[str]) -> bool:
    """``None`` is a model whose name nobody knows: never one of those that are named."""
    allowed = {bare(model) for model in models}
    return not allowed or (name is not None and bare(name) in allowed)


def region_is_allowed(code: str, codes: Collection[str]) -> bool:
    """``codes`` are the regions that jobs are kept to; none allows all."""
    return not codes or code in codes


def image_is_allowed(name: str, tag: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern matches the whole name, or the whole of name and tag; ``*`` is any text, nothing else is
    special, and case counts."""
    whole = f"{name}:{tag}" if tag else name
    return any(_matches(pattern, name) or _matches(pattern, whole) for pattern in patterns)


def _matches(pattern: str, text: str) -> bool:
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(expression, text, re.DOTALL) is not None


def bare(gpu_name: str) -> str:
    """The name of a GPU as two are compared by it."""
    return gpu_name.casefold().removeprefix("nvidia ").strip()
