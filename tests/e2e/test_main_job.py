"""The main job, end to end: every process of the product, a real browser, and the simulated cloud's ledger as the judge."""

from __future__ import annotations

import json
import os
import re
import signal
import sys

import pytest
from playwright.sync_api import expect

from tests.e2e.visit import Visit, killed, visit_fixture  # noqa: F401 - a fixture
from tests.product import start_fixture  # noqa: F401 - a fixture
from tests.waiting import eventually

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


def test_a_newcomer_launches_watches_and_stops(visit: Visit) -> None:
    page = visit.page
    visit.store_key()
    batch = visit.launch("Process Dataset")
    short = visit.launch("Development Environment", lifetime="1m", title="Short environment")
    environment = visit.launch("Development Environment")

    # It reaches RUNNING on the page by itself, with a price and the right ssh command.
    expect(page.locator("#job-live")).to_contain_text("Running", timeout=60_000)
    page.get_by_role("button", name="Show how to connect").click(timeout=60_000)
    command = page.locator("pre[id^=ssh-]").first
    expect(command).to_contain_text("duser@", timeout=60_000)
    (job,) = [row for row in visit.ledger("Development Environment") if "Short" not in row["title"]]
    (run,) = visit.cloud.billing(job["uuid"])
    (stored,) = visit.sql("SELECT node_urls FROM jobs_jobrun WHERE remote_uuid = ?", run["run_uuid"])
    (node,) = [url for url in json.loads(stored[0]) if url["container_port"] == 22]
    assert command.inner_text().strip() == f"ssh -p {node['port']} duser@{node['hostname']}"

    # The cost ticks in the browser.
    cost = page.locator("[data-tick=cost]").first
    before = cost.inner_text()
    eventually(lambda: cost.inner_text() != before, "the cost ticks")

    # The table shows all three, and one is stopped by hand from its page.
    page.goto(f"{visit.url}/t/demo-lab/jobs/?show=all")
    for title in ("Process Dataset", "Short environment", "Development Environment"):
        expect(page.get_by_role("link", name=title, exact=True).first).to_be_visible()
    page.goto(environment)
    page.get_by_role("link", name="Stop", exact=True).first.click()
    page.fill("#stop-note", "done for today")
    page.get_by_role("button", name="Stop the job").click()
    eventually(lambda: visit.cloud.job(job["uuid"])["status"] == "CANCELLED", "the ledger shows the end")
    expect(page.locator("#job-live")).to_contain_text("Stopped", timeout=60_000)
    assert visit.cloud.cancels(job["uuid"])

    # The short one is warned about, and stopped by itself.
    (brief,) = visit.ledger("Short environment")
    page.goto(short)
    eventually(lambda: visit.cloud.job(brief["uuid"])["status"] == "CANCELLED", "the lifetime ends", 120)
    expect(page.locator("#job-live")).to_contain_text("lifetime", timeout=60_000)
    told = "SELECT kind FROM events_event WHERE subject_id = ? ORDER BY id"

    def kinds() -> list[str]:
        return [row[0] for row in visit.sql(told, short.split("/")[-2])]

    eventually(lambda: "job.ended" in kinds(), "the end is seen")
    assert kinds().index("job.warned") < kinds().index("job.stop_requested") < kinds().index("job.ended")
    subject = re.compile(r"Stops at .+: Short environment")
    eventually(lambda: subject.search(visit.product.text()), "the warning is mailed")

    # The batch job ends by itself.
    page.goto(batch)
    expect(page.locator("#job-live")).to_contain_text("Completed", timeout=120_000)
    assert [row["status"] for row in visit.ledger("Process Dataset")] == ["COMPLETED"]


def test_processes_killed_between_claim_and_answer_lead_to_no_second_job(visit: Visit) -> None:
    visit.cloud.add_fault("POST /v1/jobs", "stall", times=1, at="after", seconds=600)
    visit.launch("Process Dataset", title="Torn apart")
    eventually(lambda: visit.ledger("Torn apart"), "the request takes effect")
    with killed(visit.product, "worker", "reconcile"):
        assert visit.sql("SELECT status FROM jobs_job") == [("LAUNCHING",)]
        visit.sql("UPDATE jobs_job SET lease_until = '2020-01-01 00:00:00'")  # two minutes pass

    def found() -> bool:
        return bool(visit.sql("SELECT 1 FROM jobs_job WHERE remote_uuid IS NOT NULL"))

    eventually(found, "the job is found by its marker")
    (row,) = visit.ledger("Torn apart")
    assert visit.sql("SELECT remote_uuid FROM jobs_job") == [(row["uuid"],)]
    assert ("job.unconfirmed",) in visit.sql("SELECT kind FROM events_event")


def test_with_the_broker_hung_a_launch_is_taken_sent_and_stopped(visit: Visit) -> None:
    for pid in visit.product.sessions()["valkey"]:
        os.kill(pid, signal.SIGSTOP)
    try:
        visit.launch("Process Dataset", title="Without a broker")
        eventually(lambda: visit.ledger("Without a broker"), "it is sent all the same")
        visit.page.get_by_role("link", name="Stop", exact=True).first.click()
        visit.page.get_by_role("button", name="Stop the job").click()
        (row,) = visit.ledger("Without a broker")
        eventually(
            lambda: visit.cloud.job(row["uuid"])["status"] == "CANCELLED", "it is stopped all the same"
        )
    finally:
        for pid in visit.product.sessions()["valkey"]:
            os.kill(pid, signal.SIGCONT)
