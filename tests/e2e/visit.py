"""One person's browser at one running product, with what the tests look up behind its back."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from dispersed_web.sandbox import SandboxControl
from tests.factories import SSH_KEY
from tests.product import Product
from tests.waiting import eventually

# Phases of jobs pass eight times as fast, and heartbeats come every ten seconds.
TIME_SCALE = 8


class Visit:
    """One person's browser at one running product."""

    def __init__(self, product: Product, page: Page) -> None:
        self.product, self.page = product, page
        self.url = f"http://127.0.0.1:{product.port}"
        self.team_url = f"{self.url}/t/demo-lab"
        address = re.search(r"Dispersed +(http\S+)", product.text())
        assert address
        self.cloud_url = address[1]
        self.cloud = SandboxControl(self.cloud_url)
        self.cloud.set_time_scale(TIME_SCALE)
        page.set_default_timeout(60_000)

    def sign_in(self, email: str = "owner@example.com") -> None:
        people = json.loads((self.product.data / "secrets/demo.json").read_text())["people"]
        self.password = people[email]
        self.page.goto(self.url)
        self.page.fill("input[name=login]", email)
        self.page.fill("input[name=password]", self.password)
        self.page.press("input[name=password]", "Enter")
        self.page.wait_for_url("**/t/demo-lab/")

    def store_key(self) -> None:
        self.page.goto(f"{self.url}/me/")
        self.page.fill("#ssh-key [name=key]", SSH_KEY)
        self.page.get_by_role("button", name="Add the key").click()
        expect(self.page.get_by_text("SHA256:").first).to_be_visible()

    def launch(self, example: str, *, env: dict[str, str] | None = None, **fields: str) -> str:
        """Launches an example as it stands but for ``fields`` and ``env``; returns the address of the job's page."""
        self.page.goto(f"{self.team_url}/launch/")
        self.page.get_by_role("link", name=example).click()
        self.page.wait_for_url("**example=**")
        for name, value in fields.items():
            self.page.fill(f"[name={name}]", value)
        for place, (name, value) in enumerate((env or {}).items()):
            self.page.fill(f"[name=env-{place}-name]", name)
            self.page.fill(f"[name=env-{place}-value]", value)
        self.page.locator("button[name=launch]").click()
        self.page.wait_for_url("**/jobs/*/")
        return self.page.url

    def box(self, title: str, behaviour: str, **fields: str) -> Box:
        """A machine to work on, whose container behaves so."""
        env = {"SANDBOX_BEHAVIOUR": behaviour}
        return Box(self, title, self.launch("Development Environment", env=env, title=title, **fields))

    def ledger(self, title: str) -> list[dict[str, Any]]:
        return list(self.cloud.jobs(title=title))

    def row(self, box: Box) -> Locator:
        """The job's row in the table."""
        self.page.goto(f"{self.team_url}/jobs/")
        return self.page.get_by_role("row").filter(has_text=box.title)

    def notice(self, subject: str | re.Pattern[str]) -> Callable[[], bool]:
        """Whether the inbox has one of this subject."""

        def is_there() -> bool:
            self.page.goto(f"{self.url}/inbox/")
            return self.page.get_by_role("listitem").filter(has_text=subject).count() > 0

        return is_there

    def look(self, name: str) -> None:
        """Keeps a picture of the page beside the product's data."""
        self.page.screenshot(path=self.product.data.parent / f"{name}.png", full_page=True)

    def sql(self, statement: str, *values: object) -> list[Any]:
        with (
            contextlib.closing(sqlite3.connect(self.product.data / "db.sqlite3", timeout=60)) as database,
            database,
        ):
            return database.execute(statement, values).fetchall()


class Watch:
    """A window beside the person's, which keeps every text that a part of one page shows: so what is shown for a while only
    is not missed, however late somebody looks for it."""

    KEEP = """(selector) => {
      window.dwShown = [];
      const note = () => {
        const text = document.querySelector(selector)?.textContent.replace(/\\s+/g, " ");
        if (text && text !== dwShown.at(-1)) dwShown.push(text);
      };
      new MutationObserver(note).observe(document.body, {subtree: true, childList: true, characterData: true});
      note();
    }"""

    def __init__(self, visit: Visit, url: str, selector: str) -> None:
        context = visit.page.context
        assert context.browser
        self._own = context.browser.new_context(storage_state=context.storage_state())
        self.page = self._own.new_page()
        self.page.goto(url, timeout=60_000)
        self.page.evaluate(self.KEEP, selector)

    def has_shown(self, *words: re.Pattern[str] | str) -> bool:
        """Whether one of the texts has all of these."""
        texts = self.page.evaluate("dwShown")
        return any(all(re.search(one, text) for one in words) for text in texts)

    def close(self) -> None:
        self._own.close()


class Box:
    """A machine that was launched: its page, its row and what the cloud knows of it."""

    def __init__(self, visit: Visit, title: str, url: str) -> None:
        self.visit, self.title, self.url = visit, title, url
        self.id = url.rstrip("/").split("/")[-1]
        self.key = self.id.replace("-", "")  # as SQLite stores it

    @property
    def uuid(self) -> str:
        (row,) = self.visit.ledger(self.title)
        return str(row["uuid"])

    def row(self, *columns: str) -> Any:
        """These columns of the job; the value itself where it is one."""
        (found,) = self.visit.sql(f"SELECT {', '.join(columns)} FROM jobs_job WHERE id = ?", self.key)
        return found[0] if len(columns) == 1 else found

    def at(self, column: str) -> dt.datetime | None:
        """A moment of the job's row."""
        text = self.row(column)
        return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) if text else None

    def kinds(self) -> list[str]:
        """The kinds of its events, in order."""
        told = "SELECT kind FROM events_event WHERE subject_id = ? ORDER BY id"
        return [kind for (kind,) in self.visit.sql(told, self.id)]

    def runs(self) -> bool:
        """Whether both sides have it running."""
        return self.row("run_running_at") is not None and self.status() == "RUNNING"

    def status(self) -> str:
        """As the cloud has it."""
        return str(self.visit.cloud.job(self.uuid)["status"])

    def due_at(self) -> dt.datetime:
        """The deadline that it was stopped for."""
        return dt.datetime.fromisoformat(json.loads(self.row("stop_evidence"))["deadline_at"])

    def cancelled_at(self) -> dt.datetime | None:
        """When the first cancel reached the ledger."""
        cancels = self.visit.cloud.cancels(self.uuid)
        return moment(cancels[0]["received_ms"]) if cancels else None

    def extend(self) -> None:
        """By half an hour, on its page."""
        page = self.visit.page
        page.goto(self.url)
        page.get_by_role("button", name="Extend 30 min").click()
        expect(page.get_by_text(f"“{self.title}” runs until")).to_be_visible()


@contextlib.contextmanager
def killed(product: Product, *names: str) -> Iterator[None]:
    """These children are dead meanwhile: what would start them again is halted."""
    product.process.send_signal(signal.SIGSTOP)
    try:
        product.send(signal.SIGKILL, *names)
        eventually(lambda: not set(names) & product.sessions().keys(), "they are gone")
        yield
    finally:
        product.process.send_signal(signal.SIGCONT)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def moment(at_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)


@pytest.fixture(name="visit")
def visit_fixture(start: Callable[..., Product], page: Page) -> Visit:
    there = Visit(start().started(), page)
    there.sign_in()
    return there
