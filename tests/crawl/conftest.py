"""Fixtures of the crawl."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.web import live
from tests.crawl.world import World


@pytest.fixture
def world(sandbox: Any, settings: Any, time_machine: Any) -> World:
    """As where the product runs there is a cache, so that the frame is not made anew for each of thousands of pages. The
    clock is held, so that what it keeps does not depend on how fast the crawl is."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": uuid.uuid4().hex}}
    live._near.clear()
    made = World(sandbox)
    time_machine.move_to(timezone.now(), tick=False)
    return made
