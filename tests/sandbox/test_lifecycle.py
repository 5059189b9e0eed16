"""The lives of jobs and runs. The service clock is moved; nothing waits."""

import pytest

from .plain_client import batch, persistent

CREATE, CANCEL = "POST /v1/jobs", "PUT /v1/jobs/{uuid}/cancel"
LLAMA = "01a0114e-e7f8-4e76-a07a-f09fca41e2be"


def job_statuses(control, uuid):
    return [entry["status"] for entry in control.job(uuid)["history"] if entry["run_uuid"] is None]


def run_statuses(control, uuid):
    return [entry["status"] for entry in control.job(uuid)["history"] if entry["run_uuid"]]


def test_a_persistent_job_goes_from_pending_to_running_and_stays(client, control, start, runs_of):
    uuid = start()
    assert job_statuses(control, uuid) == ["PENDING", "ASSIGNED", "RUNNING"]
    assert run_statuses(control, uuid) == ["ASSIGNED", "PREPARING", "RUNNING"]
    control.advance(7 * 86_400)
    job = client.get(f"/v1/jobs/{uuid}").json
    assert job["status"] == "RUNNING"
    assert job["started_at"] > job["created_at"]
    run = runs_of(uuid)[0]
    assert (run["duration_ms"], run["ended_at_ms"]) == (None, None)
    assert run["hourly_rate_usd"] > 0


def test_phases_take_their_typical_time(control, start):
    at = {entry["status"]: entry["at_ms"] for entry in control.job(start())["history"] if entry["run_uuid"]}
    history = control.jobs()[0]
    assert 3_000 <= at["ASSIGNED"] - history["created_ms"] <= 8_000
    assert 9_000 <= at["RUNNING"] - at["PREPARING"] <= 28_000


def test_no_run_before_assignment_and_addresses_come_after_running(client, control, runs_of):
    uuid = client.post("/v1/jobs", persistent()).json["uuid"]
    assert runs_of(uuid) == []
    control.advance(10)
    assert (runs_of(uuid)[0]["status"], runs_of(uuid)[0]["node_urls"]) == ("PREPARING", [])
    seen = set()
    for _ in range(70):
        control.advance(0.5)
        seen.add((runs_of(uuid)[0]["status"], len(runs_of(uuid)[0]["node_urls"])))
    assert seen == {("PREPARING", 0), ("RUNNING", 0), ("RUNNING", 2)}


def test_addresses_name_the_container_port_and_carry_a_random_outer_one(start, runs_of):
    urls = {url["description"]: url for url in runs_of(start())[0]["node_urls"]}
    assert set(urls) == {"ssh", "8080"}
    assert all(20_000 <= url["port"] < 60_000 for url in urls.values())
    assert all((url["protocol"], url["tls"]) == ("tcp", False) for url in urls.values())


@pytest.mark.parametrize(
    ("docker", "expected"),
    [
        ({"ports": None}, {"ssh"}),
        ({"ports": [8080]}, set()),
        ({"ports": [8000], "sshkey": "", "image": "ghcr.io/acme/vllm"}, {"8000"}),
    ],
)
def test_ports_replace_the_default_and_need_22_for_ssh(start, runs_of, docker, expected):
    run = runs_of(start(persistent(docker=docker)))[0]
    assert run["status"] == "RUNNING"
    assert {url["description"] for url in run["node_urls"]} == expected


@pytest.mark.parametrize(
    ("docker", "status", "reason"),
    [
        ({}, "COMPLETED", ""),
        ({"image": "acme/always-fail"}, "FAILED", "Container exited with code 1"),
        ({"env": {"SANDBOX_RUN_S": "5", "SANDBOX_EXIT_CODE": "3"}}, "FAILED", "Container exited with code 3"),
        ({"image": "acme/no-such-image"}, "FAILED", "Image not found: acme/no-such-image:latest"),
    ],
)
def test_a_batch_job_ends_by_itself(client, control, docker, status, reason):
    uuid = client.post("/v1/jobs", batch(docker=docker)).json["uuid"]
    control.advance(300)
    job = client.get(f"/v1/jobs/{uuid}").json
    assert (job["status"], job["status_reason"]) == (status, reason)
    assert job["completed_at"]


def test_a_batch_job_fails_at_its_run_timeout(client, control, start):
    uuid = start(batch(max_timeout_run_ms=60_000, docker={"image": "acme/long"}))
    control.advance(120)
    assert client.get(f"/v1/jobs/{uuid}").json["status"] == "FAILED"
    assert 60.0 <= control.billing(uuid)[0]["billed_s"] <= 100
    assert run_statuses(control, uuid)[-2:] == ["FAILING", "FAILED"]


