"""Cooking: launching from a recipe of the cloud. What was chosen here is sent whole, as overrides of the recipe.

How the cloud joins overrides with its recipe is not documented, and jobs cooked without connection fields were seen to
run without ever getting an address. So nothing is left to the recipe that has a field here: what the recipe sets and
the launcher emptied is sent as empty. Only its secrets stay with the cloud, and they stay with the image and the
registry that they are for: otherwise whoever cooks the recipe could hand them to a machine or registry of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import Client, RecipePayload
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.jobs import cloud_recipes, specs
from dispersed_web.jobs.models import Job

# What a create call means where it names none (documented minima and defaults): sent, so that a recipe's do not hold.
MEANT = {
    "cpu_count": 0,
    "gpu_count": 1,
    "min_vram_gb": 0,
    "min_ram_gb": 0,
    "min_storage_gb": 0,
    "max_node_count": 1,
    "max_retry_count": 0,
    "max_timeout_assign_ms": 300_000,
    "max_timeout_start_ms": 300_000,
}
SSH_PORTS = [22]
ANYONE = ["0.0.0.0/0"]
# Field of the call and of a recipe, how it is emptied.
_OUTER_EMPTY: dict[str, Any] = {"gpu_name": None, "gpu_registry_uuid": None, "allowed_region_codes": []}
_DOCKER_EMPTY: dict[str, tuple[str, Any]] = {
    "tag": ("tag", ""),
    "host": ("registry_host", ""),
    "imagesrc": ("image_source", ""),
    "sshkey": ("ssh_key", ""),
    "ports": ("ports", []),
    "volumes": ("volumes", []),
}


class RecipeUnread(Exception):
    """The recipe could not be looked at just now, so what it would add is not known. Nothing was sent."""


@sensitive_variables()
def body_to_send(job: Job) -> dict[str, Any]:
    """The body of the job's one request: of a create call, or the overrides of a cook. The recipe is looked at now, as it
    may have been changed since it was shown here: what it sets since then would be in the machine, or get the launcher's
    password. So never call it in a transaction. Raises :class:`RecipeUnread`."""
    body = specs.body_to_send(job)
    if not job.cook_uuid:
        return body
    seen = cloud_recipes.look(job.credential, job.cook_uuid, team_id=job.team_id)
    if seen.recipe is None and not seen.is_gone:
        raise RecipeUnread(seen.trouble)
    return overrides(body, seen.recipe.payload if seen.recipe else None)


@sensitive_variables()
def overrides(body: Mapping[str, Any], payload: RecipePayload | None) -> dict[str, Any]:
    """The body of a create call as overrides of a recipe with that ``payload``; one that is not known may set anything.
    Pure.

    Variables of the recipe that the body does not name cannot be taken away, only given another value.
    """
    docker = dict(body["parameters"]["parameters"])
    if docker.get("sshkey") and not docker.get("ports"):
        docker["ports"] = SSH_PORTS
    if docker.get("ports") and not docker.get("allowed_ips"):
        docker["allowed_ips"] = ANYONE
    whole = {**MEANT, **body}
    for name, empty in _OUTER_EMPTY.items():
        if payload is None or getattr(payload, name):
            whole.setdefault(name, empty)
    for name, (field, empty) in _DOCKER_EMPTY.items():
        if payload is None or getattr(payload, field):
            docker.setdefault(name, empty)
    docker = {**_withheld(docker, payload), **docker}
    docker["env"] = {**_withheld_env(docker, payload), **docker.get("env", {})}
    return {**whole, "parameters": {**body["parameters"], "parameters": docker}}


@sensitive_variables()
def _withheld(docker: Mapping[str, Any], payload: RecipePayload | None) -> dict[str, str]:
    """The recipe's login, emptied where another registry would be given it."""
    same = payload is not None and docker.get("host", "") == payload.registry_host
    return {} if same else {"user": "", "secret": ""}


@sensitive_variables()
def _withheld_env(docker: Mapping[str, Any], payload: RecipePayload | None) -> dict[str, str]:
    """The recipe's secret variables, emptied where another image would read them."""
    if payload is None:
        return {}
    meant = (payload.image, payload.registry_host, payload.image_source)
    if tuple(docker.get(name, "") for name in ("image", "host", "imagesrc")) == meant:
        return {}
    names = [one.removeprefix("env.") for one in payload.secrets if one.startswith("env.")]
    return dict.fromkeys(names, "")


@sensitive_variables()
def post(client: Client, job: Job, body: Mapping[str, Any], **once: Any) -> RemoteJob:
    """Sends the job's one request; ``once`` is what :meth:`Client.create_job` takes beside the body."""
    if job.cook_uuid:
        return client.cook_job_recipe(job.cook_uuid, body, **once)
    return client.create_job(body, **once)
