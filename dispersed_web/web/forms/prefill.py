"""What stands in a fresh launch form: the defaults, an example, or a past job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings

from dispersed_web.accounts.models import User
from dispersed_web.autostop import choices
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import BATCH, PERSISTENT
from dispersed_web.jobs import rate
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.secret_refs import NONE, Known
from dispersed_web.recipes import references
from dispersed_web.recipes.document import REGISTRY_SECRET, Document
from dispersed_web.recipes.models import RecipeVersion
from dispersed_web.recipes.references import TEAM_SECRET, VOLUME
from dispersed_web.recipes.render import render
from dispersed_web.teams.models import AutostopPolicy, Team
from dispersed_web.web.forms.filling import Filling
from dispersed_web.web.forms.order import ANY_GPU, ANYONE, GPU_BY_NAME, SAME_NAME, TIMEOUTS
from dispersed_web.web.forms.recipe_values import fixed_names, values_of
from dispersed_web.web.forms.stop_choices import initial_of
from dispersed_web.web.forms.team_secrets import choice_of
from dispersed_web.web.forms.visitor import Visitor
from dispersed_web.web.launch.examples import Example

MINUTE_S = 60


def fresh(team: Team, user: User, visitor: Visitor, credentials: Sequence[Credential]) -> Filling:
    """The defaults: with these only title and image are left to fill.

    The start may take half an hour, because the cloud's own five minutes are too short for large images (seen in the
    field: nine minutes for 22 GB). Behind a private address nobody is chosen to connect, except in the simulation.
    """
    reach = "me" if visitor.public else "anyone" if settings.DISPERSED_SIMULATED else ""
    values = {
        "task": BATCH,
        "gpu": ANY_GPU,
        "gpu_count": 1,
        "max_node_count": 1,
        "max_retry_count": 0,
        "max_timeout_assign": 10 * MINUTE_S,
        "max_timeout_start": 30 * MINUTE_S,
        "max_timeout_run": 60 * MINUTE_S,
        "lifetime": team.default_lifetime_s,
        "ssh_key": user.default_ssh_key,
        "reach": reach,
        "credential": credentials[0].pk if credentials else None,
    }
    return Filling(values)


def from_example(filling: Filling, example: Example) -> Filling:
    return Filling(filling.values | example.values)


def from_recipe(filling: Filling, version: RecipeVersion, team: Team, known: Known = NONE) -> Filling:
    """What the recipe says where it says something, inside what the team allows; the title is the recipe's name."""
    document = Document.from_json(version.document)
    values = values_of(render(document, {})) | {"volumes": _volumes_of(document)}
    if "lifetime" in values:
        values["lifetime"] = min(values["lifetime"], team.max_lifetime_s)
    policy = AutostopPolicy.of(team.pk)
    most_s = max(policy.high_idle_max_s, policy.medium_idle_max_s)
    for name, most in (("idle_limit", most_s), ("checkin_every", policy.checkin_every_max_s)):
        if values.get(name):
            values[name] = min(values[name], most)
    fixed = fixed_names(document)
    env = [
        {"name": name, "value": value, "kind": "plain"}
        for name, value in document.env.items()
        if name not in fixed
    ]
    env += [
        {"name": name, "value": "", "kind": "secret", "team_secret": secret}
        for name, secret in document.secret_variables.items()
        if name not in fixed
    ]
    note = _note_of_secrets(document, known)
    return Filling({**filling.values, "title": version.recipe.name} | values, env, note)


def _note_of_secrets(document: Document, known: Known) -> str:
    """Which secrets that the recipe names cannot be used: without them the form would begin as if none were named."""
    named = dict.fromkeys(document.secrets.values())
    missing = [references.words(name) for name in named if not choice_of(name, known)]
    if not missing:
        return ""
    return (
        f"This recipe names {', '.join(missing)}, which you may not use or the team does not have. "
        "Choose another or type the value, unless it is locked; or ask one of the team's admins."
    )


def _volumes_of(document: Document) -> list[dict[str, Any]]:
    """The rows of a recipe's volumes, with the names of the secrets that they get."""
    named = document.secret_volumes
    return [
        {**one, TEAM_SECRET: named[one["mount"]]} if one.get("mount") in named else dict(one)
        for one in document.spec.get("volumes") or ()
    ]


