"""Recipes for tests of pages."""

from __future__ import annotations

from typing import Any

from dispersed_web.accounts.models import User
from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.models import Recipe, RecipeVersion
from dispersed_web.teams.models import Team

COMFY = {
    "spec": {
        "task": "PERSISTENT",
        "title": "ComfyUI",
        "image": "dispersednetwork/comfyui",
        "tag": "latest",
        "min_vram_gb": 24,
        "min_storage_gb": 60,
        "ports": [22, 8188],
        "env": {"PROVISIONING": "basic"},
    },
    "inputs": [
        {"key": "gpu", "type": "gpu", "to": "gpu", "label": "GPU", "default": "any"},
        {
            "key": "model",
            "type": "choice",
            "to": "env.MODEL",
            "label": "Model",
            "help": "What is loaded at the start.",
            "default": "sdxl",
            "choices": [{"value": "sdxl", "label": "SDXL"}, {"value": "flux", "label": "FLUX.1"}],
        },
        {"key": "hf_token", "type": "secret", "to": "env.HF_TOKEN", "label": "Hugging Face token"},
        {"key": "key", "type": "ssh_key", "to": "ssh_key", "label": "Your SSH key", "required": True},
        {
            "key": "hours",
            "type": "duration",
            "to": "lifetime_s",
            "label": "For how long",
            "default": 7200,
            "maximum": 86400,
        },
    ],
    "locked": ["image", "env.PROVISIONING"],
    "autostop": {"idle_limit_s": 3600, "rate_cap_usd": "1.50"},
    "tags": ["images"],
    "connection": {
        "text": "Open the **web page** on port 8188.",
        "ssh_user": "root",
        "links": [{"port": 8188, "label": "ComfyUI", "path": "/"}],
    },
}
BATCH = {"spec": {"task": "BATCH", "title": "Benchmark", "image": "dispersednetwork/bench", "gpu_count": 1}}
ABOUT = "Pictures and video from text.\n\n- Starts with **SDXL**\n- Keeps nothing after it ends\n"


def make_recipe(
    team: Team, owner: User | None = None, name: str = "ComfyUI", document: Any = None, **fields: Any
) -> Recipe:
    """A recipe with one version; shared with the team unless ``visibility`` says otherwise."""
    values = {"visibility": "team", "category": "images", "icon": "images", "description_md": ABOUT, **fields}
    recipe = Recipe.objects.create(team=team, owner=owner, name=name, **values)
    add_version(recipe, document if document is not None else COMFY, "", owner)
    return recipe


def add_version(
    recipe: Recipe, document: dict[str, Any], note: str = "", user: User | None = None
) -> RecipeVersion:
    found, problems = from_anything(document)
    assert found is not None, problems
    number = recipe.versions.count() + 1
    version = RecipeVersion.objects.create(
        recipe=recipe, number=number, document=found.to_json(), note=note, made_by=user or recipe.owner
    )
    recipe.current = version
    recipe.save(update_fields=["current"])
    return version
