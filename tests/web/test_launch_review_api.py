"""The review's curl command: what it posts to the API launches what the form would have launched."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from dispersed_web.autostop import choices
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job, JobTag
from tests import factories
from tests.api.caller import Api, make_token
from tests.web.launch_forms import RTX_5090, Fields, address, env, member, opened, send, with_market
from tests.web.recipe_scenes import COMFY, make_recipe

pytestmark = pytest.mark.django_db
CANARY = "hf_canary0canary0canary"


@pytest.fixture
def team(client: Any) -> Any:
    team = member(client, "owner", ssh_key=factories.SSH_KEY)[0]
    with_market(team)
    return team


def posted(client: Any, at: str, fields: dict[str, Any]) -> tuple[str, str]:
    """The path and the text of the body that the command posts."""
    curl = client.post(at, fields | {"review": "yes"}).context["review"].curl
    assert CANARY not in curl
    path = re.search(r"curl -X POST https?://[^/]+(/\S+)", curl)
    assert path
    return path[1], curl.split("<<'JSON'\n")[1].removesuffix("\nJSON")


def call(team: Any, path: str, text: str) -> Any:
    user = factories.owner_of(team)
    api = Api(make_token(team, user))
    return api.post(path, json.loads(text), **{"Idempotency-Key": "k" * 20})


def kept(job: Job) -> dict[str, Any]:
    """All that a launch decides but for what is new each time."""
    names = (
        "title",
        "task",
        "spec",
        "lifetime_s",
        "ceiling_s",
        "recipe_version_id",
        "answers",
        "secret_refs",
    )
    spec = specs.restore(job)
    secrets = (spec.registry_secret, [volume.secret for volume in spec.volumes])
    tags = sorted(JobTag.objects.filter(job=job).values_list("name", flat=True))
    return {name: getattr(job, name) for name in names} | {
        "env": dict(spec.env),
        "secrets": str([one and one.reveal() for one in (secrets[0], *secrets[1])]),
        "choices": choices.of(job),
        "tags": tags,
    }


def test_of_the_custom_form(client: Any, team: Any) -> None:
    secret = factories.make_secret(team, "ghcr-login", value="from-the-team")
    typed = {
        "title": "Größe",
        "image": "org/i",
        "task": "PERSISTENT",
        "gpu": RTX_5090,
        "ports": "22, 8080",
        "registry_secret": CANARY,
        "budget_usd": "5",
        "lifetime": "2h",
        "idle_limit": "30m",
        "reach": "anyone",
        "allowed_region_codes": ["us-east-1"],
        "uses_logs": "on",
        "log_noise": "GET /health",
        "volume-TOTAL_FORMS": "1",
        "volume-INITIAL_FORMS": "0",
        "volume-0-image": "lab/data",
        "volume-0-mount": "/data",
        "volume-0-secret_from": f"team:{secret.pk}",
    }
    fields = (
        opened(client, team) | typed | env(("HF_TOKEN", CANARY), ("MODE", "fast"), ("API_KEY", "x", "plain"))
    )
    path, text = posted(client, address(team), fields)
    masked = call(team, path, text)
    assert masked.status_code == 400, "what nobody filled in is not launched"
    assert call(team, path, text.replace("•••", CANARY)).status_code == 201
    first = Job.objects.get()
    assert send(client, team, fields | {"same_again": "on"}).status_code == 302
    second = Job.objects.exclude(pk=first.pk).get()
    assert kept(first) == kept(second)
    assert first.secret_refs == {"volume./data": str(secret.pk)}


CHANGES: list[dict[str, Any]] = [
    {},
    {"in-model": "flux", "in-hours": "3h", "in-hf_token": CANARY},
    {
        "in-gpu": RTX_5090,
        "min_storage_gb": "",
        "ports": "",
        "tag": "v2",
        "idle_limit": "",
        "rate_cap_usd": "2",
    },
    {"title": "Mine", "min_vram_gb": "32", "budget_usd": "9", "max_timeout_start": "1h", "uses_logs": "on"},
    {
        "volume-TOTAL_FORMS": "1",
        "volume-INITIAL_FORMS": "0",
        "volume-0-image": "lab/d",
        "volume-0-mount": "/d",
    },
    {"registry_host": "ghcr.io", "registry_user": "me", "registry_secret": CANARY},
    env(("MORE", "1"), ("OTHER_KEY", CANARY)),
]


@pytest.mark.parametrize("changes", CHANGES)
def test_of_a_recipe(client: Any, team: Any, changes: dict[str, Any]) -> None:
    document = COMFY | {"locked": ["env.PROVISIONING"]}
    recipe = make_recipe(team, factories.owner_of(team), document=document)
    at = f"/t/{team.slug}/recipes/{recipe.pk}/launch/"
    page = client.get(at)
    assert page.status_code == 200
    fields = Fields(page.content.decode()).values | {"reach": "anyone"} | changes
    path, text = posted(client, at, fields)
    assert path == f"/api/v1/recipes/{recipe.pk}/launch"
    answer = call(team, path, text.replace("•••", CANARY))
    assert answer.status_code == 201, answer.content.decode()
    first = Job.objects.get()
    sent = client.post(at, fields | {"same_again": "on"})
    assert sent.status_code == 302, sent.context["form"].errors
    assert kept(first) == kept(Job.objects.exclude(pk=first.pk).get())


WITH_SECRETS: dict[str, Any] = {
    "spec": {
        "task": "PERSISTENT",
        "title": "Box",
        "image": "org/box",
        "env": {"MODE": "fast", "DEPTH": "3"},
        "volumes": [{"image": "ghcr.io/org/data", "mount": "/data"}],
    },
    "secrets": {"volume./data": "ghcr-login", "env.HF_TOKEN": "ghcr-login", "registry_secret": "ghcr-login"},
}
UNTOUCHED: dict[str, Any] = {}
OTHER_VOLUME = {"volume-0-mount": "/other"}
NO_SECRETS = {"volume-0-secret_from": "", "registry_from": ""}


@pytest.mark.parametrize(
    ("changes", "overridden"),
    [
        (UNTOUCHED, set()),
        (OTHER_VOLUME, {"volumes"}),
        (NO_SECRETS, {"volumes", "registry_secret_id"}),
        ({"MODE": None, "HF_TOKEN": None}, {"remove_env"}),
    ],
    ids=["untouched", "another volume", "without their secrets", "without variables"],
)
def test_of_a_recipe_that_names_secrets(
    client: Any, team: Any, changes: dict[str, Any], overridden: set[str]
) -> None:
    factories.make_secret(team, "ghcr-login", value="from-the-team")
    recipe = make_recipe(team, factories.owner_of(team), document=WITH_SECRETS)
    at = f"/t/{team.slug}/recipes/{recipe.pk}/launch/"
    fields = Fields(client.get(at).content.decode()).values | {"reach": "anyone", "ssh_key": ""}
    rows = {
        value[0]: name for name, value in fields.items() if name.startswith("env-") and name.endswith("-name")
    }
    for name, value in changes.items():
        fields |= {rows[name].replace("-name", "-DELETE"): "on"} if value is None else {name: value}
    path, text = posted(client, at, fields)
    assert set(json.loads(text)["overrides"]) - {"allowed_ips", "lifetime_s", "ssh_key"} == overridden
    answer = call(team, path, text)
    assert answer.status_code == 201, answer.content.decode()
    first = Job.objects.get()
    assert client.post(at, fields | {"same_again": "on"}).status_code == 302
    assert kept(first) == kept(Job.objects.exclude(pk=first.pk).get())