def test_a_vendor_base_image_without_ssh_key_exits_at_once(client, start):
    job = client.get(f"/v1/jobs/{start(persistent(docker={'sshkey': ''}))}").json
    assert (job["status"], job["status_reason"]) == ("FAILED", "Container exited with code 127")


def test_a_stuck_preparation_fails_at_the_start_timeout_and_is_retried(client, control, runs_of):
    control.add_fault(CREATE, "stuck_preparing", times=1, runs=1)
    uuid = client.post("/v1/jobs", persistent(max_retry_count=1)).json["uuid"]
    control.advance(200)
    assert [run["status"] for run in runs_of(uuid)] == ["PREPARING"]
    control.advance(300)
    assert [run["status"] for run in runs_of(uuid)] == ["RUNNING", "FAILED"]
    assert client.get(f"/v1/jobs/{uuid}").json["status"] == "RUNNING"
    other = client.post("/v1/jobs", persistent()).json["uuid"]
    control.advance(60)
    assert client.get(f"/v1/jobs/{other}").json["status"] == "RUNNING"


def test_a_job_nobody_can_take_fails_at_the_assign_timeout(client, control):
    uuid = client.post("/v1/jobs", persistent(gpu_name="H200")).json["uuid"]
    control.advance(299)
    assert client.get(f"/v1/jobs/{uuid}").json["status"] == "PENDING"
    control.advance(5)
    assert job_statuses(control, uuid) == ["PENDING", "FAILED"]
    later = client.post("/v1/jobs", persistent(gpu_name="NVIDIA GeForce RTX 4090")).json["uuid"]
    control.advance(60)
    assert job_statuses(control, later)[-1] == "RUNNING"


def test_a_node_that_becomes_free_is_taken(client, control):
    uuid = client.post("/v1/jobs", persistent(gpu_name="H200")).json["uuid"]
    control.advance(60)
    control.set_offer("h200", nodes=1)
    control.advance(60)
    assert job_statuses(control, uuid)[-1] == "RUNNING"


def test_regions_of_job_and_profile_restrict_the_node(client, control, runs_of):
    control.set_regions("demo-north", ["eu-central-1", "us-east-1"])
    body = persistent(gpu_name="RTX 5090", allowed_region_codes=["eu-central-1", "ap-northeast-1"])
    uuid = client.post("/v1/jobs", body).json["uuid"]
    control.advance(60)
    assert "eu-central-1" in runs_of(uuid)[0]["node_urls"][0]["hostname"]


def test_several_nodes_give_several_runs(client, control, runs_of):
    uuid = client.post("/v1/jobs", batch(max_node_count=3)).json["uuid"]
    control.advance(60)
    assert len(runs_of(uuid)) == 3
    control.advance(120)
    assert {run["status"] for run in runs_of(uuid)} == {"COMPLETED"}
    assert client.get(f"/v1/jobs/{uuid}").json["status"] == "COMPLETED"


def test_a_pending_job_is_cancelled_at_once_and_a_running_one_in_seconds(client, control, start):
    uuid = client.post("/v1/jobs", persistent()).json["uuid"]
    assert client.cancel(uuid).json["status"] == "CANCELLED"
    uuid = start()
    answer = client.cancel(uuid, "too expensive").json
    assert (answer["status"], answer["status_reason"]) == ("CANCELLING", "too expensive")
    assert client.cancel(uuid).status == 200
    control.advance(4)
    assert client.get(f"/v1/jobs/{uuid}").json["status"] == "CANCELLED"
    finished = client.cancel(uuid)
    assert (finished.status, finished.code) == (409, "job_already_finished")
    assert [row["effect"] for row in control.cancels(uuid)] == ["taken", "repeated", "finished"]
    assert control.job(uuid)["runs"][0]["status"] == "CANCELLED"


def test_a_dropped_cancel_says_yes_and_does_nothing(client, control, start):
    uuid = start()
    control.add_fault(CANCEL, "cancel_dropped", times=2)
    for _ in range(2):
        assert client.cancel(uuid).json["status"] == "CANCELLING"
        control.advance(60)
        assert client.get(f"/v1/jobs/{uuid}").json["status"] == "RUNNING"
    client.cancel(uuid)
    control.advance(4)
    assert client.get(f"/v1/jobs/{uuid}").json["status"] == "CANCELLED"


