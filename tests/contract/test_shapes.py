"""Answers in other shapes than usual, all of them seen or to be feared: they are read as what they mean."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from dispersed_web.dispersed import BadReply, Client, Page, is_terminal
from dispersed_web.sandbox.control import Control

from .test_faults import LLAMA

pytestmark = pytest.mark.usefixtures("life")

LISTS: dict[str, Callable[[Client], Page[Any]]] = {
    "GET /v1/jobs": lambda c: c.list_jobs(),
    "GET /v1/job-runs": lambda c: c.list_job_runs(),
    "GET /v1/job-recipes": lambda c: c.list_job_recipes(),
    "GET /v1/gpu-registry": lambda c: c.list_gpus(),
    "GET /v1/compute/offers": lambda c: c.list_offers(),
    "GET /v1/compute/ledger/transactions": lambda c: c.list_transactions(),
    "GET /v1/compute/ledger/authorizations": lambda c: c.list_authorizations(),
}
SINGLE: dict[str, Callable[[Client], Any]] = {
    "GET /v1/jobs/{uuid}": lambda c: c.get_job(c.list_jobs().items[-1].uuid),
    "GET /v1/job-runs/{uuid}": lambda c: c.get_job_run(c.list_job_runs().items[-1].uuid),
    "GET /v1/job-recipes/{uuid}": lambda c: c.get_job_recipe(LLAMA),
    "GET /v1/users/me": lambda c: c.me(),
    "GET /v1/accounts/{uuid}/balance": lambda c: c.balance(c.me().uuid),
}
READS = {**LISTS, **SINGLE}


def as_values(found: Any) -> Any:
    """What was read, without the moment at which prices were quoted."""
    items = found.items if isinstance(found, Page) else (found,)
    return [{k: v for k, v in dataclasses.asdict(item).items() if k != "quoted_at"} for item in items]


def money_aside(values: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what moves between two reads."""
    return [{k: v for k, v in item.items() if k not in ("available", "logs")} for item in values]


@pytest.mark.parametrize("endpoint", READS)
@pytest.mark.parametrize("kind", ["numbers_as_text", "unknown_fields"])
def test_numbers_as_text_and_new_fields_change_nothing(
    client: Client, control: Control, endpoint: str, kind: str
) -> None:
    plain = as_values(READS[endpoint](client))
    assert plain
    rule = control.add_fault(endpoint, kind)
    assert money_aside(as_values(READS[endpoint](client))) == money_aside(plain)
    assert next(each["fired"] for each in control.faults() if each["id"] == rule) == 1


@pytest.mark.parametrize("endpoint", LISTS)
def test_a_bare_list_is_read_without_a_total(client: Client, control: Control, endpoint: str) -> None:
    plain = as_values(LISTS[endpoint](client))
    control.add_fault(endpoint, "bare_list")
    page = LISTS[endpoint](client)
    assert page.total is None
    assert as_values(page) == plain


@pytest.mark.parametrize("endpoint", ["GET /v1/jobs", "GET /v1/job-runs"])
def test_a_date_without_a_time_is_read_as_its_day(client: Client, control: Control, endpoint: str) -> None:
    plain = LISTS[endpoint](client).items
    control.add_fault(endpoint, "dates_without_time")
    for exact, day in zip(plain, LISTS[endpoint](client).items, strict=True):
        assert day.created_at == dt.datetime.combine(exact.created_at.date(), dt.time(0), dt.UTC)


@pytest.mark.parametrize("endpoint", ["GET /v1/jobs", "GET /v1/job-runs"])
def test_a_status_nobody_knows_has_not_ended(client: Client, control: Control, endpoint: str) -> None:
    control.add_fault(endpoint, "unknown_status", status="HIBERNATING")
    for item in LISTS[endpoint](client):
        assert item.status == "HIBERNATING"
        assert not is_terminal(item.status)


@pytest.mark.parametrize("endpoint", LISTS)
def test_an_object_without_an_identifier_spoils_its_page(
    client: Client, control: Control, endpoint: str
) -> None:
    if endpoint == "GET /v1/compute/offers":  # offers have another one
        return
    control.add_fault(endpoint, "no_uuid")
    with pytest.raises(BadReply, match="without uuid"):
        LISTS[endpoint](client)


@pytest.mark.parametrize("kind", ["void_page", "no_uuid", "bad_json", "html_body"])
def test_a_complete_listing_is_all_or_nothing(client: Client, control: Control, kind: str) -> None:
    control.seed_jobs(70)
    assert len(client.complete_jobs()) == 73
    first_page = control.requests(path="/v1/jobs", method="GET")[-2]
    assert "page=1" in first_page["query"]
    for at_page in (1, 2):
        rule = control.add_fault("GET /v1/jobs", kind, times=at_page)
        with pytest.raises(BadReply):
            client.complete_jobs()
        control.clear_faults(rule)


def test_a_bare_list_of_many_pages_is_read_to_its_end(client: Client, control: Control) -> None:
    control.seed_jobs(70)
    control.add_fault("GET /v1/jobs", "bare_list")
    assert len(client.complete_jobs()) == 73


def test_an_empty_list_that_lies_cannot_be_told_from_a_true_one(client: Client, control: Control) -> None:
    """Why absence is never believed from one listing."""
    control.add_fault("GET /v1/jobs", "empty_list", times=1)
    assert client.complete_jobs() == []
    assert len(client.complete_jobs()) == 3
