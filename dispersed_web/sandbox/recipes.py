"""Official recipes, recipes of an account, and cooking.

Documented: the recipe object, cook with optional overrides, `source_recipe_uuid`, that recipes can be archived.
Seen in the field: the UUID of the llama.cpp recipe, and the trap that jobs cooked without connection fields
reach RUNNING and never get an address. The other recipes are ours, and so is that overrides replace field by
field (docker parameters and env entry by entry, null clears), and that an archived recipe cannot be cooked.
"""

from __future__ import annotations

from typing import Any

from .validate import JOB_FIELDS, invalid

CONNECTION_FIELDS = ("sshkey", "ports", "allowed_ips")
_MADE_AT = "2026-03-02T09:30:00.000Z"


def _recipe(
    uuid: str, name: str, description: str, image: str, min_vram_gb: int, **payload: Any
) -> dict[str, Any]:
    return {
        "object": "job_recipe",
        "uuid": uuid,
        "created_at": _MADE_AT,
        "updated_at": _MADE_AT,
        "last_used_at": None,
        "name": name,
        "description": description,
        "visibility": "PUBLIC",
        "is_official": True,
        "is_owner": False,
        "forked_from_recipe_uuid": None,
        "thumbnail_url": None,
        "quickstart_md": f"# {name}\n\n{description}\n",
        "payload": {**_payload(name, description, image, min_vram_gb), **payload},
        "input_schema": [_vram_question(min_vram_gb)],
    }


def _payload(title: str, description: str, image: str, min_vram_gb: int) -> dict[str, Any]:
    docker = {"image": image, "tag": "latest", "env": {"CUDA_VISIBLE_DEVICES": "0"}}
    return {
        "title": title,
        "task": "PERSISTENT",
        "description": description,
        "parameters": {"type": "docker", "parameters": docker},
        "cpu_count": 4,
        "gpu_count": 1,
        "min_vram_gb": min_vram_gb,
        "min_storage_gb": 40,
        "max_timeout_start_ms": 1_800_000,
        "max_timeout_run_ms": None,
    }


def _vram_question(least_gb: int) -> dict[str, Any]:
    return {
        "key": "min_vram_gb",
        "type": "number",
        "label": "VRAM (GB)",
        "required": False,
        "description": "The least memory the GPU must have.",
        "placeholder": str(least_gb),
        "default_value": str(least_gb),
        "options": [],
    }


RECIPES = (
    _recipe(
        "01a0114e-e7f8-4e76-a07a-f09fca41e2be",
        "llama.cpp server",
        "An OpenAI-compatible server with preloaded models.",
        "dispersednetwork/llama.cpp_accesstoken_preload",
        24,
    ),
    _recipe(
        "01a0121c-44d0-4b1e-9c52-3f7be1d08a11",
        "ComfyUI",
        "Node-based image generation behind a password.",
        "dispersednetwork/comfyui",
        16,
    ),
    _recipe(
        "01a01377-9a3e-4f06-8be4-77d0c2e5b9f3",
        "PyTorch benchmark",
        "FP16 throughput, memory bandwidth and a small MLP, then it ends.",
        "dispersednetwork/pytorch-benchmark",
        12,
        task="BATCH",
        max_timeout_run_ms=3_600_000,
    ),
)
# The first account of the tests, and that of a product which is tried out.
OWNERS = frozenset({"demo-north", "demo-lab"})


def _question(key: str, kind: str, label: str, **more: Any) -> dict[str, Any]:
    blank = {"required": False, "description": "", "placeholder": "", "default_value": "", "options": []}
    return {"key": key, "type": kind, "label": label, **blank, **more}


