"""What one heartbeat says. Pure, and tolerant: the container's image and its host write it, so a value that cannot be is
left out, and never believed to be nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

LONGEST_BODY = 4096
MOST_CORES = 4096.0
MOST_BYTES_A_MINUTE = 10**13
MOST_SESSIONS = 1000
LONGEST_AGE_S = 366 * 24 * 3600
PERIOD_S = 60
SHORTEST_PERIOD_S, LONGEST_PERIOD_S = 10, 600
PHASE_LENGTH, NOTE_LENGTH, NODE_LENGTH = 40, 200, 200


class NotABeat(ValueError):
    """The body is no JSON object."""


@dataclass(frozen=True)
class Beat:
    """One report. ``None``: it does not say.

    ``gpu`` is the use of the busiest GPU in percent, ``cpu`` in cores, ``net`` in bytes a minute; ``ssh_open`` counts
    the open terminals, ``key_age`` is the time since the latest keystroke in any of them. ``node`` tells the machines of a
    job apart; of the name that one gives itself only a digest is kept.
    """

    period_s: int = PERIOD_S
    gpu: int | None = None
    cpu: float | None = None
    net: int | None = None
    ssh_open: int | None = None
    key_age: dt.timedelta | None = None
    busy: bool = False
    phase: str = ""
    note: str = ""
    node: str = ""


def parse(body: bytes) -> Beat:
    """The report in ``body``. Raises :class:`NotABeat`; what is odd inside of an object is left out."""
    try:
        said = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise NotABeat("The body is no JSON.") from None
    if not isinstance(said, dict):
        raise NotABeat("The body is no JSON object.")
    gpus = [_percent(gpu.get("use")) for gpu in _objects(said.get("gpus"))]
    sessions = _objects(said.get("ssh"))
    ages = [_number(session.get("key_age_s"), LONGEST_AGE_S) for session in sessions]
    youngest = min((age for age in ages if age is not None), default=None)
    cpu, net = _number(said.get("cpu"), MOST_CORES), _number(said.get("net"), MOST_BYTES_A_MINUTE)
    return Beat(
        period_s=_period(said.get("period_s")),
        gpu=max((use for use in gpus if use is not None), default=None),
        cpu=cpu,
        net=None if net is None else int(net),
        ssh_open=min(len(sessions), MOST_SESSIONS) if isinstance(said.get("ssh"), list) else None,
        key_age=None if youngest is None else dt.timedelta(seconds=youngest),
        busy=said.get("busy") is True,
        phase=_text(said.get("phase"), PHASE_LENGTH),
        note=_text(said.get("note"), NOTE_LENGTH),
        node=_node(said.get("node")),
    )


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _number(value: Any, most: float) -> float | None:
    """``value`` if it is a number from nothing to ``most``. A boolean is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= most and math.isfinite(value) else None


def _percent(value: Any) -> int | None:
    """Rounded up, so that a little use is not taken for none; more than all is all."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        return None
    return math.ceil(min(value, 100))


def _node(value: Any) -> str:
    name = _text(value, NODE_LENGTH)
    return hashlib.sha256(name.encode()).hexdigest()[:12] if name else ""


def _period(value: Any) -> int:
    period_s = _number(value, LONGEST_AGE_S)
    return int(min(max(period_s or PERIOD_S, SHORTEST_PERIOD_S), LONGEST_PERIOD_S))


def _text(value: Any, length: int) -> str:
    """One line that every database can store and every page can show."""
    if not isinstance(value, str):
        return ""
    storable = value.encode("utf-8", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in storable).split())[:length]
