"""How tests wait for what other threads and processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

# Nothing waits that long where all is well, however busy the machine is. A shorter limit only tells how busy it is.
LIMIT_S = 60.0


def eventually(
    condition: Callable[[], Any], what: str, limit_s: float = LIMIT_S, first_s: float = 0.05
) -> Any:
    """What ``condition`` gives as soon as it is true. Asks less often the longer it takes: what is waited for needs the
    processor, too."""
    begun = time.monotonic()
    while not (found := condition()):
        waited = time.monotonic() - begun
        assert waited < limit_s, f"in vain: {what}"
        time.sleep(min(first_s + waited / 50, 0.5))
    return found
