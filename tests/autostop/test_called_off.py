"""Why a stop that was announced does not come, in the words of the message that says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispersed_web.autostop.notices import why_called_off
from dispersed_web.autostop.policy import decide
from dispersed_web.jobs.models import Job
from tests.autostop.plain import FACTS, POLICY, at, quiet

QUIET = replace(FACTS, signals=(quiet(0, 70),), warned_for=at(80), warned_at=at(65))


@pytest.mark.parametrize(
    ("changes", "minute", "why"),
    [
        ({"confirmed_at": at(70)}, 70, "somebody said that it is in use"),
        ({"cloud_lost_since": at(66)}, 70, "Dispersed cannot be seen, and unknown is not idle"),
        ({}, 77, "its signals fell silent, and unknown is not idle"),
        ({"protected_until": at(300)}, 70, "it is protected"),
    ],
)
def test_why_a_stop_for_idleness_is_called_off(changes: dict[str, Any], minute: int, why: str) -> None:
    job = Job(verdict_rule="idle", confidence="high", warned_at=QUIET.warned_at, quiet_since=at(20))
    verdict = decide(POLICY, replace(QUIET, **changes), at(minute))
    assert why_called_off(job, verdict) == why
