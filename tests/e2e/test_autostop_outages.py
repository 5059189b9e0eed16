"""Auto-stop while parts of the product are dead or all of it is: every process, a real browser, containers that send real
heartbeats, and the simulated cloud's ledger as the judge."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dispersed_web.autostop.pulse import OUTAGE_AFTER
from dispersed_web.sandbox import Sandbox
from tests.e2e.visit import TIME_SCALE, Box, Visit, killed, now, visit_fixture  # noqa: F401 - a fixture
from tests.product import Product, start_fixture  # noqa: F401 - a fixture
from tests.waiting import eventually

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
MINUTE = dt.timedelta(minutes=1)
# What comes after a wait of minutes.
LONG_S = 300.0
IN_TIME = dt.timedelta(seconds=35)
CELERY_AND_BROKER = ("worker", "beat", "valkey")


# Without Celery and Valkey -------------------------------------------------------------------------------------------


def test_with_celery_and_the_broker_killed_due_stops_arrive_in_time(visit: Visit) -> None:
    visit.store_key()
    idle = visit.box("Forgotten", "idle")
    watch_closely(visit)
    is_heard(idle)
    kept = visit.box("Wanted longer", "training", lifetime="90s")
    brief = visit.box("Over soon", "training", lifetime="90s")
    is_looked_at(idle)
    with killed(visit.product, *CELERY_AND_BROKER):
        taken = sent(idle)
        kept.extend()
        assert brief.cancelled_at() is None
        for box in (brief, idle):
            eventually(box.cancelled_at, f"{box.title} is stopped", LONG_S)
            assert dt.timedelta(0) <= box.cancelled_at() - box.due_at() <= IN_TIME
        assert (brief.row("stop_reason"), idle.row("stop_reason")) == ("max_lifetime", "idle")
        assert sent(idle) >= taken + 3
        assert (kept.cancelled_at(), kept.status()) == (None, "RUNNING")
        eventually(lambda: idle.row("status") == "CANCELLED", "its end is seen")
        assert not visit.product.sessions().keys() & set(CELERY_AND_BROKER)


# After an outage -----------------------------------------------------------------------------------------------------


def test_after_an_outage_nothing_is_stopped_on_old_evidence(
    start: Callable[..., Product], page: Page
) -> None:
    visit = Visit(start().started(), page)
    visit.sign_in()
    visit.store_key()
    idle = visit.box("Forgotten", "idle")
    watch_closely(visit)
    limited = visit.box("At its end", "training", lifetime="30m")
    is_heard(idle)
    is_looked_at(idle)
    eventually(lambda: "job.warned" in idle.kinds(), "the idle one is warned", LONG_S)
    product, back_at = visit.product, now() + OUTAGE_AFTER + dt.timedelta(seconds=5)
    assert idle.at("stop_at") < back_at
    product.stop()
    with cloud_alone(product, visit.cloud_url) as cloud:
        eventually(lambda: cloud.heartbeats(idle.uuid)["error"] == "ConnectionRefusedError", "nobody hears")
        eventually(lambda: now() > back_at, "the time of the idle one passes, and more", LONG_S)
    pass_by(limited, dt.timedelta(minutes=30, seconds=5))
    begun = now()
    visit = Visit(start(port=product.port).started(), page)
    idle, limited = (Box(visit, box.title, box.url) for box in (idle, limited))

    # The hard limit passed meanwhile, and gives notice all the same.
    eventually(lambda: "job.warned" in limited.kinds(), "the one at its end is warned")
    assert limited.at("stop_at") - limited.at("warned_at") >= 5 * MINUTE - dt.timedelta(seconds=1)
    assert limited.at("warned_at") >= begun

    # The idle one is watched anew.
    page.goto(idle.url)
    eventually(lambda: sent(idle) >= 3, "its heartbeats are heard again")
    eventually(lambda: idle.at("stop_at") > begun + 14 * MINUTE, "its idle time begins anew")
    page.reload()
    expect(page.get_by_label("Notices")).to_contain_text("Idleness has been counted anew")
    visit.look("after-an-outage")
    assert "job.called_off" in idle.kinds()
    assert (idle.cancelled_at(), limited.cancelled_at()) == (None, None)


@contextmanager
def cloud_alone(product: Product, url: str) -> Iterator[Any]:
    """The cloud goes on while the product is down, and so do its containers."""
    demo = json.loads((product.data / "secrets/demo.json").read_text())
    keys = [(demo["public_key"], demo["secret_key"], "demo-lab")]
    port = int(url.rpartition(":")[2])
    with Sandbox(product.data / "sandbox", port=port, time_scale=TIME_SCALE, keys=keys) as sandbox:
        yield sandbox.control


def pass_by(box: Box, time: dt.timedelta) -> None:
    """The job was launched so long ago, and has not been looked at lately."""
    moments = (now() - time, now())
    set_moments(box, "launched_at = ?, evaluate_at = ?", *moments)


# What both use --------------------------------------------------------------------------------------------------------


def watch_closely(visit: Visit) -> None:
    """The shortest waits that rows can hold, shorter than the page of the policy allows."""
    short = "mode = 'enforce', observe_until = NULL, boot_grace_s = 1, high_idle_s = 60"
    visit.sql(f"UPDATE teams_autostoppolicy SET {short}")
    assert visit.sql("SELECT count(*) FROM teams_autostoppolicy WHERE boot_grace_s = 1") == [(1,)]


def is_heard(box: Box) -> None:
    """It runs and its heartbeat is taken."""
    eventually(box.runs, f"{box.title} runs")
    buckets = "SELECT 1 FROM signals_bucket JOIN jobs_job ON run_id = current_run_id WHERE jobs_job.id = ?"
    eventually(lambda: box.visit.sql(buckets, box.key), "its heartbeat is taken")


def is_looked_at(box: Box) -> None:
    """By auto-stop at once, which would do so some minutes later."""
    set_moments(box, "evaluate_at = ?", now())


def set_moments(box: Box, changes: str, *moments: dt.datetime) -> None:
    stored = [str(at.replace(tzinfo=None)) for at in moments]
    box.visit.sql(f"UPDATE jobs_job SET {changes} WHERE id = ?", *stored, box.key)


def sent(box: Box) -> int:
    """How many heartbeats of the machine were sent; the last of them must have been taken."""
    pulse = box.visit.cloud.heartbeats(box.uuid)
    assert pulse["status"] in (None, 200), pulse
    return int(pulse["sent"])
