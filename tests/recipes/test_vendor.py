"""Job files of the vendor's kind, and jobs of ours, as recipes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispersed_web.events.record import Actor
from dispersed_web.jobs import specs
from dispersed_web.jobs.states import Status
from dispersed_web.recipes import keeping, vendor
from dispersed_web.recipes.document import Document
from tests import factories
from tests.factories import SSH_KEY
from tests.jobs.world import World
from tests.recipes.launching import ask_for, let_it_come

UNUSED = {"image": "", "tag": "", "host": "", "user": "", "secret": "", "sshkey": "", "volumes": []}


def job_file(task: str, env: dict[str, Any] | None = None, **inner: Any) -> dict[str, Any]:
    """A body of the create call with everything that a person fills in left empty."""
    return {
        "task": task,
        "title": "Render of the night",
        "description": "Renders what came in during the day",
        "cpu_count": 4,
        "gpu_count": 1,
        "min_vram_gb": 20,
        "min_storage_gb": 40,
        "max_timeout_run_ms": 5_400_000 if task == "BATCH" else None,
        "max_timeout_assign_ms": 300_000,
        "max_timeout_start_ms": 300_000,
        "max_node_count": 1,
        "max_retry_count": 0,
        "parameters": {"type": "docker", "parameters": {**UNUSED, "env": env or {}, **inner}},
    }


FILES = {
    "batch with a bucket": job_file("BATCH", {"QUALITY": "high", "BUCKET": "", "AWS_SECRET_ACCESS_KEY": ""}),
    "batch with nothing to say": job_file("BATCH"),
    "server": job_file("PERSISTENT", {"QUALITY": "high"}, ports=[22, 8080], allowed_ips=["0.0.0.0/0"]),
    "server with a token": job_file("PERSISTENT", {"API_TOKEN": "", "PROJECT": None}, ports=[22, 8080]),
    "everything null": job_file(
        "BATCH", None, volumes=None, ports=None, allowed_ips=None, host=None, user=None
    ),
}
ANSWERS = {
    "image": "registry-user/night",
    "tag": "3",
    "bucket": "frames",
    "aws_secret_access_key": "aws-canary",
    "api_token": "token-canary",
    "project": "42",
    "registry_secret": "registry-canary",
}


def document_of(data: dict[str, Any]) -> Document:
    (taken,), problems = vendor.from_text(json.dumps(data))
    assert not problems
    assert taken.document is not None, taken.problems
    return taken.document


def test_what_is_empty_is_asked_for_and_the_rest_is_as_it_was() -> None:
    document = document_of(FILES["batch with a bucket"])
    asked = {one.to: (one.type, one.required) for one in document.inputs}
    assert asked == {
        "image": ("text", True),
        "tag": ("text", True),
        "registry_host": ("text", False),
        "registry_user": ("text", False),
        "registry_secret": ("secret", False),
        "ssh_key": ("ssh_key", False),
        "env.BUCKET": ("text", True),
        "env.AWS_SECRET_ACCESS_KEY": ("secret", True),
    }
    spec = FILES["batch with a bucket"]
    kept = {name: document.spec[name] for name in spec if name not in ("parameters",)}
    assert kept == {name: value for name, value in spec.items() if name != "parameters"}
    assert document.env == {"QUALITY": "high"}


def test_a_server_needs_a_key_and_keeps_its_ports() -> None:
    document = document_of(FILES["server"])
    assert next(one for one in document.inputs if one.to == "ssh_key").required
    assert (document.spec["ports"], document.spec["allowed_ips"]) == ([22, 8080], ["0.0.0.0/0"])
    assert "max_timeout_run_ms" not in document.spec


def test_no_secret_and_no_key_of_a_file_is_kept() -> None:
    volume = {
        "image": "data",
        "mount": "/data",
        "tag": "",
        "registry": "",
        "user": "",
        "secret": "volume-canary",
    }
    data = job_file(
        "PERSISTENT", {"HF_TOKEN": "hf_canary"}, secret="s-canary", sshkey=SSH_KEY, volumes=[volume]
    )
    (taken,), _ = vendor.from_text(json.dumps(data))
    assert taken.document is not None
    text = json.dumps(taken.document.to_json())
    assert "canary" not in text
    assert "ssh-ed25519" not in text
    assert taken.document.spec["volumes"] == [{"image": "data", "mount": "/data"}]
    assert taken.notes == ["The registry password of a volume was left out: a recipe holds no secrets."]
    needed = {one.to for one in taken.document.inputs if one.required}
    assert needed == {"image", "tag", "registry_secret", "ssh_key", "env.HF_TOKEN"}


@pytest.mark.parametrize(
    "value", ["hf_canaryCanary12", "https://me:canary@example.com/data", "glpat-canary-canary"]
)
def test_a_secret_under_an_innocent_name_is_left_behind_too(value: str) -> None:
    taken = vendor.from_vendor(job_file("BATCH", {"SOURCE": value}, image="org/i", tag="1"))
    assert taken.document is not None, taken.problems
    assert "anary" not in json.dumps(taken.document.to_json())
    assert [(one.type, one.to) for one in taken.document.inputs if one.env_name] == [("secret", "env.SOURCE")]


def test_what_is_not_known_is_named() -> None:
    data = {**job_file("BATCH", {"A-B": "x"}, shm_size=1), "image_size_bytes": 5}
    (taken,), _ = vendor.from_text(json.dumps(data))
    assert [note.split("”")[0] for note in taken.notes] == ["“A-B", "“image_size_bytes", "“shm_size"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", (1, 1)),
        ('{\n  "task": BATCH}', (2, 11)),
        ('{"task": "BATCH", "task": "BATCH"}', (1, 1)),
        ("[]", (1, 1)),
        ("[" * 100_000, (1, 1)),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text: str, place: tuple[int, int]) -> None:
    taken, (problem,) = vendor.from_text(text)
    assert not taken
    assert (problem.line, problem.column) == place


@pytest.mark.parametrize(
    "data", [1, {}, {"task": "BATCH"}, {"task": "BATCH", "parameters": {"type": "vm", "parameters": {}}}]
)
def test_what_is_no_job_is_told(data: Any) -> None:
    (taken,), _ = vendor.from_text(json.dumps([data]))
    assert taken.document is None
    assert taken.problems


def test_a_job_that_cannot_be_is_told() -> None:
    (taken,), _ = vendor.from_text(json.dumps(job_file("SOMETIMES")))
    assert [one.path for one in taken.problems] == [("spec", "task")]


@pytest.mark.parametrize("name", FILES)
def test_a_file_launches_as_it_is_but_for_what_was_filled_in(world: World, name: str) -> None:
    document = document_of(FILES[name])
    actor = Actor.person(world.user)
    about = {"name": name, "owner": world.user, "actor": actor, "now": world.clock.now}
    recipe = keeping.create(world.team, document=document, **about)
    asked = {one.key for one in document.inputs}
    job = world.send(world.request(ask_for(recipe, **{key: ANSWERS[key] for key in asked & set(ANSWERS)})))
    assert job.remote_uuid, job.reason_text
    (sent,) = world.in_ledger(job)
    body = world.control.job(sent["uuid"])["spec"]
    given = FILES[name]
    assert body["title"] == f"{given['title']} {job.marker}"
    for field in set(given) - {"title", "description", "parameters"}:
        assert body[field] == given[field], field
    docker, ours = given["parameters"]["parameters"], body["parameters"]["parameters"]
    assert (ours["image"], ours["tag"]) == ("registry-user/night", "3")
    for field in ("ports", "allowed_ips"):
        assert ours.get(field) == (docker.get(field) or None)
    for variable, value in (docker["env"] or {}).items():
        assert ours["env"][variable] == (value or ANSWERS[variable.lower()])
    assert "canary" not in str(job.__class__.objects.filter(pk=job.pk).values().get())
    let_it_come(world, job)
    assert job.status == (Status.COMPLETED if job.task == "BATCH" else Status.RUNNING)


def test_a_job_of_ours_becomes_a_recipe_that_asks_for_its_secrets() -> None:
    spec = factories.make_spec(
        env={"A": "1", "EMPTY": "", "HF_TOKEN": "hf_canary", "PLAIN_KEY": "x"},
        allowed_ips=("203.0.113.7",),
        min_vram_gb=24,
        gpu_name="RTX 5090",
    )
    plain = specs.plain_part(spec, frozenset({"HF_TOKEN"}))
    autostop = {"idle_limit_s": 900, "budget_usd": None}
    taken = vendor.from_job("PERSISTENT", "Größe", plain, autostop=autostop, tags=["nightly"])
    document = taken.document
    assert document is not None, taken.problems
    assert (taken.about["name"], document.spec["title"], document.spec["gpu_name"]) == (
        "Größe",
        "Größe",
        "RTX 5090",
    )
    assert document.env == {"A": "1", "EMPTY": ""}
    assert document.spec["ports"] == [22, 8888]
    asked = {one.to: one.type for one in document.inputs}
    assert asked == {
        "ssh_key": "ssh_key",
        "allowed_ips": "addresses",
        "env.HF_TOKEN": "secret",
        "env.PLAIN_KEY": "secret",
    }
    assert (document.autostop, document.tags) == ({"idle_limit_s": 900}, ("nightly",))
    assert "canary" not in json.dumps(document.to_json())


def test_the_bare_job_of_ours_becomes_a_recipe() -> None:
    plain = specs.plain_part(factories.make_spec("BATCH"), frozenset())
    assert vendor.from_job("BATCH", "Batch", plain).document is not None
