"""What is given to jobs, by the form and by the API of a product that runs as processes."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from tests import factories
from tests.canaries import markers
from tests.canaries.outside import AT, GIVEN, World, refused, taken
from tests.canaries.visitor import Visitor
from tests.web.launch_forms import Fields, env

ASKS = {
    "spec": {"task": "BATCH", "title": "Train", "image": "org/train"},
    "inputs": [
        {"key": "token", "type": "secret", "to": "env.HF_TOKEN", "required": True},
        {"key": "note", "type": "text", "to": "env.NOTE"},
    ],
}


def add_team_secret(world: World, owner: Visitor) -> str:
    typed = {"name": "hf-token", "value": markers.TEAM_SECRET, "note": "", "usable_by": "members"}
    for wrong in ({"name": markers.TEAM_SECRET}, {"note": "n" * 999}):
        with owner.typing(markers.TEAM_SECRET):
            refused(owner.post(f"{AT}/secrets/add/", typed | wrong))
    taken(owner.post(f"{AT}/secrets/add/", typed))
    return str(uuid.UUID(world.one("SELECT id FROM credentials_teamsecret")))


def give_private_keys(owner: Visitor) -> None:
    fields = {"name": "Key", "key": markers.PRIVATE_KEY}
    refused(owner.post("/me/ssh-keys/", fields))
    refused(owner.post(f"{AT}/team/ssh-keys/", fields))
    taken(owner.post("/me/ssh-keys/", fields | {"key": factories.SSH_KEY}))


def launch(owner: Visitor, secret: str, title: str) -> str:
    """By the form, after faults and a look; the path of the job."""
    page = f"{AT}/launch/"
    fields: dict[str, Any] = Fields(owner.get(f"{page}?example=development-environment").text).values | {
        "title": title,
        "image": "org/with-access-token",
        "registry_host": "registry.example.com",
        "registry_user": "reader",
        "registry_secret": markers.REGISTRY,
        "reach": "anyone",
        "lifetime": "1h",
        "volume-TOTAL_FORMS": "1",
        "volume-INITIAL_FORMS": "0",
    }
    volume = {"image": "org/data", "mount": "/data", "user": "robot", "secret": markers.VOLUME}
    fields |= {f"volume-0-{name}": value for name, value in volume.items()}
    rows = [("LICENCE", markers.ENV_VALUE, "secret"), ("HF_TOKEN", "", f"team:{secret}")]
    fields |= env(*rows, ("SANDBOX_BEHAVIOUR", "idle", "plain"))
    with owner.typing(*GIVEN):
        refused(owner.post(page, fields | {"ssh_key": markers.PRIVATE_KEY}))
        owner.post(page, fields | {"max_timeout_start": "never"})
        taken(owner.post(page, fields | {"review": "1"}))
        taken(owner.post(page, fields | {"preset_name": "Mine", "save_preset": "yes"}))
    answer = refused(owner.post(page, fields), 302)
    return str(answer.headers["location"])


def launch_by_api(world: World, secret: str) -> dict[str, Any]:
    """A job and one of a recipe, each after wrong ones; what was sent for the first."""
    api, key = (
        world.people["by admin"],
        world.one("SELECT id FROM credentials_credential WHERE state = 'active'"),
    )
    rows: list[dict[str, Any]] = [
        {"name": "LICENCE", "value": markers.ENV_VALUE, "secret": True},
        {"name": "HF_TOKEN", "team_secret_id": secret},
    ]
    body: dict[str, Any] = {
        "credential_id": str(uuid.UUID(key)),
        "task": "BATCH",
        "title": "By API",
        "same_again": True,
        "image": "org/train",
        "gpu_count": 1,
        "max_timeout_run_ms": 3_600_000,
        "registry_host": "registry.example.com",
        "registry_user": "reader",
        "registry_secret": markers.REGISTRY,
        "env": rows,
    }
    for wrong in (
        {"max_timeout_run_ms": 1},
        {"ssh_key": markers.PRIVATE_KEY},
        {"credential_id": markers.SECOND_KEY},
        {"task": markers.ENV_VALUE},
        {"registry_secret": [markers.REGISTRY]},
    ):
        refused(api.send("/api/v1/jobs", body | wrong, "wrong"), 400)
    taken(api.send("/api/v1/jobs", body, "right"))
    refused(api.send("/api/v1/jobs", body | {"title": "Other"}, "right"), 409)
    recipe = taken(
        api.send("/api/v1/recipes", {"name": "Train", "document": ASKS, "visibility": "team"})
    ).json()
    path = f"/api/v1/recipes/{recipe['id']}/launch"
    answers = {"credential_id": body["credential_id"], "answers": {"token": markers.ANSWER}}
    refused(api.send(path, answers | {"answers": {"token": {"x": markers.ANSWER}}}, "wrong-too"), 400)
    taken(api.send(path, answers | {"same_again": True}, "right-too"))
    return body


def learn_what_the_job_got(world: World, title: str) -> list[str]:
    """Its heartbeat's token, and what opens its doors."""
    (job,) = world.cloud.control.jobs(title=title)
    spec = json.dumps(world.cloud.control.job(job["uuid"])["spec"])
    heartbeat = re.search(r"/hb/([\w-]{43})", spec)[1]
    rows = world.cloud._cloud.store.rows("SELECT tokens FROM runs")
    doors = [one["token"] for row in rows for one in json.loads(row["tokens"])]
    assert doors
    world.needles.add("heartbeat", heartbeat)
    world.needles.add("door", *doors)
    return [*GIVEN, heartbeat, *doors]
