"""When something breaks, with all its arguments in its frames and a key in what it says: in pages, the API, tasks, the vault
and where requests are signed."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dispersed_web import tasks
from dispersed_web.sandbox import Sandbox
from tests import factories
from tests.canaries import markers
from tests.canaries.recording import Recorder, RecordingClient
from tests.canaries.story import Story

pytestmark = pytest.mark.django_db
OURS = "dispersed_web"


@contextlib.contextmanager
def broken(monkeypatch: pytest.MonkeyPatch, place: str) -> Iterator[list[str]]:
    """The function fails, quoting a key; what is yielded counts how often."""
    module, _, name = place.rpartition(".")
    owner, calls = importlib.import_module(f"{OURS}.{module}"), []

    def fail(*args: Any, **options: Any) -> None:
        calls.append(place)
        raise RuntimeError(f"broke with {markers.FIRST_KEY} among {len(args) + len(options)} values")

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail)
        yield calls


@pytest.mark.parametrize("debug", [False, True])
def test_no_canary_comes_out_of_what_breaks(
    cloud: Sandbox, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, settings: Any, debug: bool
) -> None:
    settings.DEBUG = debug
    story = Story(cloud, recorder)
    story.add_credential()
    secret = story.add_team_secret()
    story.make_tokens()
    story.launch_by_api(secret)
    job = factories.make_job(story.team, "RUNNING")
    factories.make_run(job)
    in_views(story, secret, job, monkeypatch)
    in_tasks(story, monkeypatch)
    assert recorder.logs["log lines"].getvalue().count("RuntimeError") >= 12
    leaks = recorder.leaks(story.needles)
    assert not leaks, "\n".join(leaks)


def in_views(story: Story, secret: Any, job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = {"name": "Other", "public_key": markers.PUBLIC, "secret_key": markers.FIRST_KEY}
    webhook = {"kind": "json", "url": f"https://hooks.example.com{markers.WEBHOOK_PATH}"}
    value = {"name": "other", "value": markers.TEAM_SECRET, "note": "", "usable_by": "members"}
    login = {"login": story.user.email, "password": markers.PASSWORD}
    fresh = RecordingClient(story.recorder)
    acts: list[tuple[str, Callable[[], Any]]] = [
        ("web.people.account_adapter.AccountAdapter", lambda: fresh.post("/account/login/", login)),
        ("credentials.keeping.try_pair", lambda: story.client.post(story.at("credential-add"), pair)),
        ("credentials.vault.seal_with", lambda: story.client.post(story.at("credential-add"), pair)),
        ("credentials.vault.seal_with", lambda: story.client.post(story.at("secret-add"), value)),
        ("credentials.team_secrets.add", lambda: story.client.post(story.at("secret-add"), value)),
        ("jobs.launch._store", lambda: story.launch(secret)),
        ("jobs.launch._store", lambda: story.launch_by_api(secret)),
        ("credentials.vault.seal_with", lambda: story.launch_by_api(secret)),
        ("jobs.logs._fetch", lambda: story.client.get(story.at("job-logs", job.pk))),
        ("jobs.stop.record", lambda: story.client.post(story.at("job-stop", job.pk))),
        ("jobs.stored.page", lambda: story.client.get(story.at("jobs"))),
        ("notifications.channels._store", lambda: story.client.post(story.at("team-notices"), webhook)),
    ]
    for place, act in acts[1:]:
        # The story expects that it works.
        with broken(monkeypatch, place) as calls, contextlib.suppress(AssertionError):
            act()
        assert calls, (place, story.recorder.pieces[-1])
        assert " 500" in story.recorder.pieces[-1][0], (place, story.recorder.pieces[-1])
    with monkeypatch.context() as patch:
        patch.setattr("dispersed_web.accounts.models.User.check_password", fail_with)
        acts[0][1]()
    assert " 500" in story.recorder.pieces[-1][0]


def fail_with(*args: Any) -> None:
    raise RuntimeError(f"broke with {markers.FIRST_KEY} among {len(args)}")


def in_tasks(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a worker runs them, with its own way of telling of what broke."""
    job = story.team.jobs.filter(status="QUEUED").latest("created_at")
    credential = story.credential
    for place, task, name in (
        ("dispersed.exchange.sign", tasks.send_launch, job.pk),
        ("dispersed.exchange.sign", tasks.refresh_market, credential.pk),
        ("credentials.vault.AESGCM", tasks.sync_credential, credential.pk),
    ):
        with broken(monkeypatch, place) as calls:
            result = task.apply(args=[str(name)])
        assert calls, place
        story.recorder.note("task", f"{result.state} {result.result!r}" if not result.failed() else "")
