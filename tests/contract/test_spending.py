"""Two jobs from launch to end. Free in the sandbox; against the real service only with ``--spend-real-money``.

Every job carries a word of its own in its title. Whatever becomes of the test, every job with that word is cancelled
afterwards, and the test is over only when the cloud shows all of them ended.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from dispersed_web.dispersed import Client, DispersedError, Job, JobRun, Offer, Rejected, is_terminal

from .clouds import Cloud, once
from .conftest import batch, persistent

pytestmark = pytest.mark.usefixtures("may_spend")
T = TypeVar("T")

MOST_USD_AN_HOUR = Decimal(1)
RUN_AT_MOST_MS = 60_000
START_WITHIN_S = 900
END_WITHIN_S = 300
LOOK_EVERY_S = 5


def wait(cloud: Cloud, seconds: float, look: Callable[[], T | None]) -> T | None:
    """What ``look`` finds, or ``None`` when it finds nothing for so many seconds."""
    for _ in range(int(seconds // LOOK_EVERY_S)):
        found = look()
        if found:
            return found
        cloud.pass_time(LOOK_EVERY_S)
    return look()


@pytest.fixture
def word(cloud: Cloud, client: Client) -> Iterator[str]:
    """A word for the titles of this test's jobs; all of them are stopped in the end."""
    word = f"contract-{secrets.token_hex(6)}"
    yield word
    alive = [f"{job.uuid} ({job.status})" for job in stop_all(cloud, client, word)]
    assert not alive, f"STILL ALIVE, stop them in the console: {', '.join(alive)}"


def stop_all(cloud: Cloud, client: Client, word: str) -> list[Job]:
    """Cancels every live job with the word until none is left, and returns those that do not end in time."""

    def living() -> list[Job]:
        named = [job for job in client.list_jobs() if word in job.title]
        return [
            job
            for job in named
            if not is_terminal(job.status)
            or any(not is_terminal(run.status) for run in client.complete_job_runs(job.uuid))
        ]

    def none_left() -> bool:
        try:
            for job in living():
                if job.status != "CANCELLING":
                    client.cancel_job(job.uuid, "the contract tests clean up")
            return not living()
        except DispersedError as error:
            print(f"cleaning up: {error}")
            return False

    return [] if wait(cloud, END_WITHIN_S, none_left) else living()


@pytest.fixture
def cheapest(client: Client) -> Offer:
    """The cheapest offer of one registered GPU that is free now."""
    registered = {gpu.uuid for gpu in client.list_gpus(only_available=True)}
    offers = [
        offer
        for offer in client.list_offers(gpu_count=1)
        if offer.gpu_registry_uuid in registered
        and offer.hourly_rate_usd
        and offer.availability != "UNAVAILABLE"
    ]
    assert offers, "no GPU is free at the moment"
    offer = min(offers, key=lambda offer: offer.hourly_rate_usd or 0)
    assert offer.hourly_rate_usd is not None
    assert offer.hourly_rate_usd <= MOST_USD_AN_HOUR, f"the cheapest GPU costs ${offer.hourly_rate_usd}/h"
    return offer


def launch(client: Client, body: dict[str, Any], offer: Offer) -> Job:
    exact = {"gpu_registry_uuid": offer.gpu_registry_uuid, "allowed_region_codes": [offer.region_code]}
    job = client.create_job({**body, **exact}, **once(client))
    assert job.status in ("PENDING", "ASSIGNED")
    return job


def run_of(client: Client, job: Job, *statuses: str) -> JobRun | None:
    return next((run for run in client.list_job_runs(job.uuid) if run.status in statuses), None)


def test_a_batch_job_ends_and_is_paid_for(cloud: Cloud, client: Client, cheapest: Offer, word: str) -> None:
    env = {"SANDBOX_RUN_S": "2"}  # the sandbox's images obey it, others ignore it
    body = batch(f"Batch {word}", image="hello-world", max_timeout_run_ms=RUN_AT_MOST_MS, env=env)
    job = launch(client, body, cheapest)
    shown = client.get_job(job.uuid)
    assert (shown.title, shown.task, shown.max_timeout_run_ms) == (f"Batch {word}", "BATCH", RUN_AT_MOST_MS)
    assert shown.max_retry_count in (0, None)

    ended = wait(cloud, START_WITHIN_S, lambda: _ended(client, job))
    assert ended, f"the job {job.uuid} did not end by itself"
    run = run_of(client, job, "COMPLETED", "FAILED", "CANCELLED")
    if run is None:
        pytest.skip(f"no node took the job: {ended.status} {ended.status_reason}")
    assert run.hourly_rate_usd is not None
    assert run.started_at is not None
    assert run.ended_at is not None
    booked = wait(cloud, 120, lambda: client.list_transactions(job_run_uuid=run.uuid).items)
    assert booked
    assert client.get_job_run(run.uuid).logs is not None


def _ended(client: Client, job: Job) -> Job | None:
    seen = client.get_job(job.uuid)
    return seen if is_terminal(seen.status) else None


def test_a_persistent_job_runs_until_it_is_cancelled(
    cloud: Cloud, client: Client, cheapest: Offer, word: str
) -> None:
    body = persistent(f"Persistent {word}", image="nginx", tag="alpine", ports=(22, 80))
    job = launch(client, body, cheapest)
    assert client.get_job(job.uuid).max_timeout_run_ms is None
    run = wait(cloud, START_WITHIN_S, lambda: run_of(client, job, "RUNNING"))
    if run is None:
        pytest.skip("no node ran the job in time")
    assert run.hourly_rate_usd is not None
    assert run.hourly_rate_usd <= MOST_USD_AN_HOUR, "the node is dearer than the offer"

    reached = wait(cloud, 120, lambda: client.get_job_run(run.uuid).node_urls)
    assert reached, "the run has no address"
    assert {url.container_port for url in reached} == {22, 80}
    assert len({(url.hostname, url.port) for url in reached}) == 2

    begun = time.monotonic()
    answer = client.cancel_job(job.uuid, "the contract test is done")
    assert answer is None or answer.status in ("CANCELLING", "CANCELLED")
    ended = wait(cloud, END_WITHIN_S, lambda: _ended(client, job))
    assert ended, f"no end {time.monotonic() - begun:.0f} s after the cancel"
    assert ended.status == "CANCELLED"
    assert all(is_terminal(run.status) for run in client.complete_job_runs(job.uuid))
    with contextlib.suppress(Rejected):  # whether that is an error is not documented
        again = client.cancel_job(job.uuid, "cancelling an ended job does no harm")
        assert again is None or is_terminal(again.status)