def from_job_of_recipe(filling: Filling, job: Job, past: Filling, document: Document) -> Filling:
    """The same again in the form of the recipe as it is now: ``past`` is what :func:`from_job` reads of the job, of which
    everything counts that the recipe leaves open."""
    asked_rows = {
        name for one in document.inputs if one.type == "env" for name in (job.answers.get(one.key) or {})
    }
    taken = fixed_names(document) | asked_rows
    env = [row for row in past.env if row["name"] not in taken]
    return Filling(filling.values | past.values, env, past.note, dict(job.answers))


def from_job(
    filling: Filling, job: Job, visitor: Visitor, credentials: Sequence[Credential], known: Known = NONE
) -> Filling:
    """The same again, without its secrets: nothing reads those back to a person. Those of the team are named again, as far
    as whoever launches may use them."""
    spec = job.spec
    values = {name: spec.get(name) for name in SAME_NAME if spec.get(name) is not None}
    for name in TIMEOUTS:
        if spec.get(f"{name}_ms"):
            values[name] = spec[f"{name}_ms"] // 1000
    values |= {"title": job.title, "task": job.task, "ports": tuple(spec.get("ports") or ())}
    values |= {
        "ssh_key": spec.get("ssh_key", ""),
        "allowed_region_codes": spec.get("allowed_region_codes") or [],
        "volumes": [_volume(one, job, known) for one in spec.get("volumes") or ()],
    }
    values |= _gpu(spec) | _reach(spec, visitor)
    if job.task == PERSISTENT and job.lifetime_s:
        values["lifetime"] = min(job.lifetime_s, job.team.max_lifetime_s)
    values |= _choices(job, AutostopPolicy.of(job.team_id))
    if job.credential_id in {credential.pk for credential in credentials}:
        values["credential"] = job.credential_id
    env = [
        {"name": row["name"], "value": row["value"] or "", "kind": "secret" if row["secret"] else "plain"}
        for row in spec.get("env", [])
    ]
    for row in env:
        row["team_secret"] = choice_of(job.secret_refs.get(f"env.{row['name']}"), known)
    values["registry_from"] = choice_of(job.secret_refs.get(REGISTRY_SECRET), known)
    return Filling(filling.values | values, env, _note(job, env, values["registry_from"]))


def _choices(job: Job, policy: AutostopPolicy) -> dict[str, Any]:
    """What was chosen for it, as far as the team allows it now. The usual cap follows the new quote."""
    chosen = choices.of(job)
    most_s = max(policy.high_idle_max_s, policy.medium_idle_max_s)
    usual_cap_usd = rate.cap(None, job.quoted_usd)
    return initial_of(
        replace(
            chosen,
            idle_limit_s=_at_most(chosen.idle_limit_s, most_s),
            checkin_every_s=_at_most(chosen.checkin_every_s, policy.checkin_every_max_s),
            rate_cap_usd=None if chosen.rate_cap_usd == usual_cap_usd else chosen.rate_cap_usd,
        )
    )


def _volume(volume: dict[str, Any], job: Job, known: Known) -> dict[str, Any]:
    """Named again as far as whoever launches may use the secret; else it is to be typed."""
    chosen = choice_of(job.secret_refs.get(f"{VOLUME}{volume['mount']}"), known)
    return {name: value for name, value in volume.items() if name != TEAM_SECRET or chosen}


def _at_most(value: int | None, most: int) -> int | None:
    return value if value is None else min(value, most)


def _gpu(spec: dict[str, Any]) -> dict[str, Any]:
    if spec.get("gpu_registry_uuid"):
        return {"gpu": spec["gpu_registry_uuid"]}
    if spec.get("gpu_name"):
        return {"gpu": GPU_BY_NAME, "gpu_name": spec["gpu_name"]}
    return {}


def _reach(spec: dict[str, Any], visitor: Visitor) -> dict[str, Any]:
    addresses = spec.get("allowed_ips") or []
    if not addresses:
        return {}
    if ANYONE in addresses:
        return {"reach": "anyone"}
    if addresses == [visitor.network]:
        return {"reach": "me"}
    return {"reach": "list", "allowed_ips": tuple(addresses)}


def _note(job: Job, env: list[dict[str, Any]], registry_from: str) -> str:
    missing = [row["name"] for row in env if row["kind"] == "secret" and not row["team_secret"]]
    if job.spec.get("has_registry_secret") and not registry_from:
        missing.append("the registry's password")
    missing += [
        f"the registry's password of the volume at {one['mount']}"
        for one in job.spec.get("volumes") or ()
        if one.get("has_secret") and not one.get("team_secret")
    ]
    if not missing:
        return ""
    return f"Secrets are never read back. Type these again: {', '.join(missing)}."
