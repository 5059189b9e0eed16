"""Recipes of the cloud taken over: nothing is lost, and what cannot be taken over is said."""

from __future__ import annotations

import pytest

from dispersed_web.dispersed import Recipe
from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.cloud import Import, to_import
from dispersed_web.sandbox.recipes import OWN, RECIPES

BY_UUID = {recipe["uuid"]: recipe for recipe in (*RECIPES, *OWN)}
MINE = OWN[0]["uuid"]


def imported(uuid: str = MINE, **changes: object) -> Import:
    return to_import(Recipe.from_json({**BY_UUID[uuid], **changes}))


def asked(
    *questions: dict[str, object], docker: dict[str, object] | None = None, **payload: object
) -> Import:
    body = {"task": "PERSISTENT", "title": "x", **payload}
    body["parameters"] = {"type": "docker", "parameters": {"image": "x", **(docker or {})}}
    return to_import(
        Recipe.from_json({"uuid": "r", "name": "R", "payload": body, "input_schema": list(questions)})
    )


def by_key(made: Import) -> dict[str, dict[str, object]]:
    return {one["key"]: one for one in made.document["inputs"]}


@pytest.mark.parametrize("uuid", BY_UUID)
def test_every_recipe_of_the_sandbox_makes_a_document_without_problems(uuid: str) -> None:
    made = imported(uuid)
    assert made.fault == ""
    assert from_anything(made.document)[1] == []
    assert made.source == f"cloud:{uuid}"
    assert made.description_md == BY_UUID[uuid]["description"]


def test_the_whole_payload_is_kept_but_for_its_secrets() -> None:
    made = imported()
    spec = made.document["spec"]
    assert {
        name: spec[name] for name in ("image", "tag", "registry_host", "registry_user", "image_source")
    } == {
        "image": "registry-user/finetune",
        "tag": "v3",
        "registry_host": "registry.example.com",
        "registry_user": "__token__",
        "image_source": "registry",
    }
    assert (spec["min_vram_gb"], spec["min_ram_gb"], spec["min_storage_gb"], spec["cpu_count"]) == (
        24,
        32,
        120,
        4,
    )
    assert (spec["max_timeout_assign_ms"], spec["max_timeout_start_ms"]) == (900_000, 1_800_000)
    assert (spec["gpu_name"], spec["allowed_region_codes"]) == ("RTX 4090", ["us-east-1", "eu-central-1"])
    assert (spec["ports"], spec["allowed_ips"], spec["max_retry_count"]) == (
        [22, 7860],
        ["203.0.113.0/24"],
        2,
    )
    assert spec["env"] == {"MODEL": "tiny"}
    assert spec["volumes"] == [
        {
            "image": "registry-user/data",
            "tag": "v1",
            "registry": "registry.example.com",
            "user": "__token__",
            "mount": "/data",
        }
    ]
    assert "sandbox-" not in str(made)
    assert any("volume at /data" in note for note in made.notes)


def test_questions_become_inputs_of_our_types() -> None:
    made = imported()
    inputs = by_key(made)
    assert {key: (one["type"], one["to"]) for key, one in inputs.items()} == {
        "gpu_count": ("number", "gpu_count"),
        "model": ("choice", "env.MODEL"),
        "run_name": ("text", "env.RUN_NAME"),
        "notes": ("lines", "env.NOTES"),
        "epochs": ("number", "env.EPOCHS"),
        "push": ("switch", "env.PUSH"),
        "wandb_api_key": ("secret", "env.WANDB_API_KEY"),
        "sshkey": ("ssh_key", "ssh_key"),
        "dataset": ("text", "env.DATASET"),
        "registry_secret": ("secret", "registry_secret"),
        "hf_token": ("secret", "env.HF_TOKEN"),
    }
    assert inputs["model"]["default"] == "tiny"
    assert inputs["model"]["choices"] == [
        {"value": "tiny", "label": "Tiny (1B)"},
        {"value": "large", "label": "Large (8B)"},
    ]
    assert (inputs["epochs"]["default"], inputs["push"]["default"], inputs["epochs"]["required"]) == (
        3,
        True,
        True,
    )
    assert (inputs["push"]["on"], inputs["push"]["off"]) == ("true", "false")


def test_what_is_not_known_or_guessed_is_said() -> None:
    notes = "\n".join(imported().notes)
    assert "“Data set” is of a kind that is not known here (dataset_picker)" in notes
    assert "“Epochs” sets EPOCHS" in notes
    assert "“Base model” sets" not in notes  # the recipe itself has this variable