def test_slow_endless_and_refused_cancels(client, control, start):
    slow, endless, refused = start(persistent(title="slow")), start(persistent(title="endless")), start()
    control.add_fault(CANCEL, "cancel_slow", seconds=90, title="slow")
    control.add_fault(CANCEL, "cancel_slow", title="endless")
    control.add_fault(CANCEL, "cancel_status", times=1, status=404, title="dev")
    assert client.cancel(refused).status == 404
    client.cancel(slow)
    client.cancel(endless)
    control.advance(80)
    assert client.get(f"/v1/jobs/{slow}").json["status"] == "CANCELLING"
    control.advance(11)
    assert client.get(f"/v1/jobs/{slow}").json["status"] == "CANCELLED"
    control.advance(86_400)
    assert client.get(f"/v1/jobs/{endless}").json["status"] == "CANCELLING"
    assert client.get(f"/v1/jobs/{refused}").json["status"] == "RUNNING"


def test_a_six_gpu_node_costs_six_times_the_rate(control, start, runs_of):
    control.add_fault(CREATE, "six_gpu_node", times=1)
    body = persistent(gpu_registry_uuid="0198ac1c-7063-4be8-bb94-57a5bd83548e")
    assert runs_of(start(body))[0]["hourly_rate_usd"] == 4.14
    assert runs_of(start(body))[0]["hourly_rate_usd"] == 0.69


def test_a_dead_node_keeps_its_status_for_a_while_and_its_log_stands_still(client, control, start, runs_of):
    uuid = start(persistent(docker={"image": "dispersednetwork/pytorch-pytorch"}))
    control.kill_node(uuid, lag_s=100)
    path = f"/v1/job-runs/{runs_of(uuid)[0]['uuid']}"
    before = client.get(path).json
    control.advance(60)
    after = client.get(path).json
    assert after["status"] == "RUNNING"
    assert after["logs"] == before["logs"]
    control.advance(60)
    job = client.get(f"/v1/jobs/{uuid}").json
    assert (job["status"], job["status_reason"]) == ("FAILED", "Node lost")


def test_a_lost_run_comes_back_as_a_second_run(client, control, start, runs_of):
    control.add_fault(CREATE, "run_lost", times=1, phase="RUNNING", after_s=2)
    uuid = start()
    control.advance(60)
    assert [run["status"] for run in runs_of(uuid)] == ["RUNNING", "FAILED"]


@pytest.mark.parametrize(
    ("kind", "params", "status", "urls"),
    [
        ("exit_at_once", {"exit_code": 2}, "FAILED", 0),
        ("exit_at_once", {"exit_code": 0}, "COMPLETED", 0),
        ("image_not_found", {}, "FAILED", 0),
        ("stuck_pending", {}, "PENDING", 0),
        ("empty_node_urls", {}, "RUNNING", 0),
        ("node_death", {"after_s": 1, "lag_s": 1}, "FAILED", 0),
    ],
)
def test_faults_in_the_life_of_a_job(client, control, start, runs_of, kind, params, status, urls):
    control.add_fault(CREATE, kind, times=1, **params)
    uuid = start()
    assert client.get(f"/v1/jobs/{uuid}").json["status"] == status
    assert sum(len(run["node_urls"]) for run in runs_of(uuid) if run["status"] == "RUNNING") == urls


def test_cooking_without_connection_fields_leads_into_the_known_trap(client, control, runs_of):
    path = f"/v1/job-recipes/{LLAMA}/cook"
    trapped = client.post(path, {}).json
    inner = {"sshkey": "ssh-ed25519 AAAA x", "ports": [22, 5000]}
    fine = client.post(path, {"title": "mine", "parameters": {"type": "docker", "parameters": inner}}).json
    assert (trapped["source_recipe_uuid"], fine["title"]) == (LLAMA, "mine")
    assert "llama" in fine["parameters"]["parameters"]["image"]
    control.advance(700)
    assert (runs_of(trapped["uuid"])[0]["status"], runs_of(trapped["uuid"])[0]["node_urls"]) == (
        "RUNNING",
        [],
    )
    assert {u["description"] for u in runs_of(fine["uuid"])[0]["node_urls"]} == {"ssh", "5000"}
    assert runs_of(fine["uuid"])[0]["container_access_tokens"][0]["token"]


def test_recipes_are_listed_and_read(client):
    official = client.get("/v1/job-recipes", **{"filter[is_official]": "true", "limit": 50}).json
    assert LLAMA in {recipe["uuid"] for recipe in official["data"]}
    assert client.get(f"/v1/job-recipes/{LLAMA}").json["payload"]["task"] == "PERSISTENT"
    assert client.get("/v1/job-recipes/0").status == 404
    assert client.post(f"/v1/job-recipes/{LLAMA}/cook", {"gpu_count": -1}).status == 400
