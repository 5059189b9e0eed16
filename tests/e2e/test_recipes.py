"""A newcomer launches three of the starter recipes, end to end, each in a handful of interactions."""

from __future__ import annotations

import re
import sys

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.visit import Visit, visit_fixture  # noqa: F401 - a fixture
from tests.factories import SSH_KEY
from tests.product import start_fixture  # noqa: F401 - a fixture
from tests.waiting import eventually

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
MOST_INTERACTIONS = 6


class Hand:
    """Clicks and types as a person does, and counts it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    def click(self, role: str, name: str | re.Pattern[str]) -> None:
        self.count += 1
        self.page.get_by_role(role, name=name).first.click()

    def type(self, label: str, text: str) -> None:
        self.count += 1
        self.page.get_by_label(label).first.fill(text)


def launch(visit: Visit, recipe: str, key: str = "") -> str:
    """From the first page after sign-in to the job's page."""
    hand = Hand(visit.page)
    visit.page.goto(f"{visit.team_url}/")
    hand.click("link", "Recipes")
    visit.page.wait_for_url("**/recipes/")
    hand.click("link", f"Launch {recipe}")
    visit.page.wait_for_url("**/launch/")
    if key:
        hand.type("SSH key", key)
    visit.look(f"launch-{recipe}")
    hand.click("button", "Launch")
    visit.page.wait_for_url("**/jobs/*/")
    assert hand.count <= MOST_INTERACTIONS
    return visit.page.url


def test_three_starters_are_launched_reached_and_read_by_somebody_new(visit: Visit) -> None:
    page = visit.page
    box = launch(visit, "SSH machine", SSH_KEY)
    comfy = launch(visit, "ComfyUI", SSH_KEY)
    benchmark = launch(visit, "GPU benchmark")

    for address, title, user in ((box, "SSH machine", "duser"), (comfy, "ComfyUI", "duser")):
        page.goto(address)
        expect(page.locator("#job-live")).to_contain_text("Running", timeout=90_000)
        page.get_by_role("button", name="Show how to connect").click(timeout=90_000)
        expect(page.locator("pre[id^=ssh-]").first).to_contain_text(f"{user}@", timeout=60_000)
        visit.look(f"connect-{title}")
        (job,) = visit.ledger(title)
        job = visit.cloud.job(job["uuid"])
        assert job["status"] == "RUNNING"
        assert job["spec"]["parameters"]["parameters"]["sshkey"].split()[1] == SSH_KEY.split()[1]
    expect(page.get_by_text("localhost:8188").first).to_be_visible()

    page.goto(benchmark)
    expect(page.locator("#job-live")).to_contain_text("Completed", timeout=120_000)
    kept = "SELECT 1 FROM jobs_runlog WHERE is_final = 1"
    eventually(lambda: visit.sql(kept), "the log of the ended job is kept")
    page.goto(f"{benchmark}logs/")
    expect(page.locator("#log")).to_contain_text(re.compile("TFLOPS|GB/s|FP16"))
    assert len(visit.ledger("")) == 3