@pytest.mark.parametrize(
    ("question", "kind", "to", "default"),
    [
        ({"key": "min_vram_gb", "type": "number", "default_value": "24"}, "number", "min_vram_gb", 24),
        ({"key": "min_vram_gb", "type": "text"}, "number", "min_vram_gb", 16),
        (
            {"key": "max_timeout_start_ms", "type": "number", "default_value": 600_000},
            "duration",
            None,
            "10m",
        ),
        ({"key": "gpu_name", "type": "text", "default_value": "RTX 4090"}, "gpu", "gpu", "RTX 4090"),
        ({"key": "gpu_registry_uuid", "type": "gpu"}, "gpu", "gpu", "any"),
        ({"key": "ports", "type": "text", "default_value": "22, 80"}, "ports", "ports", ["22", "80"]),
        ({"key": "allowed_ips", "type": "text"}, "addresses", "allowed_ips", None),
        ({"key": "host", "type": "text"}, "text", "registry_host", None),
        ({"key": "secret", "type": "text", "default_value": "leak"}, "secret", "registry_secret", None),
        (
            {"key": "parameters.parameters.env.STEPS", "type": "number", "default_value": "5"},
            "number",
            "env.STEPS",
            5,
        ),
        ({"key": "parameters.parameters.tag", "type": "text", "default_value": "v2"}, "text", "tag", "v2"),
        ({"key": "model-name", "type": "text"}, "text", "env.MODEL_NAME", None),
        ({"key": "steps", "type": "number"}, "number", "env.STEPS", 7),
        ({"key": "3d", "type": "text"}, "text", "env._3D", None),
        ({"key": "API_KEY", "type": "text", "default_value": "leak"}, "secret", "env.API_KEY", None),
        ({"key": "task", "type": "select", "options": [{"value": "BATCH"}]}, "choice", "task", None),
        ({"key": "size", "type": "select", "options": []}, "text", "env.SIZE", None),
        ({"key": "volumes", "type": "text"}, "text", "env.VOLUMES", None),
    ],
)
def test_where_an_answer_goes(
    question: dict[str, object], kind: str, to: str | None, default: object
) -> None:
    made = asked(question, docker={"env": {"STEPS": "7"}}, min_vram_gb=16)
    one = made.document["inputs"][0]
    assert (one["type"], one["to"]) == (kind, to or question["key"])
    assert one.get("default") == default
    assert "leak" not in str(made)


def test_two_questions_for_one_thing_and_keys_that_look_the_same() -> None:
    made = asked(
        {"key": "gpu_name", "type": "text"},
        {"key": "gpu_registry_uuid", "type": "text", "label": "Card"},
        {"key": "A B", "type": "text"},
        {"key": "a-b", "type": "text"},
        {"key": "A.B.", "type": "text"},
    )
    assert set(by_key(made)) == {"gpu_name", "a_b", "a_b_2", "ssh_key"}
    assert any(note.startswith("“Card” was left out") for note in made.notes)


def test_what_the_document_may_not_have_is_taken_out_with_a_note() -> None:
    made = asked(
        {"key": "gpu_count", "type": "number", "default_value": "many"},
        {"key": "PICK", "type": "select", "options": [{"value": "a"}, {"value": "a"}]},
        {},
        docker={"env": {"1A": "x", "OK": "y", "NAME": "ü"}, "ports": [0, 22], "image": "x:v1"},
        max_timeout_assign_ms=1000,
        allowed_region_codes=["moon-1"],
    )
    assert made.fault == ""
    spec = made.document["spec"]
    assert (spec["image"], spec["tag"], spec["env"]) == ("x", "v1", {"OK": "y"})
    assert "ports" not in spec
    assert "allowed_region_codes" not in spec
    notes = "\n".join(made.notes)
    for word in (
        "1A",
        "NAME",
        "Ports",
        "Max timeout assign",
        "region codes",
        "The default of",
        "PICK",
        "1 of its",
    ):
        assert word in notes, word


@pytest.mark.parametrize(
    "payload", [None, {}, {"task": "BATCH"}, {"parameters": {"parameters": {"image": ""}}}]
)
def test_a_recipe_without_an_image_cannot_be_taken_over(payload: object) -> None:
    made = to_import(Recipe.from_json({"uuid": "r", "payload": payload}))
    assert "image" in made.fault
    assert made.name == "Recipe of Dispersed"


def test_a_task_that_is_not_known_and_a_key_of_its_author() -> None:
    made = asked(task="SERVICE", docker={"sshkey": "ssh-ed25519 AAAA author"})
    assert made.document["spec"]["task"] == "PERSISTENT"
    assert "author" not in str(made.document)
    assert any("SERVICE" in note for note in made.notes)
    assert any("SSH key" in note for note in made.notes)
