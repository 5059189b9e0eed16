"""Fixtures of the tests of notices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.notifications.mailing import MoodyBackend
from tests.notifications.receiver import Receiver, receiver


@pytest.fixture
def hook(settings: Any) -> Iterator[Receiver]:
    """A server that takes webhooks, allowed by the operator."""
    with receiver() as server:
        settings.WEBHOOK_ALLOWED_HOSTS = [("127.0.0.1", server.port)]
        yield server


@pytest.fixture
def mail_server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[MoodyBackend]:
    """A mail server that can be told to be away or to refuse."""
    settings.EMAIL_BACKEND = "tests.notifications.mailing.MoodyBackend"
    for name, value in (("at_open", None), ("at_send", None), ("opened", 0)):
        monkeypatch.setattr(MoodyBackend, name, value)
    return MoodyBackend
