"""Recipes of the vendor and of one account, and what cooking makes of overrides."""

import pytest

from dispersed_web.sandbox.recipes import OWN, RECIPES

MINE, ARCHIVED = (recipe["uuid"] for recipe in OWN)
LLAMA = RECIPES[0]["uuid"]
SSH = {"sshkey": "ssh-ed25519 AAAA x", "ports": [22]}


def cook(client, uuid, docker=None, **overrides):
    if docker is not None:
        overrides["parameters"] = {"type": "docker", "parameters": docker}
    return client.post(f"/v1/job-recipes/{uuid}/cook", overrides)


def uuids(answer):
    return {recipe["uuid"] for recipe in answer.json["data"]}


def test_an_account_sees_its_own_recipes_and_no_other_does(client, stranger):
    official = {recipe["uuid"] for recipe in RECIPES}
    assert uuids(client.get("/v1/job-recipes")) == official | {MINE, ARCHIVED}
    assert uuids(client.get("/v1/job-recipes", **{"filter[is_official]": "true"})) == official
    assert uuids(client.get("/v1/job-recipes", **{"filter[is_official]": "false"})) == {MINE, ARCHIVED}
    assert uuids(stranger.get("/v1/job-recipes")) == official
    assert stranger.get(f"/v1/job-recipes/{MINE}").status == 404
    assert cook(stranger, MINE).status == 404


def test_every_kind_of_question_is_asked(client):
    asked = client.get(f"/v1/job-recipes/{MINE}").json["input_schema"]
    kinds = {question["type"] for question in asked}
    assert kinds == {"number", "select", "text", "textarea", "boolean", "secret", "dataset_picker"}


def test_overrides_replace_field_by_field_and_null_clears(client):
    job = cook(client, MINE, {"env": {"MODEL": "large"}, "ports": []}, gpu_name=None, min_vram_gb=0).json
    docker = job["parameters"]["parameters"]
    assert (job["gpu_name"], job["min_vram_gb"], job["min_ram_gb"]) == (None, 0, 32)
    assert (docker["env"]["MODEL"], docker["env"]["HF_TOKEN"]) == ("large", "sandbox-hugging-face-token")
    assert (docker["ports"], docker["host"], docker["volumes"][0]["mount"]) == (
        [],
        "registry.example.com",
        "/data",
    )
    assert job["source_recipe_uuid"] == MINE


@pytest.mark.parametrize(
    ("uuid", "overrides", "answer"),
    [
        ("01a0ffff-0000-4000-8000-000000000000", {}, (404, "not_found")),
        (ARCHIVED, {}, (400, "recipe_archived")),
        (MINE, {"gpu_registry_uuid": "0198ac1c-7063-4be8-bb94-57a5bd83548e"}, (400, "validation_error")),
        (LLAMA, {"max_timeout_run_ms": 60_000}, (400, "validation_error")),
        (LLAMA, {"parameters": []}, (400, "validation_error")),
        (
            LLAMA,
            {"parameters": {"type": "docker", "parameters": {"volumes": [3]}}},
            (400, "validation_error"),
        ),
    ],
)
def test_a_cook_is_validated_as_a_create_is(client, control, uuid, overrides, answer):
    refused = cook(client, uuid, **overrides)
    assert (refused.status, refused.code) == answer
    assert control.jobs() == []


def test_the_same_cook_twice_makes_two_jobs(client, control):
    assert [cook(client, LLAMA, SSH, title="one").status for _ in range(2)] == [201, 201]
    assert len(control.jobs()) == 2


@pytest.mark.parametrize("kind", ["stuck_pending", "image_not_found", "empty_node_urls", "exit_at_once"])
def test_a_fault_of_a_jobs_life_takes_a_cooked_one_too(client, control, kind):
    control.add_fault("POST /v1/job-recipes/{uuid}/cook", kind)
    cook(client, LLAMA, SSH)
    assert [rule["fired"] for rule in control.faults()] == [1]
