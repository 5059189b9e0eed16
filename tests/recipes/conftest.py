from __future__ import annotations

from typing import Any

import pytest

from tests.jobs.world import World


@pytest.fixture
def world(db: None, sandbox: Any) -> World:
    return World(sandbox)
