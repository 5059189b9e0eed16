"""A plugin for a run of the contract tests against a fast stand-in: it waits a hundredth as long."""

from __future__ import annotations

import time

_sleep = time.sleep


def _hurry(seconds: float) -> None:
    _sleep(seconds / 100)


time.sleep = _hurry
