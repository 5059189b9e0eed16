"""Lists: envelope, paging, filters, who sees what."""

import pytest

from dispersed_web.sandbox import DEMO_KEYS

from .plain_client import batch, persistent

STRANGE = "01a04047-3a57-4aac-aa54-3083e126f509"


def make(client, control, count, **changes):
    made = []
    for index in range(count):
        made.append(client.post("/v1/jobs", persistent(title=f"job {index}", **changes)).json["uuid"])
        control.advance(0.01)
    return made


def test_the_envelope_pages_newest_first_by_default(client, control):
    made = make(client, control, 5)
    first = client.get("/v1/jobs", limit=2).json
    assert {name: first[name] for name in ("limit", "page", "total")} == {"limit": 2, "page": 1, "total": 5}
    assert [job["uuid"] for job in first["data"]] == [made[4], made[3]]
    assert [job["uuid"] for job in client.get("/v1/jobs", limit=2, page=3).json["data"]] == [made[0]]
    assert client.get("/v1/jobs", limit=2, page=4).json["data"] == []
    ascending = client.get("/v1/jobs", sort="created_at").json
    assert [job["uuid"] for job in ascending["data"]] == made
    assert ascending["limit"] == 20


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 51},
        {"limit": "ten"},
        {"page": 0},
        {"sort": "title"},
        {"filter[status]": "SLEEPING"},
        {"filter[colour]": "red"},
        {"filter[cpu_count]": "few"},
        {"filter[cpu_count]": "1,2,3"},
        {"filter[created_at]": "yesterday"},
    ],
)
def test_a_query_that_is_not_documented_is_refused(client, query):
    assert client.get("/v1/jobs", **query).code == "validation_error"


def test_filters_really_filter(client, control):
    small, big = make(client, control, 1, cpu_count=2)[0], make(client, control, 1, cpu_count=16)[0]
    task = client.post("/v1/jobs", batch()).json["uuid"]
    client.cancel(small)

    def found(**query):
        return {job["uuid"] for job in client.get("/v1/jobs", **query).json["data"]}

    assert found(**{"filter[status]": "CANCELLED"}) == {small}
    assert found(**{"filter[status]": "PENDING,RUNNING"}) == {big, task}
    assert found(**{"filter[task]": "BATCH"}) == {task}
    assert found(**{"filter[uuid]": f"{small},{task}"}) == {small, task}
    assert found(**{"filter[cpu_count]": "2"}) == {small}
    assert found(**{"filter[cpu_count]": "1,16"}) == {small, big}
    assert found(**{"filter[cpu_count]": "3,"}) == {big}
    assert found(**{"filter[created_at]": "2020-01-01,2021-01-01"}) == set()
    assert found(**{"filter[created_at]": "2020-01-01,2099-01-01"}) == {small, big, task}


def test_another_account_sees_nothing_and_gets_404(start, stranger, runs_of):
    uuid = start()
    run = runs_of(uuid)[0]["uuid"]
    for path in (f"/v1/jobs/{uuid}", f"/v1/job-runs/{run}", f"/v1/jobs/{STRANGE}"):
        assert stranger.get(path).status == 404
    assert stranger.cancel(uuid).status == 404
    for path in ("/v1/jobs", "/v1/job-runs", "/v1/compute/ledger/authorizations"):
        assert stranger.get(path).json["total"] == 0


def test_two_keys_of_one_account_see_the_same_jobs(client, control):
    control.add_key("pk_sim_second", "sk_sim_second", DEMO_KEYS[0][2])
    uuid = make(client, control, 1)[0]
    client.public, client.secret = "pk_sim_second", "sk_sim_second"
    assert client.get(f"/v1/jobs/{uuid}").status == 200


def test_a_listing_lag_hides_young_jobs_from_lists_only(client, control):
    control.set_listing_lag(30)
    uuid = make(client, control, 1)[0]
    assert client.get("/v1/jobs").json["total"] == 0
    assert client.get(f"/v1/jobs/{uuid}").status == 200
    control.advance(31)
    assert client.get("/v1/jobs").json["total"] == 1


