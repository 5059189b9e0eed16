"""Fixtures that tests in several folders share. Factories are plain functions in ``tests/factories.py``."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from playwright.sync_api import expect

from dispersed_web.supervisor import broker
from tests.shares import long_ones_first

# Playwright's own event loop runs in the main thread, which Django would take for a view calling the database from
# asynchronous code. The product has no asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# How long one example takes says more of the machine than of the product.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

# Long enough for a busy machine: nothing waits that long where all is well.
expect.set_options(timeout=60_000)

DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup", "client", "admin_client"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = (
    "no Chromium: install it (apt-get install chromium) or run `.venv/bin/playwright install chromium`"
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays to the end. To look through all of it for rubbish, time and again, takes a tenth
    of the run, so only what tests make is looked through."""
    gc.disable()
    done = yield
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()
    return done


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = long_ones_first(
        items, lambda item: item.path if item.get_closest_marker("stack") else None, workers
    )
    browser_missing = find_browser() is None and not os.environ.get("CI")
    for item in items:
        if item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("db")
        if browser_missing and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = [
        report for report in terminalreporter.stats.get("skipped", ()) if NO_BROWSER in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} BROWSER TESTS DID NOT RUN: {NO_BROWSER}", red=True, bold=True
        )


# Browser -------------------------------------------------------------------------------------------------------------


def find_browser() -> str | None:
    """The Chromium to drive: the one named by DW_TEST_BROWSER, one on the PATH, or Playwright's own download."""
    named = os.environ.get("DW_TEST_BROWSER")
    if named:
        return named
    installed = next(filter(None, map(shutil.which, BROWSERS)), None)
    if installed:
        return installed
    caches = (Path.home() / ".cache/ms-playwright", Path.home() / "Library/Caches/ms-playwright")
    downloads = (
        Path(os.environ["PLAYWRIGHT_BROWSERS_PATH"]) if "PLAYWRIGHT_BROWSERS_PATH" in os.environ else None
    )
    for folder in filter(None, (downloads, *caches)):
        for program in ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*"):
            found = next(folder.glob(program), None)
            if found:
                return str(found)
    return None


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    program = find_browser()
    if program is None:
        pytest.fail(NO_BROWSER)
    quiet = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-sync",
        "--disable-component-update",
    ]
    root = ["--no-sandbox"] if os.getuid() == 0 else []
    return {
        **browser_type_launch_args,
        "executable_path": program,
        "args": [*quiet, "--disable-background-networking", "--disable-dev-shm-usage", *root],
    }


# Database ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Between tests all rows are deleted, which the table of events refuses; tests/events/test_append_only.py tests that
    it does."""
    from django.apps import apps
    from django.db import connection
    from django.db.models.signals import post_migrate

    from dispersed_web.events.append_only import remove
    from dispersed_web.events.apps import keep_append_only

    post_migrate.disconnect(keep_append_only, sender=apps.get_app_config("events"))
    with django_db_blocker.unblock():
        remove(connection)


# Services ------------------------------------------------------------------------------------------------------------


class RedisServer:
    """A Valkey server on the socket that the tests' settings name; a test may stop and start it."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}"
        self.data = folder / "valkey"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.data.mkdir(exist_ok=True)
        self.process = subprocess.Popen(broker.command(self.socket, self.data), stdout=subprocess.DEVNULL)
        while not broker.answers(self.socket):
            assert self.process.poll() is None, "the Valkey server ended at once"
            time.sleep(0.01)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None
        self.socket.unlink(missing_ok=True)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A real server, empty, for one test: it starts in 40 ms. Without this fixture the broker cannot be reached."""
    server = RedisServer(Path(os.environ["DW_DATA_DIR"]))
    server.start()
    yield server
    server.stop()
    shutil.rmtree(server.data)


@pytest.fixture(scope="session", autouse=True)
def short_waits() -> Iterator[None]:
    """Before it tries again the client waits a fiftieth of its time; how long that is has tests of its own."""
    from dispersed_web.dispersed import Client

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Client.__init__.__kwdefaults__, "sleep", lambda seconds: time.sleep(seconds / 50))
        yield


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from dispersed_web.sandbox import Sandbox

    with Sandbox(tmp_path_factory.mktemp("sandbox")) as server:
        yield server


@pytest.fixture
def sandbox(sandbox_server: Any, settings: Any) -> Any:
    """The simulated cloud, served over HTTP in this process and emptied for this test; the product is pointed at it."""
    sandbox_server.control.reset()
    settings.DISPERSED_URL = sandbox_server.url
    return sandbox_server
