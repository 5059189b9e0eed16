"""Cooking recipes of the cloud: the launch protocol is the same, and nothing that was chosen is left to the recipe."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from dispersed_web.dispersed import RecipePayload, Secret, Volume
from dispersed_web.jobs import cloud_recipes, cooking
from dispersed_web.jobs.errors import FormAlreadyUsed, LaunchRefused
from dispersed_web.jobs.launch import RecipeUse
from dispersed_web.jobs.models import CloudCatalog, Job
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.sandbox.recipes import OWN, RECIPES
from tests import factories
from tests.jobs.world import World

LLAMA, MINE, ARCHIVED = RECIPES[0]["uuid"], OWN[0]["uuid"], OWN[1]["uuid"]
COOK = "POST /v1/job-recipes/{uuid}/cook"


def cooked(world: World, recipe: str = LLAMA, **fields: Any) -> Job:
    return world.send(world.request(world.order(cook_uuid=recipe, **fields), same_again=True))


def spec_of(world: World, job: Job) -> dict[str, Any]:
    found: dict[str, Any] = world.control.job(job.remote_uuid)["spec"]
    return found


def test_a_cooked_job_is_the_recipes_and_ours(world: World) -> None:
    job = cooked(world)
    (row,) = world.in_ledger(job)
    assert (row["recipe_uuid"], row["uuid"]) == (LLAMA, job.remote_uuid)
    assert job.cook_uuid == LLAMA


def test_what_was_chosen_is_sent_with_the_marker_in_three_places(world: World) -> None:
    job = cooked(world, env={"MODEL": "x"}, allowed_ips=("203.0.113.7",), description="for the paper")
    spec = spec_of(world, job)
    docker = spec["parameters"]["parameters"]
    assert (spec["title"], spec["description"]) == (f"Dev {job.marker}", f"for the paper {job.marker}")
    assert (docker["env"]["DW_LAUNCH"], docker["env"]["MODEL"]) == (job.marker, "x")
    assert docker["env"]["DW_HEARTBEAT_URL"]
    assert (docker["sshkey"], docker["ports"], docker["allowed_ips"]) == (
        factories.SSH_KEY,
        [22, 8888],
        ["203.0.113.7"],
    )


def test_the_known_trap_does_not_spring(world: World) -> None:
    job = cooked(world, ports=(), allowed_ips=())
    docker = spec_of(world, job)["parameters"]["parameters"]
    assert (docker["ports"], docker["allowed_ips"]) == ([22], ["0.0.0.0/0"])
    world.pass_time(700)
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    world.pass_time(30)
    assert [url["description"] for url in job.runs.get().node_urls] == ["ssh"]


def test_without_any_connection_field_it_runs_and_gets_no_address(world: World) -> None:
    job = cooked(world, image="dispersednetwork/comfyui", ssh_key="", ports=())
    world.pass_time(700)
    world.pass_time(30)
    job.refresh_from_db()
    assert (job.status, job.runs.get().node_urls) == (Status.RUNNING, [])


def test_what_the_recipe_sets_and_the_launcher_emptied_is_cleared(world: World) -> None:
    """The recipe names a GPU, regions, a least RAM, a volume and more; the launcher wants another GPU and no rest."""
    cloud_recipes.refresh(world.credential.pk, world.clock)
    gpu = "0198ac1c-7063-4be8-bb94-57a5bd83548e"
    job = cooked(world, MINE, gpu_name="", gpu_registry_uuid=gpu, image="mine", tag="")
    spec = spec_of(world, job)
    docker = spec["parameters"]["parameters"]
    assert (spec["gpu_name"], spec["gpu_registry_uuid"]) == (None, gpu)
    assert (spec["min_ram_gb"], spec["allowed_region_codes"], spec["max_retry_count"]) == (0, [], 0)
    assert (docker["image"], docker["tag"], docker["host"], docker["volumes"]) == ("mine", "", "", [])


OWN_IMAGE = {
    "image": "registry-user/finetune",
    "registry_host": "registry.example.com",
    "image_source": "registry",
}


@pytest.mark.parametrize(
    ("changed", "password", "token"),
    [
        ({}, "sandbox-registry-secret", "sandbox-hugging-face-token"),
        ({"tag": "v4"}, "sandbox-registry-secret", "sandbox-hugging-face-token"),
        ({"image": "somebody/reader"}, "sandbox-registry-secret", ""),
        ({"registry_host": "registry.example.net"}, "", ""),
        ({"registry_host": ""}, "", ""),
    ],
)
def test_a_recipes_secrets_stay_with_its_image_and_registry(
    world: World, changed: dict[str, str], password: str, token: str
) -> None:
    """Else whoever cooks it could read them with an image, or be sent them at a registry, of their own."""
    job = cooked(world, MINE, **(OWN_IMAGE | changed))
    docker = spec_of(world, job)["parameters"]["parameters"]
    assert (docker["secret"], docker["env"]["HF_TOKEN"]) == (password, token)
    assert docker["user"] == ("__token__" if password else "")


def test_a_secret_of_the_launchers_own_is_sent() -> None:
    payload = RecipePayload(image="theirs", registry_host="h", secrets=("registry_secret", "env.TOKEN"))
    body = factories.make_spec(
        image="mine", env={"TOKEN": "own"}, registry_user="me", registry_secret=Secret("own")
    ).to_body()
    docker = cooking.overrides(body, payload)["parameters"]["parameters"]
    assert (docker["user"], docker["secret"], docker["env"]["TOKEN"]) == ("me", "own", "own")


def test_an_unknown_recipe_may_set_anything_so_all_is_cleared() -> None:
    body = factories.make_spec(allowed_ips=("203.0.113.7",), ssh_key="", ports=()).to_body()
    sent = cooking.overrides(body, None)
    docker = sent["parameters"]["parameters"]
    assert (docker["sshkey"], docker["ports"], docker["volumes"], docker["secret"]) == ("", [], [], "")
    assert (sent["gpu_registry_uuid"], sent["allowed_region_codes"]) == (None, [])
    assert {name: sent[name] for name in body if name != "parameters"} | {
        "parameters": body["parameters"]
    } == body


def test_a_recipe_that_was_never_seen_is_looked_at_before_it_is_cooked(world: World) -> None:
    """Its volume would be in the machine otherwise."""
    assert cloud_recipes.find(world.credential.pk, MINE) is None
    docker = spec_of(world, cooked(world, MINE, image="mine"))["parameters"]["parameters"]
    assert (docker["volumes"], docker["secret"]) == ([], "")


def test_a_recipe_that_was_changed_since_it_was_shown_is_looked_at_again(world: World) -> None:
    cloud_recipes.refresh(world.credential.pk, world.clock)
    catalog = CloudCatalog.objects.get(credential=world.credential)
    for stored in catalog.recipes:
        stored["payload"] |= {"volumes": [], "registry_host": "", "image_source": ""}
    catalog.save()
    docker = spec_of(world, cooked(world, MINE, image="mine"))["parameters"]["parameters"]
    assert (docker["volumes"], docker["host"], docker["imagesrc"]) == ([], "", "")


def test_what_cannot_be_looked_at_is_not_cooked_yet(world: World) -> None:
    world.control.add_fault("GET /v1/job-recipes/{uuid}", "status", times=1, status=503)
    job = cooked(world, MINE)
    assert (job.status, job.maybe_sent) == (Status.QUEUED, 0)
    assert "could not be read" in job.reason_text
    assert world.in_ledger(job) == []
    world.pass_time(5)
    job.refresh_from_db()
    assert len(world.in_ledger(job)) == 1


def test_every_field_that_a_recipe_can_set_is_sent_or_cleared() -> None:
    """So that no field is forgotten here when the create call gets another one."""
    payload = RecipePayload(
        gpu_name="RTX 4090", gpu_registry_uuid="u", allowed_region_codes=("us-east-1",), tag="v1",
        registry_host="h", registry_user="u", image_source="s", ssh_key="k", ports=(80,), allowed_ips=("1.2.3.4",),
        volumes=(Volume("d", "/d"),), env={"A": "1"}, secrets=("registry_secret",),
    )  # fmt: skip
    sent = cooking.overrides({**factories.make_spec("BATCH").to_body(), "gpu_name": ""}, payload)
    docker = sent["parameters"]["parameters"]
    ours = {"registry_host": "host", "image_source": "imagesrc", "ssh_key": "sshkey"}
    for item in dataclasses.fields(RecipePayload):
        name = ours.get(item.name, item.name)
        # A description and a variable are always sent with a launch; nobody can connect where nothing is published.
        if name in {"image_size_bytes", "secrets", "registry_user", "env", "description", "allowed_ips"}:
            continue
        assert name in sent or name in docker, name


def test_a_launch_that_names_no_number_of_gpus_gets_the_one_that_it_was_quoted_for() -> None:
    body = {**factories.make_spec("BATCH").to_body(), "gpu_count": 1}
    unsaid = {name: value for name, value in body.items() if name != "gpu_count"}
    assert cooking.overrides(unsaid, RecipePayload(gpu_count=8))["gpu_count"] == 1
    assert cooking.overrides({**body, "gpu_count": 0}, RecipePayload(gpu_count=8))["gpu_count"] == 0


@pytest.mark.parametrize(
    ("recipe", "said"),
    [(ARCHIVED, "archived"), ("01a0ffff-0000-4000-8000-000000000000", "does not know it")],
)
def test_a_recipe_that_cannot_be_cooked_refuses_and_makes_nothing(
    world: World, recipe: str, said: str
) -> None:
    job = cooked(world, recipe)
    assert job.status == Status.UNCONFIRMED
    world.settle(1)
    job.refresh_from_db()
    assert (job.status, job.reason) == (Status.FAILED, Reason.REFUSED)
    assert said in job.reason_text
    assert world.in_ledger(job) == []


def test_a_lost_answer_is_found_by_the_marker(world: World) -> None:
    world.control.add_fault(COOK, "drop", times=1, at="after")
    job = cooked(world)
    assert job.status == Status.UNCONFIRMED
    world.settle(1)
    job.refresh_from_db()
    assert job.remote_uuid == world.in_ledger(job)[0]["uuid"]


def test_ledger_and_rows_count_the_same(world: World) -> None:
    for number in range(3):
        cooked(world, description=str(number))
    world.launched(description="created")
    assert len(world.control.jobs()) == Job.objects.exclude(remote_uuid=None).count() == 4


def test_one_form_cannot_cook_and_create(world: World) -> None:
    world.request(world.order(cook_uuid=LLAMA), form_token="f")
    assert world.request(world.order(cook_uuid=LLAMA), form_token="f")
    with pytest.raises(FormAlreadyUsed):
        world.request(form_token="f")
    assert world.request(), "another form that creates what was cooked is not the same again"


@pytest.mark.parametrize("recipe", ["../jobs", "a b", "x" * 200])
def test_what_is_no_identifier_is_refused_before_anything_is_stored(world: World, recipe: str) -> None:
    with pytest.raises(LaunchRefused):
        world.request(world.order(cook_uuid=recipe))
    assert not Job.objects.exists()


def test_a_recipe_of_the_team_is_not_cooked(world: World) -> None:
    order = dataclasses.replace(world.order(cook_uuid=LLAMA), recipe=RecipeUse(world.team.pk))
    with pytest.raises(LaunchRefused):
        world.request(order)
