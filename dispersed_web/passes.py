"""Passes of several steps. Standard library only."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


def one_by_one(*steps: Callable[[], object]) -> None:
    """Each step, whatever became of those before it; then raises the first fault, so that the pass does not count."""
    faults = []
    for step in steps:
        try:
            step()
        except Exception as fault:
            faults.append(fault)
    for fault in faults[1:]:
        log.error("Another step of the same pass failed too.", exc_info=fault)
    if faults:
        raise faults[0]
