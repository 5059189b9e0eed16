from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings

from dispersed_web import tasks
from dispersed_web.api.throttling import window
from dispersed_web.api.views.docs import Schema
from tests import factories
from tests.api.caller import Api, make_token


@pytest.fixture(autouse=True)
def _fresh_window():
    window.forget()


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    with patched_settings(Schema.custom_settings):
        return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture
def team(db):
    return factories.make_team()


@pytest.fixture
def credential(team):
    return factories.make_credential(team)


@pytest.fixture
def api(team):
    return Api(make_token(team))


@pytest.fixture
def nudges(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *ids: sent.append((task, *ids)))
    return sent
