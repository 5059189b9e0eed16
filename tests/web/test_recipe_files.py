"""Versions compared and rolled back; recipes as files, from job files and from jobs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from dispersed_web.recipes import files
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team
from dispersed_web.web.forms.recipe_import import MOST_BYTES
from tests import factories as make
from tests.web.recipe_scenes import BATCH, COMFY, add_version, make_recipe

pytestmark = pytest.mark.django_db

JOB_FILE = {
    "task": "BATCH",
    "title": "Nightly figures",
    "description": "Measures and uploads",
    "gpu_count": 1,
    "min_vram_gb": 13,
    "max_timeout_run_ms": 7_200_000,
    "parameters": {
        "type": "docker",
        "parameters": {
            "image": "",
            "tag": "",
            "secret": "",
            "env": {"CUDA_VISIBLE_DEVICES": "0", "BUCKET": "", "ACCESS_TOKEN": "do-not-keep-me"},
        },
    },
}


@pytest.fixture
def team() -> Team:
    return make.make_team("Vision Lab", slug="vision-lab")


@pytest.fixture
def owner(client: Client, team: Team) -> Any:
    return make.sign_in(client, make.owner_of(team))


@pytest.fixture
def recipe(team: Team, owner: Any) -> Recipe:
    made = make_recipe(team, owner)
    add_version(made, {**COMFY, "spec": {**COMFY["spec"], "min_vram_gb": 48}, "tags": ["big"]}, "More memory")
    return made


def url(name: str, recipe: Recipe) -> str:
    return reverse(f"web:{name}", args=[recipe.team.slug, recipe.pk])


def import_url(team: Team) -> str:
    return reverse("web:recipe-import", args=[team.slug])


# Versions ------------------------------------------------------------------------------------------------------------


def test_any_two_versions_are_compared(client: Client, recipe: Recipe) -> None:
    add_version(recipe, BATCH, "Something else")
    page = client.get(url("recipe-versions", recipe))
    assert (page.context["before"].number, page.context["after"].number) == (2, 3)
    page = client.get(url("recipe-versions", recipe) + "?from=2&to=1")
    assert (page.context["before"].number, page.context["after"].number) == (1, 2)
    text = " ".join(page.content.decode().split())
    for words in ("VRAM, at least", "24", "48", "More memory", "current"):
        assert words in text
    assert client.get(url("recipe-versions", recipe) + "?from=9").status_code == 404
    same = client.get(url("recipe-versions", recipe) + "?from=2&to=2").content.decode()
    assert "Nothing differs." in same


def test_the_first_version_is_all_new(client: Client, team: Team, owner: Any) -> None:
    page = client.get(url("recipe-versions", make_recipe(team, owner))).content.decode()
    assert "v1, the first" in page
    assert "dispersednetwork/comfyui" in page
    assert "Roll back" not in page


def test_rolling_back_makes_a_new_version(client: Client, recipe: Recipe) -> None:
    assert "Roll back to v1" in client.get(url("recipe-versions", recipe)).content.decode()
    answer = client.post(url("recipe-roll-back", recipe), {"to": "1", "seen": "2"}, follow=True)
    assert "Back to v1: it is the current version again, as v3." in answer.content.decode()
    recipe.refresh_from_db()
    assert recipe.current.number == 3
    assert recipe.current.document == recipe.versions.get(number=1).document


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"to": "1", "seen": "1"}, "Somebody saved v2"),
        ({"to": "1"}, "Somebody saved v2"),
        ({"to": "2", "seen": "2"}, "nothing changed"),
    ],
)
def test_a_roll_back_of_something_else_changes_nothing(
    client: Client, recipe: Recipe, sent: dict[str, str], words: str
) -> None:
    assert words in client.post(url("recipe-roll-back", recipe), sent, follow=True).content.decode()
    assert client.post(url("recipe-roll-back", recipe), {"to": "7", "seen": "2"}).status_code == 404
    assert recipe.versions.count() == 2


# Export --------------------------------------------------------------------------------------------------------------


def test_an_export_is_a_file_that_reads_back(client: Client, recipe: Recipe) -> None:
    answer = client.get(url("recipe-export", recipe))
    assert answer["Content-Disposition"] == 'attachment; filename="comfyui-v2.yaml"'
    found, problems = files.from_yaml(answer.content.decode())
    assert problems == []
    assert found[0].document.to_json() == recipe.current.document
    assert found[0].about["description_md"] == recipe.description_md.strip()
    old, _ = files.from_yaml(client.get(url("recipe-export", recipe) + "?v=1").content.decode())
    assert old[0].document.spec["min_vram_gb"] == 24


def test_all_that_one_sees_are_exported(client: Client, team: Team, recipe: Recipe, owner: Any) -> None:
    make_recipe(team, owner, "Mine", BATCH, visibility="private")
    make_recipe(team, make.make_member(team), "Theirs", BATCH, visibility="private")
    make_recipe(team, owner, "Old", BATCH, archived_at=recipe.created_at)
    answer = client.get(reverse("web:recipes-export", args=[team.slug]))
    found, problems = files.from_yaml(answer.content.decode())
    assert (problems, [one.name for one in found]) == ([], ["ComfyUI", "Mine"])
    assert "recipes-vision-lab.yaml" in answer["Content-Disposition"]


# Import --------------------------------------------------------------------------------------------------------------


def test_a_file_is_looked_at_then_made(client: Client, team: Team, recipe: Recipe, owner: Any) -> None:
    make_recipe(team, owner, "Bench", BATCH)
    text = client.get(reverse("web:recipes-export", args=[team.slug])).content
    Recipe.objects.filter(name="Bench").update(name="Renamed")
    looked = client.post(import_url(team), {"file": SimpleUploadedFile("r.yaml", text), "look": "yes"})
    page = looked.content.decode()
    assert "2 recipes found" in page
    assert page.count("The name exists already") == 1
    assert Recipe.objects.count() == 2
    sent = {
        "text": looked.context["form"].cleaned_data["text"],
        "make": "yes",
        "take": "0",
        "visibility": "team",
    }
    answer = client.post(import_url(team), sent)
    made = Recipe.objects.get(name="Bench")
    assert answer["Location"] == url("recipe", made)
    assert (made.visibility, made.owner, made.current.note) == ("team", owner, "Imported")
    nothing = client.post(import_url(team), {**sent, "take": []})
    assert nothing.status_code == 422
    assert "Tick at least one" in nothing.content.decode()
    assert Recipe.objects.count() == 3


def test_faults_name_line_and_column_and_keep_the_text(client: Client, team: Team, owner: Any) -> None:
    text = 'dispersed_web: recipe/1\nname: "Box"\nspec:\n  image: a/b\n  task: PERSISTENT\n  ports: [22, x]\n  cpu: 3\n'
    answer = client.post(import_url(team), {"text": text, "look": "yes"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Line 7, column 3" in page
    assert '<code class="fault-text">  cpu: 3</code>' in page
    assert "&quot;Box&quot;" in page
    assert client.post(import_url(team), {"text": text, "make": "yes", "take": "0"}).status_code == 422
    assert not Recipe.objects.exists()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Choose a file, or paste its text."),
        ({"text": "  \n"}, "Choose a file, or paste its text."),
        ({"file": b"x" * (MOST_BYTES + 1)}, "at most 500 kB"),
        ({"file": b"\xff\xfe\x00"}, "no text in UTF-8"),
        ({"text": "a: &x [*x]"}, "Anchors"),
        ({"text": "<script>alert(1)</script>"}, "&lt;script&gt;"),
        ({"text": "{"}, "This is not JSON"),
        ({"text": '{"task": 3}'}, "A job is an object"),
        ({"text": json.dumps([JOB_FILE, {**JOB_FILE, "gpu_count": "two"}])}, "Job 2, spec.gpu_count"),
    ],
    ids=str,
)
def test_what_is_no_recipe_is_refused_with_a_reason(
    client: Client, team: Team, owner: Any, sent: dict[str, Any], words: str
) -> None:
    if "file" in sent:
        sent = {"file": SimpleUploadedFile("r.yaml", sent["file"])}
    answer = client.post(import_url(team), {**sent, "look": "yes"})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "<script>alert" not in answer.content.decode()
    assert not Recipe.objects.exists()


def test_a_job_file_becomes_questions_and_its_secret_stays_behind(
    client: Client, team: Team, owner: Any
) -> None:
    text = json.dumps(JOB_FILE)
    page = client.post(import_url(team), {"text": text, "look": "yes"}).content.decode()
    assert "Nightly figures" in page
    client.post(import_url(team), {"text": text, "make": "yes", "take": "0"})
    made = Recipe.objects.get()
    assert (made.visibility, made.description_md, made.category) == (
        "private",
        "Measures and uploads",
        "batch",
    )
    asked = {one["to"]: one["type"] for one in made.current.document["inputs"]}
    assert asked["env.ACCESS_TOKEN"] == "secret"
    assert asked["env.BUCKET"] == "text"
    assert asked["image"] == "text"
    assert "do-not-keep-me" not in json.dumps(made.current.document)


# From a job ----------------------------------------------------------------------------------------------------------


def test_a_job_becomes_a_recipe(client: Client, team: Team, owner: Any) -> None:
    spec = make.make_spec(
        title="Box", env={"MODE": "fast", "HF_TOKEN": "hidden-value"}, allowed_ips=("192.0.2.7",)
    )
    job = make.make_job(
        team, spec=spec, secret_env=frozenset({"HF_TOKEN"}), idle_limit_s=5400, budget_usd=Decimal("12.50")
    )
    address = reverse("web:recipe-from-job", args=[team.slug, job.pk])
    assert address in client.get(reverse("web:job-spec", args=[team.slug, job.pk])).content.decode()
    page = client.get(address)
    assert "hidden-value" not in page.content.decode()
    form = page.context["form"]
    assert form["name"].value() == "Box"
    assert form["idle_limit_s"].value() == "1h 30m"
    assert form["budget_usd"].value() == "12.5"
    assert [row.sets for row in form.inputs] == ["SSH key", "Who may connect", "HF_TOKEN"]
    assert [row["name"].value() for row in form.env][:1] == ["MODE"]


def test_a_job_of_another_team_or_for_a_viewer_does_not(client: Client, team: Team) -> None:
    job = make.make_job(team)
    address = reverse("web:recipe-from-job", args=[team.slug, job.pk])
    make.sign_in(client, make.make_member(team, "viewer"))
    assert client.get(address).status_code == 403
    stranger = make.make_team()
    make.sign_in(client, make.owner_of(stranger))
    assert client.get(address).status_code == 404
    assert client.get(reverse("web:recipe-from-job", args=[stranger.slug, job.pk])).status_code == 404