def _own(uuid: str, name: str, visibility: str, questions: list[dict[str, Any]]) -> dict[str, Any]:
    """A recipe of an account that uses every field there is."""
    made = _recipe(uuid, name, "A private image with data beside it.", "registry-user/finetune", 24)
    payload = made["payload"] | {
        "gpu_name": "RTX 4090",
        "min_ram_gb": 32,
        "min_storage_gb": 120,
        "max_node_count": 1,
        "max_retry_count": 2,
        "max_timeout_assign_ms": 900_000,
        "allowed_region_codes": ["us-east-1", "eu-central-1"],
        "image_size_bytes": 9_000_000_000,
    }
    payload["parameters"]["parameters"] |= {
        "tag": "v3",
        "host": "registry.example.com",
        "user": "__token__",
        "secret": "sandbox-registry-secret",
        "imagesrc": "registry",
        "ports": [22, 7860],
        "allowed_ips": ["203.0.113.0/24"],
        "env": {"MODEL": "tiny", "HF_TOKEN": "sandbox-hugging-face-token"},
        "volumes": [
            {
                "image": "registry-user/data",
                "tag": "v1",
                "registry": "registry.example.com",
                "user": "__token__",
                "secret": "sandbox-volume-secret",
                "mount": "/data",
            }
        ],
    }
    return made | {
        "visibility": visibility,
        "is_official": False,
        "is_owner": True,
        "forked_from_recipe_uuid": RECIPES[0]["uuid"],
        "last_used_at": "2026-05-04T08:00:00.000Z",
        "payload": payload,
        "input_schema": questions,
    }


OWN = (
    _own(
        "01a01402-6c1d-4a55-8f3e-2b9d1c7e5a10",
        "Fine-tune with my data",
        "PRIVATE",
        [
            _question("gpu_count", "number", "GPUs", default_value="1"),
            _question("MODEL", "select", "Base model", required=True, default_value="tiny", options=[
                {"label": "Tiny (1B)", "value": "tiny"}, {"label": "Large (8B)", "value": "large"},
            ]),
            _question("RUN_NAME", "text", "Name of the run", placeholder="tuesday"),
            _question("NOTES", "textarea", "Notes"),
            _question("EPOCHS", "number", "Epochs", required=True, default_value="3"),
            _question("PUSH", "boolean", "Push the result", default_value="true"),
            _question("WANDB_API_KEY", "secret", "Weights & Biases key"),
            _question("sshkey", "text", "SSH key"),
            _question("dataset", "dataset_picker", "Data set", description="Chosen in the console."),
        ],
    ),
    _own("01a01403-0b7a-4d0c-9a61-5e8f7d3c2b11", "An old experiment", "ARCHIVED", []),
)  # fmt: skip


def visible_to(account_name: str) -> tuple[dict[str, Any], ...]:
    """The official recipes, and those of the account."""
    return (*RECIPES, *OWN) if account_name in OWNERS else RECIPES


def cooked_body(recipe: dict[str, Any], overrides: object) -> dict[str, Any]:
    """The create body of a recipe with the caller's overrides laid over it."""
    if not isinstance(overrides, dict):
        raise invalid("The body must be a JSON object.")
    body = {**recipe["payload"], **{name: overrides[name] for name in JOB_FIELDS if name in overrides}}
    body["parameters"] = {"type": "docker", "parameters": _docker(recipe, overrides)}
    return body


def is_unreachable(overrides: dict[str, Any]) -> bool:
    """Whether the known trap springs: no connection field among the overrides."""
    given = (overrides.get("parameters") or {}).get("parameters") or {}
    return not any(given.get(name) for name in CONNECTION_FIELDS)


def _docker(recipe: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    given = overrides.get("parameters")
    if given is not None and not (isinstance(given, dict) and isinstance(given.get("parameters", {}), dict)):
        raise invalid("parameters must be an object {type, parameters}.")
    base = recipe["payload"]["parameters"]["parameters"]
    inner = (given or {}).get("parameters") or {}
    env = inner.get("env") or {}
    return {**base, **inner, "env": {**base.get("env", {}), **env} if isinstance(env, dict) else env}
