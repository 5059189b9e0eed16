"""What the client reads, endpoint by endpoint. Nothing here changes anything, so it may run against the real service."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import TypeVar

import pytest

from dispersed_web.dispersed import Client, Job, JobRun, NotFound, is_terminal

pytestmark = pytest.mark.usefixtures("life")
T = TypeVar("T")


def some(items: Sequence[T], what: str) -> Sequence[T]:
    """The items; without any there is nothing to check on this account."""
    if not items:
        pytest.skip(f"the account has no {what}")
    return items


@pytest.fixture
def jobs(client: Client) -> Sequence[Job]:
    return some(client.list_jobs().items, "jobs")


@pytest.fixture
def runs(client: Client) -> Sequence[JobRun]:
    return some(client.list_job_runs().items, "job runs")


def test_the_key_belongs_to_somebody_with_a_balance(client: Client) -> None:
    me = client.me()
    balance = client.balance(me.uuid)
    assert "@" in me.email
    assert balance.available is not None
    assert len(balance.currency) == 3


def test_jobs_come_newest_first_in_pages(client: Client, jobs: Sequence[Job]) -> None:
    times = [job.created_at for job in jobs if job.created_at]
    assert times == sorted(times, reverse=True)
    first = client.list_jobs(limit=1)
    assert (len(first), first.page, first.limit) == (1, 1, 1)
    assert first.total is None or first.total >= len(jobs)
    if len(jobs) > 1:
        assert client.list_jobs(limit=1, page=2).items[0].uuid == jobs[1].uuid


def test_the_other_order_begins_with_the_oldest(client: Client, jobs: Sequence[Job]) -> None:
    times = [job.created_at for job in client.list_jobs(sort="created_at") if job.created_at]
    assert times == sorted(times)


def test_a_complete_listing_has_every_job_once(client: Client, jobs: Sequence[Job]) -> None:
    month_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    uuids = [job.uuid for job in client.complete_jobs(older_than=month_ago)]
    assert len(uuids) == len(set(uuids))
    assert {job.uuid for job in jobs if job.created_at and job.created_at >= month_ago} <= set(uuids)


def test_a_page_behind_the_last_is_empty(client: Client) -> None:
    assert client.list_jobs(page=10_000).items == ()


def test_jobs_are_filtered(client: Client, jobs: Sequence[Job]) -> None:
    newest = jobs[0]
    assert [job.uuid for job in client.list_jobs(uuid=newest.uuid)] == [newest.uuid]
    assert {job.task for job in client.list_jobs(task=newest.task)} == {newest.task}
    ended = client.list_jobs(statuses=["COMPLETED", "FAILED", "CANCELLED"])
    assert all(is_terminal(job.status) for job in ended)
    assert {job.uuid for job in jobs if is_terminal(job.status)} <= {
        job.uuid for job in ended
    } or ended.total is None


def test_jobs_are_filtered_by_the_time_of_creation(client: Client, jobs: Sequence[Job]) -> None:
    oldest = jobs[-1].created_at
    assert oldest is not None
    day = dt.timedelta(days=1)
    assert jobs[-1].uuid in [
        job.uuid for job in client.list_jobs(created_after=oldest - day, created_before=oldest + day)
    ]
    assert client.list_jobs(created_before=dt.datetime(2001, 1, 1, tzinfo=dt.UTC)).items == ()


def test_one_job_is_what_the_list_shows(client: Client, jobs: Sequence[Job]) -> None:
    ended = next((job for job in jobs if is_terminal(job.status)), jobs[0])
    alone = client.get_job(ended.uuid)
    assert (alone.uuid, alone.title, alone.task, alone.created_at) == (
        ended.uuid,
        ended.title,
        ended.task,
        ended.created_at,
    )
    assert alone.status == ended.status or not is_terminal(ended.status)


def test_an_unknown_job_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound) as caught:
        client.get_job(str(uuid.uuid4()))
    assert caught.value.status == 404
    assert "404" in caught.value.sentence


def test_runs_belong_to_jobs_and_have_a_price(client: Client, runs: Sequence[JobRun]) -> None:
    for run in runs:
        assert run.logs is None  # only a single run has logs
        assert run.hourly_rate_usd is None or run.hourly_rate_usd > 0
        if run.started_at and run.ended_at:
            assert run.ended_at >= run.started_at
    newest = runs[0]
    assert client.get_job(newest.job_uuid).uuid == newest.job_uuid
    of_job = client.complete_job_runs(newest.job_uuid)
    assert {run.job_uuid for run in of_job} == {newest.job_uuid}
    assert newest.uuid in {run.uuid for run in of_job}


def test_the_address_is_on_the_run(runs: Sequence[JobRun]) -> None:
    urls = some([url for run in runs for url in run.node_urls], "runs with an address")
    for url in urls:
        assert url.container_port is not None, url.description


def test_a_single_run_has_its_logs(client: Client, runs: Sequence[JobRun]) -> None:
    alone = client.get_job_run(runs[-1].uuid)
    assert (alone.uuid, alone.job_uuid) == (runs[-1].uuid, runs[-1].job_uuid)
    assert alone.logs


def test_runs_are_filtered_by_status(client: Client, runs: Sequence[JobRun]) -> None:
    running = client.list_job_runs(statuses=["RUNNING"])
    assert {run.status for run in running} <= {"RUNNING"}
    assert [run.uuid for run in runs if run.status == "RUNNING"] == [run.uuid for run in running]


def test_recipes_of_the_vendor(client: Client) -> None:
    recipes = some(client.list_job_recipes(official=True).items, "official recipes")
    assert all(recipe.is_official for recipe in recipes)
    alone = client.get_job_recipe(recipes[0].uuid)
    assert (alone.name, alone.payload) == (recipes[0].name, recipes[0].payload)
    assert alone.payload.image
    assert alone.payload.task in ("BATCH", "PERSISTENT")


def test_gpus_can_be_named(client: Client) -> None:
    gpus = client.list_gpus().items
    assert gpus
    assert len({gpu.uuid for gpu in gpus}) == len(gpus)
    assert {gpu.uuid for gpu in client.list_gpus(only_available=True)} <= {gpu.uuid for gpu in gpus}
    large = client.list_gpus(min_vram_gb=40).items
    assert len(large) < len(gpus)
    assert all(gpu.vram_gb is None or gpu.vram_gb >= 40 for gpu in large)


def test_offers_have_prices(client: Client) -> None:
    offers = client.list_offers().items
    assert offers
    for offer in offers:
        assert offer.hourly_rate_usd, offer.offer_id
        assert offer.region_code
        assert offer.gpu_label
        assert offer.availability


def test_offers_of_one_gpu(client: Client) -> None:
    registered = {gpu.uuid for gpu in client.list_gpus()}
    wanted = next(
        offer.gpu_registry_uuid for offer in client.list_offers() if offer.gpu_registry_uuid in registered
    )
    assert {offer.gpu_registry_uuid for offer in client.list_offers(gpu_registry_uuid=wanted)} == {wanted}


def test_the_ledger_names_the_run_of_each_amount(client: Client) -> None:
    booked = some(client.list_transactions().items, "booked amounts")
    held = some(client.list_authorizations().items, "held amounts")
    for entry in (*booked, *held):
        assert entry.amount_usd is not None
        assert entry.job_run_uuid
    assert {
        entry.job_run_uuid for entry in client.list_transactions(job_run_uuid=booked[0].job_run_uuid)
    } == {booked[0].job_run_uuid}


def test_an_old_and_a_repeated_signature_are_refused(client: Client) -> None:
    """What the proof that a launch never arrived rests on."""
    shapes = client.probe_auth()
    assert shapes.window_enforced is True
    assert shapes.stale_time is not None
    assert shapes.reused_nonce is not None
    assert client.clock_offset_ms is not None
