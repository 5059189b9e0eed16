"""Fixtures of the tests of pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone


@pytest.fixture
def one_half_minute(time_machine: Any) -> None:
    """Holds the clock: what a live page shows is named by the half minute too, and that must not pass in between."""
    time_machine.move_to(timezone.now(), tick=False)
