"""Verdicts and their evidence as JSON, for rows that remember them, and back. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dispersed_web.autostop.activity import Evidence
from dispersed_web.autostop.policy import Verdict


def as_json(verdict: Verdict) -> dict[str, Any]:
    """What a stop or a change of verdict was decided on, with ISO times and durations in seconds."""
    limit = verdict.idle_limit
    return {
        "rule": verdict.rule,
        "state": verdict.state.value,
        "confidence": verdict.confidence.value,
        "sentence": verdict.sentence,
        "deadline_at": _iso(verdict.deadline_at),
        "quiet_since": _iso(verdict.quiet_since),
        "idle_limit_s": int(limit.total_seconds()) if limit else None,
        "last_active": _evidence(verdict.last_active) if verdict.last_active else None,
        "evidence": [_evidence(one) for one in verdict.evidence],
    }


def _evidence(one: Evidence) -> dict[str, Any]:
    return {
        "signal": str(one.signal),
        "state": one.state,
        "value": one.value,
        "observed_at": _iso(one.observed_at),
        "since": _iso(one.since),
        "samples": one.samples,
    }


def evidence_from(data: dict[str, Any]) -> Evidence:
    """What :func:`as_json` wrote of one piece of evidence."""
    return Evidence(
        signal=data["signal"],
        state=data["state"],
        value=data["value"],
        observed_at=dt.datetime.fromisoformat(data["observed_at"]),
        since=dt.datetime.fromisoformat(data["since"]) if data.get("since") else None,
        samples=data.get("samples", 0),
    )


def _iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None
