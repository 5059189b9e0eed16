"""Launching from a recipe: its questions, what it leaves open, and what its author locked, however the form is filled."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job, Preset
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team
from tests import factories
from tests.recipes.documents import ANSWERS, INPUTS, SPEC, make_document
from tests.web.launch_forms import RTX_5090, Fields, env, member, only_job, text_of, with_market
from tests.web.recipe_scenes import COMFY, add_version, make_recipe

pytestmark = pytest.mark.django_db

NO_ROWS = {"env-TOTAL_FORMS": "0", "env-INITIAL_FORMS": "0"}


def at(recipe: Recipe) -> str:
    return reverse("web:recipe-launch", args=[recipe.team.slug, recipe.pk])


def opened(client: Any, recipe: Recipe, query: str = "") -> dict[str, Any]:
    answer = client.get(at(recipe) + query)
    assert answer.status_code == 200
    return Fields(answer.content.decode()).values


def send(client: Any, recipe: Recipe, fields: dict[str, Any], **changes: Any) -> Any:
    return client.post(at(recipe), {**fields, **changes})


@pytest.fixture
def team(client: Any) -> Team:
    return member(client, ssh_key=factories.SSH_KEY)[0]


def recipe_of(team: Team, *inputs: dict[str, Any], **parts: Any) -> Recipe:
    return make_recipe(team, document=make_document(*inputs, **parts).to_json())


# Who may --------------------------------------------------------------------------------------------------------------


def test_viewer_gets_403_stranger_404_and_nobody_signs_in(client, team):
    recipe = make_recipe(team)
    for role, status in (("viewer", 403), (None, 404)):
        user = factories.make_member(team, role) if role else factories.make_user()
        factories.sign_in(client, user)
        assert client.get(at(recipe)).status_code == status
        assert client.post(at(recipe)).status_code == status
    client.logout()
    assert client.get(at(recipe)).status_code == 302


def test_a_private_recipe_of_another_is_not_there(client, team):
    other = factories.make_member(team)
    assert client.get(at(make_recipe(team, other, visibility="private"))).status_code == 404
    elsewhere = make_recipe(factories.make_team())
    assert client.get(reverse("web:recipe-launch", args=[team.slug, elsewhere.pk])).status_code == 404


def test_who_has_no_key_is_told_where_to_keep_one(client):
    words = "save one in"
    for key, is_told in (("", True), (factories.SSH_KEY, False)):
        team = member(client, ssh_key=key)[0]
        asked = {"key": "ssh_key", "type": "ssh_key", "to": "ssh_key"}
        assert (words in client.get(at(recipe_of(team, asked))).content.decode()) is is_told


# Launching ------------------------------------------------------------------------------------------------------------


def test_it_launches_as_it_stands(client, team):
    recipe = make_recipe(team)
    page = client.get(at(recipe))
    assert "What this recipe asks" in text_of(page)
    assert "Pictures and video from text." in text_of(page)
    answer = client.post(at(recipe), Fields(page.content.decode()).values)
    job = only_job()
    assert (answer.status_code, answer.url) == (302, f"/t/{team.slug}/jobs/{job.pk}/")
    spec = specs.restore(job)
    assert (spec.image, spec.ports, spec.min_vram_gb) == ("dispersednetwork/comfyui", (22, 8188), 24)
    assert spec.env == {"PROVISIONING": "basic", "MODEL": "sdxl"}
    assert (spec.ssh_key, job.title) == (factories.SSH_KEY, "ComfyUI")
    assert (job.lifetime_s, job.idle_limit_s, job.rate_cap_usd) == (7200, 3600, Decimal("1.50"))
    assert job.recipe_version_id == recipe.current_id
    assert job.answers["hours"] == 7200
    assert [tag.name for tag in job.tags.all()] == ["images"]
    assert Recipe.objects.get().launches == 1


@pytest.mark.parametrize("kind", sorted(set(INPUTS) - {"env"}))
def test_each_type_of_input_reaches_the_job(client, team, kind):
    with_market(team)
    recipe = recipe_of(team, INPUTS[kind])
    name = f"in-{INPUTS[kind]['key']}"
    fields = opened(client, recipe)
    posted = {"switch": {}, "ssh_key": {f"{name}_from": "other", name: ANSWERS["ssh_key"]}}
    changes = posted.get(kind, {name: ANSWERS[kind]})
    fields.pop(name, None)
    answer = send(client, recipe, fields, **changes)
    assert answer.status_code == 302, (answer.context["form"].errors, answer.context["inputs"].errors)
    job, spec = only_job(), specs.restore(only_job())
    reached = {
        "text": spec.env.get("MODEL") == "large",
        "lines": spec.env.get("SCRIPT") == "c\nd",
        "number": spec.gpu_count == 2,
        "choice": spec.env.get("SIZE") == "l",
        "gpu": spec.gpu_name == "RTX 4090",
        "region": spec.allowed_region_codes == ("us-east-1",),
        "switch": job.uses_logs is False,
        "secret": spec.env.get("HF_TOKEN") == "hf_canary",
        "ssh_key": spec.ssh_key == factories.SSH_KEY,
        "duration": job.lifetime_s == 3 * 3600,
        "ports": spec.ports == (22, 8080),
        "addresses": spec.allowed_ips == ("198.51.100.0/24",),
    }
    assert reached[kind]


def test_rows_of_a_question_reach_the_environment(client, team):
    recipe = recipe_of(team, INPUTS["env"])
    rows = {
        f"in-more{name.removeprefix('env')}": value
        for name, value in env(("B", "2"), ("HF_TOKEN", "x")).items()
    }
    assert send(client, recipe, opened(client, recipe) | rows).status_code == 302
    job = only_job()
    assert specs.restore(job).env == {"B": "2", "HF_TOKEN": "x"}
    assert job.answers["more"] == {"B": "2"}


def test_a_gpu_is_chosen_in_the_picker_with_prices(client, team):
    with_market(team)
    recipe = recipe_of(team, INPUTS["gpu"] | {"default": "any"})
    page = client.get(at(recipe))
    assert page.content.count(b'name="in-gpu"') == 4
    assert "$0.69 to $0.75/h" in text_of(page)
    send(client, recipe, Fields(page.content.decode()).values, **{"in-gpu": RTX_5090})
    assert (only_job().spec["gpu_registry_uuid"], only_job().gpu_label) == (RTX_5090, "RTX 5090")


def test_secrets_are_sealed_and_kept_nowhere_else(client, team):
    recipe = make_recipe(team)
    send(client, recipe, opened(client, recipe), **{"in-hf_token": "hf_canary"})
    job = only_job()
    assert specs.restore(job).env["HF_TOKEN"] == "hf_canary"
    assert "hf_canary" not in f"{job.spec} {job.answers}"
    assert "hf_token" not in job.answers


def test_what_a_question_sets_is_not_asked_twice(client, team):
    page = client.get(at(make_recipe(team))).content.decode()
    assert 'name="lifetime"' not in page
    assert 'name="ssh_key"' not in page
    assert 'name="gpu"' not in page
    assert 'name="max_timeout_start"' in page


def test_faults_are_said_beside_the_question_and_nothing_is_lost(client, team):
    recipe = make_recipe(team)
    typed = {"in-hours": "40 days", "in-hf_token": "hf_canary", "title": "My pictures"}
    answer = send(client, recipe, opened(client, recipe) | typed)
    assert answer.status_code == 422
    assert "At most" in " ".join(answer.context["inputs"].errors["in-hours"])
    again = Fields(answer.content.decode()).values
    assert {name: again[name] for name in typed} == {name: [value] for name, value in typed.items()}
    assert not Job.objects.exists()


def test_what_the_cloud_refuses_of_an_answer_is_said_beside_the_question(client, team):
    recipe = recipe_of(team, INPUTS["addresses"])
    answer = send(client, recipe, opened(client, recipe), **{"in-from": "nonsense"})
    assert "neither an IP address" in " ".join(answer.context["inputs"].errors["in-from"])
    assert answer.status_code == 422


def test_a_row_may_not_set_what_the_recipe_sets(client, team):
    recipe = make_recipe(team)
    answer = send(client, recipe, opened(client, recipe) | env(("MODEL", "mine")))
    assert "“Model” asks for MODEL above." in str(answer.context["form"].env.errors)
    assert send(client, recipe, opened(client, recipe) | env(("MINE", "1"))).status_code == 302
    assert specs.restore(only_job()).env["MINE"] == "1"


def test_the_live_parts_follow_the_answers(client, team):
    with_market(team)
    recipe = recipe_of(team, INPUTS["gpu"] | {"default": "any"}, INPUTS["duration"])
    query = {"recipe": recipe.pk, "task": "PERSISTENT", "in-gpu": RTX_5090, "in-lifetime": "10h"}
    page = text_of(client.get(reverse("web:launch-estimate", args=[team.slug]), query))
    assert "RTX 5090" in page
    assert "$7.50" in page
    picker = client.get(reverse("web:launch-gpus", args=[team.slug]), query).content.decode()
    assert 'name="in-gpu"' in picker


# A recipe that moves on -----------------------------------------------------------------------------------------------


def test_a_newer_version_is_shown_before_anything_is_launched(client, team):
    recipe = make_recipe(team)
    fields = opened(client, recipe)
    add_version(recipe, COMFY | {"tags": ["newer"]})
    answer = send(client, recipe, fields, title="Mine")
    assert answer.status_code == 409
    assert "changed while you were filling" in text_of(answer)
    assert "/versions/" in answer.content.decode()
    assert not Job.objects.exists()
    again = Fields(answer.content.decode()).values
    assert again["title"] == ["Mine"]
    assert send(client, recipe, again).status_code == 302
    assert only_job().recipe_version.number == 2


def test_an_archived_recipe_has_no_form(client, team):
    recipe = make_recipe(team)
    Recipe.objects.update(archived_at="2026-01-01T00:00Z")
    assert client.get(at(recipe)).status_code == 404


# Launching again -------------------------------------------------------------------------------------------------------


def test_a_job_from_a_recipe_opens_its_recipes_form_with_its_answers(client, team):
    recipe = make_recipe(team)
    send(client, recipe, opened(client, recipe), **{"in-hours": "3h", "in-hf_token": "hf_1", "title": "Mine"})
    job = only_job()
    answer = client.get(reverse("web:launch", args=[team.slug]), {"again": job.pk})
    assert answer.url == f"{at(recipe)}?again={job.pk}"
    page = client.get(answer.url)
    fields = Fields(page.content.decode()).values
    assert (fields["in-hours"], fields["title"], fields["in-hf_token"]) == (["3h"], ["Mine"], [""])
    assert "Type these again: HF_TOKEN" in text_of(page)
    add_version(recipe, COMFY | {"tags": ["newer"]})
    page = client.get(answer.url)
    assert "launched from v1; current is v2" in text_of(page)


def test_without_its_recipe_a_job_opens_the_custom_form(client, team):
    recipe = make_recipe(team)
    send(client, recipe, opened(client, recipe))
    Recipe.objects.update(archived_at="2026-01-01T00:00Z")
    page = client.get(reverse("web:launch", args=[team.slug]), {"again": only_job().pk})
    assert page.status_code == 200
    assert "custom form with its values" in text_of(page)


# Locks -----------------------------------------------------------------------------------------------------------------

LOCKED = {
    **{name: value for name, value in SPEC.items() if name != "title"},
    "tag": "v1",
    "gpu_name": "RTX 5090",
    "min_vram_gb": 24,
    "cpu_count": 4,
    "max_node_count": 1,
    "max_timeout_start_ms": 1_800_000,
    "ports": [22, 8080],
    "env": {"MODE": "safe"},
}
CHANGES: dict[str, Any] = {
    "task": "BATCH",
    "image": "evil/image",
    "tag": "nightly",
    "gpu": RTX_5090,
    "gpu_name": "H100",
    "gpu_count": "8",
    "cpu_count": "64",
    "min_vram_gb": "80",
    "min_ram_gb": "80",
    "min_storage_gb": "80",
    "max_node_count": "9",
    "max_retry_count": "9",
    "max_timeout_assign": "1h",
    "max_timeout_start": "2h",
    "registry_host": "registry.evil.example",
    "registry_user": "me",
    "registry_secret": "s3cret",
    "image_source": "else",
    "ports": "22, 9999",
}
HELD = (
    "image",
    "tag",
    "gpu_name",
    "gpu_registry_uuid",
    "gpu_count",
    "cpu_count",
    "min_vram_gb",
    "min_ram_gb",
)
HELD += (
    "min_storage_gb",
    "max_node_count",
    "max_retry_count",
    "max_timeout_start_ms",
    "max_timeout_assign_ms",
)
HELD += ("registry_host", "registry_user", "has_registry_secret", "ports", "env")


@pytest.fixture
def locked(team: Team) -> Recipe:
    hidden = {"key": "mode", "type": "text", "to": "env.HIDDEN", "default": "h", "hidden": True}
    fixed = {"key": "hours", "type": "duration", "to": "lifetime_s", "default": 3600, "locked": True}
    return recipe_of(
        team, hidden, fixed, spec=LOCKED, locked=["*", "idle_limit_s"], autostop={"idle_limit_s": 1800}
    )


def is_as_locked(job: Job, before: dict[str, Any]) -> bool:
    return {name: job.spec[name] for name in HELD} == before and (job.lifetime_s, job.idle_limit_s) == (
        3600,
        1800,
    )


@pytest.fixture
def meant(client: Any, team: Team, locked: Recipe) -> dict[str, Any]:
    """What the recipe launches when nobody tries anything."""
    assert send(client, locked, opened(client, locked)).status_code == 302
    job = only_job()
    found = {name: job.spec[name] for name in HELD}
    assert (found["image"], found["ports"]) == ("dispersednetwork/base", [22, 8080])
    assert found["env"] == [
        {"name": "HIDDEN", "value": "h", "secret": False},
        {"name": "MODE", "value": "safe", "secret": False},
    ]
    Job.objects.all().delete()
    return found


@pytest.mark.parametrize("name", [*CHANGES, "in-hours", "in-mode", "idle_limit", "env"])
def test_no_posted_value_changes_what_is_locked(client, locked, meant, name):
    more = {"in-hours": "9h", "in-mode": "evil", "idle_limit": "4h"}
    posted = env(("MODE", "evil"), ("MORE", "1")) if name == "env" else {name: (CHANGES | more)[name]}
    assert send(client, locked, opened(client, locked) | posted).status_code == 302
    assert is_as_locked(only_job(), meant)


def test_no_link_changes_what_is_locked(client, locked, meant):
    query = [
        *CHANGES.items(),
        ("in-hours", "9h"),
        ("in-mode", "evil"),
        ("env", "MODE=evil"),
        ("idle_limit", "4h"),
    ]
    page = client.get(f"{at(locked)}?{urlencode(query)}")
    assert "Not taken over" in text_of(page)
    assert send(client, locked, Fields(page.content.decode()).values).status_code == 302
    assert is_as_locked(only_job(), meant)


def test_no_preset_changes_what_is_locked(client, team, locked, meant):
    preset = Preset.objects.create(
        user=factories.User.objects.get(pk=int(client.session["_auth_user_id"])),
        team=team,
        name="Evil",
        recipe=locked,
        values={**CHANGES, "idle_limit": "4h", "env": [{"name": "MODE", "value": "evil", "kind": "plain"}]},
        answers={"hours": 32400, "mode": "evil"},
    )
    answer = client.get(reverse("web:launch", args=[team.slug]), {"preset": preset.pk})
    assert answer.url == f"{at(locked)}?preset={preset.pk}"
    page = client.get(answer.url)
    assert send(client, locked, Fields(page.content.decode()).values).status_code == 302
    assert is_as_locked(only_job(), meant)


def test_no_relaunch_changes_what_is_locked(client, team, locked, meant):
    other = factories.make_job(
        team,
        spec=factories.make_spec(image="evil/image", gpu_count=8, env={"MODE": "evil", "MORE": "1"}),
        recipe_version=locked.current,
        answers={"hours": 32400, "mode": "evil"},
        idle_limit_s=60,
    )
    page = client.get(f"{at(locked)}?again={other.pk}")
    assert send(client, locked, Fields(page.content.decode()).values).status_code == 302
    assert is_as_locked(Job.objects.exclude(pk=other.pk).get(), meant)


def test_what_is_locked_says_so(client, locked):
    page = client.get(at(locked))
    assert page.content.count(b"Locked by the recipe") >= 12
    assert "MODE" in text_of(page)
    assert "in-mode" not in page.content.decode()