def test_runs_are_listed_without_logs_and_read_with_them(client, start, runs_of):
    uuid, other = start(), start()
    run = runs_of(uuid)[0]
    assert run["object"] == "job_run"
    assert (run["job_uuid"], run["job_snapshot"]["uuid"]) == (uuid, uuid)
    assert "logs" not in run
    assert "Server listening on 0.0.0.0 port 22." in client.get(f"/v1/job-runs/{run['uuid']}").json["logs"]
    assert {
        r["job_uuid"] for r in client.get("/v1/job-runs", **{"filter[status]": "RUNNING"}).json["data"]
    } == {
        uuid,
        other,
    }


def test_the_market_knows_the_figures_of_the_field(client):
    everything = client.get("/v1/gpu-registry", limit=50).json
    gpus = {gpu["name"]: gpu["uuid"] for gpu in everything["data"]}
    assert gpus["NVIDIA RTX 5090"] == "0198ac1c-7063-4be8-bb94-57a5bd83548e"
    assert not any("A6000" in name for name in gpus)
    query = {"filter[gpu_registry_uuid]": gpus["NVIDIA RTX 5090"], "limit": 50}
    offers = client.get("/v1/compute/offers", **query).json["data"]
    prices = {(o["region_code"], o["hardware_summary"]["gpu_count"]): o["pricing"] for o in offers}
    assert prices["us-east-1", 1]["hourly_rate_usd"] == 0.69
    assert prices["us-east-1", 6]["hourly_rate_usd"] == 4.14
    assert prices["us-east-1", 1]["quoted_at"].endswith("Z")
    offers = client.get("/v1/compute/offers", limit=50).json["data"]
    assert any("A6000" in o["hardware_summary"]["gpu_model_label"] for o in offers)
    assert any(o["availability"]["available_nodes"] == 0 for o in offers)
    free = client.get("/v1/gpu-registry", **{"filter[only_available]": "true", "limit": 50}).json
    assert 0 < free["total"] < everything["total"]


def test_offers_are_filtered_by_size_and_region(client, control):
    def found(**query):
        return client.get("/v1/compute/offers", limit=50, **query).json["data"]

    assert {o["region_code"] for o in found(**{"filter[allowed_region_codes]": "us-west-2,eu-west-1"})} == {
        "us-west-2",
        "eu-west-1",
    }
    assert all(o["hardware_summary"]["min_gpu_vram_gib"] >= 80 for o in found(**{"filter[min_vram_gb]": 80}))
    assert {o["hardware_summary"]["gpu_count"] for o in found(**{"filter[gpu_count]": 8})} == {8}
    assert {
        o["hardware_summary"]["gpu_models"][0]["name"]
        for o in found(**{"filter[gpu_name]": "nvidia rtx 3090"})
    } == {"RTX 3090"}


def test_prices_move_a_little_now_and_then(control):
    def prices():
        return {o["offer_id"]: o["hourly_rate_usd"] for o in control.market()}

    seen = [prices()]
    for _ in range(6):
        control.advance(600)
        seen.append(prices())
    moved = {offer for offer in seen[0] if len({p[offer] for p in seen}) > 1}
    assert moved
    assert "rtx-5090-x1-us-east-1" not in moved
    assert all(abs(max(p[o] for p in seen) / min(p[o] for p in seen) - 1) < 0.03 for o in moved)


def test_account_endpoints(client, stranger):
    me = client.get("/v1/users/me").json
    assert "@" in me["email"]
    balance = client.get(f"/v1/accounts/{me['uuid']}/balance").json
    assert balance == {"available_balance": 500.0, "currency": "USD"}
    assert stranger.get(f"/v1/accounts/{me['uuid']}/balance").status == 404
    profile = client.get("/v1/consumer-profiles").json["data"][0]
    assert profile["account_uuid"] == me["uuid"]
