from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings

from dispersed_web.api.throttling import window
from dispersed_web.api.views.docs import Schema


@pytest.fixture(autouse=True)
def _fresh_window():
    window.forget()


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    with patched_settings(Schema.custom_settings):
        return SchemaGenerator().get_schema(request=None, public=True)
