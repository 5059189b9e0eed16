"""A recorder, a cloud of its own and a receiver of webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import celery
import pytest

from dispersed_web.sandbox import Sandbox
from tests.canaries import markers
from tests.canaries.recording import Recorder, listening
from tests.notifications.receiver import Receiver, receiver


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Recorder]:
    """Records log lines as the console gets them, and what is sent to the workers. The installation's own secrets are
    canaries."""
    settings.SECRET_KEY, settings.KEYRING = markers.DJANGO_KEY, [("canary", markers.SEALING_KEY)]
    recorder = Recorder()
    monkeypatch.setattr(
        celery.Task,
        "apply_async",
        lambda task, *args, **options: recorder.note("message", f"{task.name} {args} {options}"),
    )
    with listening(recorder):
        yield recorder


@pytest.fixture
def cloud(tmp_path: Path, settings: Any) -> Iterator[Sandbox]:
    """A cloud of its own, whose keys are canaries; its nodes print what they were given."""
    keys = [
        (markers.PUBLIC, markers.FIRST_KEY, "canary"),
        (f"{markers.PUBLIC}_2", markers.SECOND_KEY, "canary"),
    ]
    keys.append((f"{markers.PUBLIC}_3", markers.OTHER_KEY, "other"))
    with Sandbox(tmp_path, keys=keys) as sandbox:
        settings.DISPERSED_URL = sandbox.url
        settings.DISPERSED_SIMULATED = True
        yield sandbox


@pytest.fixture
def hook(settings: Any) -> Iterator[Receiver]:
    with receiver() as server:
        settings.WEBHOOK_ALLOWED_HOSTS = [("127.0.0.1", server.port)]
        yield server
