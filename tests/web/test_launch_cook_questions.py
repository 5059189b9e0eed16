"""A recipe of the cloud asks its own questions in the form that cooks it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from dispersed_web.dispersed import Recipe
from dispersed_web.jobs import cloud_recipes, specs
from dispersed_web.jobs.models import Job, Preset
from dispersed_web.recipes.cloud_questions import questions
from dispersed_web.sandbox.recipes import RECIPES
from dispersed_web.teams.models import Team
from tests import factories
from tests.web.launch_forms import address, env, member, only_job, opened, send, text_of

LLAMA = RECIPES[0]["uuid"]
SCHEMA: list[Any] = [
    {
        "key": "MODEL",
        "type": "select",
        "label": "Model",
        "required": True,
        "options": ["x"],
        "default_value": "",
    },
    {
        "key": "MODEL_NAME",
        "type": "string",
        "label": "Name of the model",
        "required": True,
        "default_value": "tiny",
    },
    {
        "key": "context",
        "type": "number",
        "label": "Context",
        "description": "Tokens.",
        "default_value": "4096",
    },
    {"key": "HF_TOKEN", "type": "string", "label": "Token", "required": True},
    {"key": "size", "type": "choice", "label": "Size", "options": [{"label": "Small", "value": "s"}]},
    {"key": "debug", "type": "boolean", "label": "Debug"},
    {"key": "strange", "type": {"of": ["a"]}, "label": ["?"], "options": "none", "default_value": {"a": 1}},
    {
        "key": "min_vram_gb",
        "type": "number",
        "label": "Memory of the card",
        "description": "The model needs it.",
        "required": True,
        "default_value": "24",
    },
    "nothing",
    {"label": "No key"},
]


def recipe(schema: list[Any] = SCHEMA) -> Recipe:
    return Recipe.from_json(RECIPES[0] | {"input_schema": schema})


def test_what_is_understood_becomes_a_question_and_nothing_breaks() -> None:
    found = {one.env_name: one for one in questions(recipe())}
    assert {"MODEL_NAME", "CONTEXT", "HF_TOKEN", "SIZE", "DEBUG", "STRANGE"} <= set(found)
    assert [
        found[name].type for name in ("MODEL_NAME", "CONTEXT", "HF_TOKEN", "SIZE", "DEBUG", "STRANGE")
    ] == [*("text", "number", "secret", "choice", "switch", "text")]
    assert (found["CONTEXT"].help, found["CONTEXT"].default) == ("Tokens.", 4096)
    assert found["HF_TOKEN"].required
    held = replace(recipe(), payload=replace(recipe().payload, secrets=("env.HF_TOKEN",)))
    assert not next(one for one in questions(held) if one.env_name == "HF_TOKEN").required


pytestmark = pytest.mark.django_db


@pytest.fixture
def team(client: Client, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setattr(cloud_recipes, "find", lambda *_: recipe())
    return member(client, "owner", ssh_key=factories.SSH_KEY)[0]


def cook(client: Client, team: Team, query: str = "") -> dict[str, Any]:
    return opened(client, team, f"?cook={LLAMA}{query}") | {
        "title": "Cooked",
        "reach": "anyone",
        "in-model": "x",
    }


def test_the_answers_are_sent_as_variables_secrets_sealed(client: Client, team: Team) -> None:
    fields = cook(client, team)
    page = client.get(address(team) + f"?cook={LLAMA}").content.decode()
    assert 'type="password" name="in-hf_token"' in page
    assert (fields["in-model_name"], fields["in-context"]) == (["tiny"], ["4096"])
    fields |= {"in-hf_token": "hf_canary", "in-context": "8192", "in-size": "s", "in-debug": "on"}
    answer = send(client, team, fields)
    assert answer.status_code == 302, answer.context["form"].errors
    job = only_job()
    spec = specs.restore(job)
    assert {name: spec.env[name] for name in ("MODEL_NAME", "CONTEXT", "HF_TOKEN", "SIZE", "DEBUG")} == {
        "MODEL_NAME": "tiny",
        "CONTEXT": "8192",
        "HF_TOKEN": "hf_canary",
        "SIZE": "s",
        "DEBUG": "true",
    }
    assert "STRANGE" not in spec.env
    assert "hf_canary" not in str(Job.objects.values().get())
    again = opened(client, team, f"?again={job.pk}")
    assert (again["in-context"], again["in-debug"], again["in-hf_token"]) == (["8192"], ["on"], [""])
    assert ["CONTEXT"] not in list(again.values())


def test_faults_stand_beside_the_questions_and_nothing_is_lost(client: Client, team: Team) -> None:
    fields = cook(client, team) | {"in-context": "many", "in-model_name": "", "in-hf_token": "hf_canary"}
    answer = send(client, team, fields | env(("CONTEXT", "1")))
    assert answer.status_code == 422
    form = answer.context["form"]
    assert {"in-context", "in-model_name"} <= set(form.inputs.errors)
    assert "“Context” asks for CONTEXT above." in text_of(answer)
    assert 'value="many"' in answer.content.decode()
    assert not Job.objects.exists()


def test_a_question_that_sets_a_field_keeps_its_words_and_is_the_field(client: Client, team: Team) -> None:
    page = client.get(address(team) + f"?cook={LLAMA}").content.decode()
    assert "Memory of the card" in page
    assert "The model needs it." in page
    assert 'name="min_vram_gb"' not in page
    fields = cook(client, team) | {"in-hf_token": "hf_canary"}
    assert fields["in-min_vram_gb"] == ["24"]
    answer = send(client, team, fields | {"in-min_vram_gb": "", "min_vram_gb": "8"})
    assert answer.status_code == 422
    assert "in-min_vram_gb" in answer.context["form"].inputs.errors
    assert send(client, team, fields | {"in-min_vram_gb": "48"}).status_code == 302
    job = only_job()
    assert specs.restore(job).min_vram_gb == 48
    assert opened(client, team, f"?again={job.pk}")["in-min_vram_gb"] == ["48"]
    assert opened(client, team, f"?cook={LLAMA}&in-min_vram_gb=16")["in-min_vram_gb"] == ["16"]


def test_a_preset_keeps_what_such_a_question_was_answered(client: Client, team: Team) -> None:
    fields = cook(client, team) | {"in-min_vram_gb": "48", "save_preset": "yes", "preset_name": "Mine"}
    send(client, team, fields)
    preset = Preset.objects.get()
    assert opened(client, team, f"?preset={preset.pk}")["min_vram_gb"] == ["48"]


def test_a_secret_of_the_team_answers_too(client: Client, team: Team) -> None:
    secret = factories.make_secret(team)
    fields = cook(client, team) | {"in-hf_token-from": f"team:{secret.pk}"}
    assert send(client, team, fields).status_code == 302
    job = only_job()
    assert job.secret_refs == {"env.HF_TOKEN": str(secret.pk)}
    assert opened(client, team, f"?again={job.pk}")["in-hf_token-from"] == [f"team:{secret.pk}"]
