"""Launching from a recipe of the cloud by the form: what it is filled with, what is sent, what is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dispersed_web.clock import database_now
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs import cloud_recipes, sending
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Status
from dispersed_web.sandbox.recipes import OWN, RECIPES
from dispersed_web.teams.models import Team
from tests import factories
from tests.web.launch_forms import Fields, address, only_job, opened, send, text_of

pytestmark = pytest.mark.django_db
LLAMA, BENCHMARK, MINE, ARCHIVED = RECIPES[0]["uuid"], RECIPES[2]["uuid"], OWN[0]["uuid"], OWN[1]["uuid"]
GONE = "01a0ffff-0000-4000-8000-000000000000"
COOK = "POST /v1/job-recipes/{uuid}/cook"


@pytest.fixture
def team(client: Client, sandbox: Any) -> Team:
    team = factories.make_team()
    factories.make_credential(team, sandbox)
    factories.sign_in(
        client, factories.make_member(team, user=factories.make_user(ssh_key=factories.SSH_KEY))
    )
    return team


@pytest.fixture
def credential(team: Team) -> Credential:
    return team.credentials.get()


def query(recipe: str, credential: Credential) -> str:
    return f"?cook={recipe}&credential={credential.pk}"


def sent_to(sandbox: Any, job: Job) -> dict[str, Any]:
    sending.send(job.pk, database_now)
    job.refresh_from_db()
    assert job.status == Status.PENDING, job.reason_text
    spec: dict[str, Any] = sandbox.control.job(job.remote_uuid)["spec"]
    return spec


def test_the_credential_of_the_address_is_not_called_ignored(
    client: Client, team: Team, credential: Credential
) -> None:
    page = text_of(client.get(address(team) + query(LLAMA, credential)))
    assert "Cooked from the recipe" in page
    assert "Not taken over" not in page


@pytest.mark.parametrize("recipe", [*RECIPES, OWN[0]], ids=lambda recipe: recipe["name"])
def test_every_recipe_is_cooked_with_nothing_typed(
    client: Client, team: Team, credential: Credential, sandbox: Any, recipe: dict[str, Any]
) -> None:
    fields = opened(client, team, query(recipe["uuid"], credential))
    answer = send(client, team, fields)
    assert answer.status_code == 302, answer.context["form"].errors
    job = only_job()
    assert (job.cook_uuid, job.task) == (recipe["uuid"], recipe["payload"]["task"])
    spec = sent_to(sandbox, job)
    docker = spec["parameters"]["parameters"]
    assert docker["sshkey"] == factories.SSH_KEY
    assert 22 in docker["ports"]
    assert docker["allowed_ips"]
    assert docker["env"]["DW_LAUNCH"] == job.marker
    for name in ("image", "tag"):
        assert docker[name] == recipe["payload"]["parameters"]["parameters"][name]
    for name in ("cpu_count", "min_vram_gb", "min_storage_gb", "max_timeout_start_ms", "max_timeout_run_ms"):
        assert spec[name] == recipe["payload"][name], name
    (row,) = sandbox.control.jobs()
    assert row["recipe_uuid"] == recipe["uuid"]


def test_the_form_is_filled_with_the_whole_payload(
    client: Client, team: Team, credential: Credential
) -> None:
    fields = opened(client, team, query(MINE, credential))
    shown = {name: values[0] for name, values in fields.items() if values}
    expected = {
        "cook": MINE,
        "title": "Fine-tune with my data",
        "task": "PERSISTENT",
        "image": "registry-user/finetune",
        "tag": "v3",
        "registry_host": "registry.example.com",
        "registry_user": "__token__",
        "registry_secret": "",
        "image_source": "registry",
        "gpu": "name",
        "gpu_name": "RTX 4090",
        "min_ram_gb": "32",
        "max_retry_count": "2",
        "reach": "list",
        "volume-0-image": "registry-user/data",
        "volume-0-mount": "/data",
        "in-model": "tiny",
        "in-epochs": "3",
        "in-push": "on",
    }
    assert {name: shown.get(name) for name in expected} == expected
    assert sorted(fields["allowed_region_codes"]) == ["eu-central-1", "us-east-1"]
    assert "sandbox-" not in str(fields)


def test_what_is_changed_in_the_form_is_what_the_cloud_gets(
    client: Client, team: Team, credential: Credential, sandbox: Any
) -> None:
    fields = opened(client, team, query(MINE, credential))
    fields |= {"gpu": "any", "gpu_name": "", "min_ram_gb": "", "ports": "22, 9000", "reach": "anyone"}
    fields |= {"allowed_region_codes": [], "volume-0-DELETE": "on", "in-model": "large"}
    assert send(client, team, fields).status_code == 302
    spec = sent_to(sandbox, only_job())
    docker = spec["parameters"]["parameters"]
    assert (spec["gpu_name"], spec["min_ram_gb"], spec["allowed_region_codes"]) == (None, 0, [])
    assert (docker["ports"], docker["allowed_ips"], docker["volumes"]) == ([22, 9000], ["0.0.0.0/0"], [])
    assert docker["env"]["MODEL"] == "large"
    assert docker["secret"] == "sandbox-registry-secret"


def test_the_review_shows_the_overrides(client: Client, team: Team, credential: Credential) -> None:
    fields = opened(client, team, query(MINE, credential)) | {"gpu": "any", "gpu_name": ""}
    answer = client.post(address(team), fields | {"review": "yes"})
    body = json.loads(answer.context["review"].body)
    assert (body["gpu_name"], body["min_ram_gb"]) == (None, 32)
    assert f'"cook_uuid": "{MINE}"' in answer.context["review"].curl
    assert f"?cook={MINE}" in answer.context["link"]
    again = Fields(answer.content.decode()).values
    assert again["cook"] == [MINE]


def test_the_page_says_what_it_is_cooked_from_and_what_stays_secret(
    client: Client, team: Team, credential: Credential
) -> None:
    shown = text_of(client.get(address(team) + query(MINE, credential)))
    assert "Cooked from the recipe “Fine-tune with my data” of Dispersed" in shown
    assert "the registry's password" in shown.replace("&#x27;", "'")
    assert "HF_TOKEN" in shown


def test_a_fault_keeps_the_recipe_and_everything_typed(
    client: Client, team: Team, credential: Credential
) -> None:
    fields = opened(client, team, query(MINE, credential)) | {"min_vram_gb": "many"}
    answer = send(client, team, fields)
    assert answer.status_code == 422
    again = Fields(answer.content.decode()).values
    assert (again["cook"], again["min_vram_gb"], again["volume-0-mount"]) == ([MINE], ["many"], ["/data"])


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (ARCHIVED, "It is archived there, so Dispersed will refuse"),
        (GONE, "Dispersed does not have it, or not for this credential"),
    ],
)
def test_a_recipe_that_cannot_be_cooked_is_told_before_and_after(
    client: Client, team: Team, credential: Credential, sandbox: Any, recipe: str, said: str
) -> None:
    page = client.get(address(team) + query(recipe, credential))
    assert said in text_of(page)
    fields = Fields(page.content.decode()).values | {"title": "T", "image": "org/i", "reach": "anyone"}
    assert send(client, team, fields).status_code == 302
    job = only_job()
    sending.send(job.pk, database_now)
    job.refresh_from_db()
    shown = text_of(client.get(reverse("web:job", args=[team.slug, job.pk])))
    assert "The cloud refused the launch" in shown or job.reason_text.split("(")[0] in shown
    assert sandbox.control.jobs() == []


def test_a_recipe_that_cannot_be_looked_at_is_told(
    client: Client, team: Team, credential: Credential, sandbox: Any
) -> None:
    sandbox.control.add_fault("GET /v1/job-recipes/{uuid}", "status", status=503)
    shown = text_of(client.get(address(team) + query(LLAMA, credential)))
    assert "has a fault of its own (503)" in shown
    assert "what you choose here is sent all the same" in shown


@pytest.mark.parametrize("recipe", ["../x", "a b", "x" * 200])
def test_what_is_no_identifier_is_not_found(client: Client, team: Team, recipe: str) -> None:
    assert client.get(address(team), {"cook": recipe}).status_code == 404


def test_launching_a_cooked_job_again_cooks_again(
    client: Client, team: Team, credential: Credential, sandbox: Any
) -> None:
    cloud_recipes.look(credential, LLAMA, team_id=credential.team_id)
    fields = opened(client, team, query(LLAMA, credential)) | {"in-min_vram_gb": "32"}
    send(client, team, fields)
    job = only_job()
    again = opened(client, team, f"?again={job.pk}")
    assert (again["cook"], again["in-min_vram_gb"]) == ([LLAMA], ["32"])


def test_copies_are_all_cooked(client: Client, team: Team, credential: Credential) -> None:
    fields = opened(client, team, query(LLAMA, credential)) | {"copies": "2", "confirm_copies": "2"}
    assert send(client, team, fields).status_code == 302
    assert set(Job.objects.values_list("cook_uuid", flat=True)) == {LLAMA}
    assert Job.objects.count() == 2


def test_the_jobs_page_says_what_it_was_cooked_from(
    client: Client, team: Team, credential: Credential
) -> None:
    cloud_recipes.look(credential, LLAMA, team_id=credential.team_id)
    job = factories.make_job(team, credential=credential, cook_uuid=LLAMA)
    shown = client.get(reverse("web:job", args=[team.slug, job.pk])).content.decode()
    assert ">llama.cpp server</a> of Dispersed" in shown
    assert reverse("web:cloud-recipe", args=[team.slug, LLAMA]) in shown
    assert LLAMA in client.get(reverse("web:job-spec", args=[team.slug, job.pk])).content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"ssh_key": "", "ports": ()}, "without an SSH key and ports"),
        ({}, "cooked from a recipe of the cloud were seen to stay so for ever"),
    ],
)
def test_a_cooked_job_without_an_address_is_told_as_such(
    client: Client, team: Team, credential: Credential, fields: dict[str, Any], said: str
) -> None:
    job = factories.make_job(team, spec=factories.make_spec(**fields), credential=credential, cook_uuid=LLAMA)
    factories.make_run(job)
    shown = text_of(client.get(reverse("web:job", args=[team.slug, job.pk])))
    assert said in shown
    assert "top it, and launch" in shown


SCREENS = {
    "lost answer": ({"kind": "drop", "at": "after"}, "The cloud did not answer clearly"),
    "lost request": ({"kind": "drop", "at": "before"}, "The cloud did not answer clearly"),
    "500": ({"kind": "status", "status": 500, "at": "before"}, "has a fault of its own (500)"),
    "429": ({"kind": "status", "status": 429, "at": "before"}, "asks for fewer requests (429)"),
    "HTML": ({"kind": "html_body"}, "The cloud did not answer clearly"),
    "402": ({"kind": "status", "status": 402, "at": "before", "message": "No credit"}, "No credit"),
    "404": ({"kind": "status", "status": 404, "at": "before"}, "does not know it"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_every_fault_of_a_cook_has_a_screen_that_says_so(
    client: Client, team: Team, credential: Credential, sandbox: Any, name: str
) -> None:
    fault, said = SCREENS[name]
    sandbox.control.add_fault(COOK, times=1, **fault)
    send(client, team, opened(client, team, query(LLAMA, credential)))
    job = only_job()
    sending.send(job.pk, database_now)
    page = text_of(client.get(reverse("web:job", args=[team.slug, job.pk])))
    assert said in page
    assert "llama.cpp server" in page
