"""What the ledger bills, holds and captures."""

import pytest

from .plain_client import batch, persistent


def test_a_run_is_billed_by_the_millisecond_until_it_is_cancelled(client, control, start, runs_of):
    uuid = start(persistent(gpu_registry_uuid="0198ac1c-7063-4be8-bb94-57a5bd83548e"))
    control.advance(3_600 * 5)
    client.cancel(uuid)
    control.advance(60)
    run, bill = runs_of(uuid)[0], control.billing(uuid)[0]
    history = control.job(uuid)["history"]
    ended = next(e["at_ms"] for e in history if e["run_uuid"] and e["status"] == "CANCELLED")
    assert run["ended_at_ms"] == ended
    assert bill["billed_ms"] == run["duration_ms"] == ended - run["started_at_ms"]
    assert bill["billed_usd"] == pytest.approx(bill["billed_ms"] * 0.69 / 3_600_000, abs=2e-6)
    control.advance(3_600)
    assert control.billing(uuid)[0] == bill


def test_captures_add_up_to_the_bill_and_holds_are_released(client, control, start, runs_of):
    uuid = start()
    control.advance(3_600 * 2.5)
    me = client.get("/v1/users/me").json["uuid"]
    run = runs_of(uuid)[0]["uuid"]
    query = {"filter[job_run_uuid]": run, "limit": 50}
    holds = client.get("/v1/compute/ledger/authorizations", **query).json["data"]
    assert [hold["status"] for hold in holds] == ["OPEN", "CLOSED"]
    client.cancel(uuid)
    control.advance(10)
    captures = client.get("/v1/compute/ledger/transactions", **query).json["data"]
    assert {capture["type"] for capture in captures} == {"CAPTURE"}
    billed = control.billing(uuid)[0]["billed_usd"]
    assert sum(capture["amount_usd"] for capture in captures) == pytest.approx(billed, abs=1e-6)
    query["filter[status]"] = "OPEN"
    assert client.get("/v1/compute/ledger/authorizations", **query).json["total"] == 0
    balance = client.get(f"/v1/accounts/{me}/balance").json["available_balance"]
    assert balance == pytest.approx(500 - billed, abs=1e-6)


def test_captures_happen_on_the_fly(client, control, start):
    start()
    before = client.get("/v1/compute/ledger/transactions").json["total"]
    control.advance(301)
    assert client.get("/v1/compute/ledger/transactions").json["total"] > before


def test_a_hold_lowers_the_balance_while_a_run_lives(client, control):
    before = control.balances()["demo-north"]
    client.post("/v1/jobs", batch(gpu_registry_uuid="0198ac1c-7063-4be8-bb94-57a5bd83548e"))
    control.advance(10)
    assert control.balances()["demo-north"] == pytest.approx(before - 0.69)


def test_a_used_up_balance_refuses_new_jobs_and_leaves_old_ones(client, control, start):
    uuid = start()
    control.set_balance("demo-north", 0)
    refused = client.post("/v1/jobs", persistent())
    assert (refused.status, refused.code) == (402, "insufficient_balance")
    assert len(control.jobs()) == 1
    assert client.get(f"/v1/jobs/{uuid}").json["status"] == "RUNNING"
    control.set_balance("demo-north", 10)
    assert client.post("/v1/jobs", persistent()).status == 201


def test_each_attempt_has_its_own_bill(control, client, runs_of):
    control.add_fault("POST /v1/jobs", "run_lost", times=1)
    uuid = client.post("/v1/jobs", batch()).json["uuid"]
    control.advance(300)
    bills = control.billing(uuid)
    assert [bill["status"] for bill in bills] == ["FAILED", "COMPLETED"]
    assert all(bill["captured_usd"] == bill["billed_usd"] > 0 for bill in bills)
