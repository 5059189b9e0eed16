"""One row that makes trouble concerns no other: for loops over the jobs of many people."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from dispersed_web.dispersed import DispersedError

log = logging.getLogger(__name__)


@contextmanager
def alone(row: object, what: str) -> Iterator[None]:
    """A fault of ours with ``row``, which was to be ``what``, is logged by its id, and the loop goes on.

    What the cloud answers is raised: it is for the caller to say whom that concerns.
    """
    try:
        yield
    except DispersedError:
        raise
    except Exception:
        log.exception("%s could not be %s.", getattr(row, "pk", None) or getattr(row, "uuid", row), what)
