"""Volumes in the launch form: rows, their faults, their secrets."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from dispersed_web.dispersed import Secret, Volume
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job, Preset
from dispersed_web.teams.models import Team
from tests.factories import make_secret
from tests.web.launch_forms import Fields, address, member, only_job, opened, send
from tests.web.recipe_scenes import make_recipe

pytestmark = pytest.mark.django_db
DATA = {"image": "team/data", "tag": "v3", "mount": "/data", "user": "robot", "secret": "canary-volume"}


@pytest.fixture
def team(client: Client) -> Team:
    return member(client)[0]


@pytest.fixture
def fields(client: Client, team: Team) -> dict[str, Any]:
    return opened(client, team) | {"title": "T", "image": "org/i", "reach": "anyone"}


def rows(*volumes: dict[str, str]) -> dict[str, str]:
    posted = {"volume-TOTAL_FORMS": str(len(volumes)), "volume-INITIAL_FORMS": "0"}
    for number, volume in enumerate(volumes):
        posted |= {f"volume-{number}-{name}": value for name, value in volume.items()}
    return posted


def test_rows_become_volumes_and_their_secrets_are_sealed(
    client: Client, team: Team, fields: dict[str, Any]
) -> None:
    send(client, team, fields | rows(DATA, {}, {"image": "models", "mount": "/models"}))
    job = only_job()
    assert specs.restore(job).volumes == (
        Volume("team/data", "/data", "v3", "", "robot", Secret("canary-volume")),
        Volume("models", "/models"),
    )
    assert "canary" not in str(Job.objects.values().get())


@pytest.mark.parametrize(
    ("volumes", "said"),
    [
        ([{"image": "data"}], "Where is it mounted"),
        ([{"mount": "/data"}], "Which image?"),
        ([{"image": "data", "mount": "data"}], "must be absolute"),
        ([{"image": "data:v1", "mount": "/data"}], "without its tag"),
        ([{"image": "a", "mount": "/data"}, {"image": "b", "mount": "/data"}], "in the list twice"),
        ([{"image": f"d{n}", "mount": f"/d{n}"} for n in range(11)], "at most 10"),
    ],
)
def test_faults_are_said_beside_the_rows_and_nothing_typed_is_lost(
    client: Client, team: Team, fields: dict[str, Any], volumes: list[dict[str, str]], said: str
) -> None:
    answer = send(client, team, fields | rows(*volumes))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    again = Fields(answer.content.decode()).values
    assert again["volume-0-image"] == [volumes[0].get("image", "")]
    assert not Job.objects.exists()


def test_a_secret_goes_back_only_after_a_fault_and_in_a_password_input(
    client: Client, team: Team, fields: dict[str, Any]
) -> None:
    answer = send(client, team, fields | rows(DATA) | {"title": ""})
    page = Fields(answer.content.decode())
    assert (page.types["volume-0-secret"], page.values["volume-0-secret"]) == ("password", ["canary-volume"])
    send(client, team, fields | rows(DATA))
    assert "canary" not in client.get(f"{address(team)}?again={only_job().pk}").content.decode()


def test_the_review_masks_it(client: Client, team: Team, fields: dict[str, Any]) -> None:
    answer = client.post(address(team), fields | rows(DATA) | {"review": "yes"})
    shown = answer.context["review"]
    assert "canary" not in shown.body + shown.curl
    assert "/data" in shown.body
    assert "/data" in shown.curl


def test_the_same_again_brings_volumes_without_secrets_and_says_so(
    client: Client, team: Team, fields: dict[str, Any]
) -> None:
    send(client, team, fields | rows(DATA))
    page = client.get(f"{address(team)}?again={only_job().pk}").content.decode()
    again = Fields(page).values
    assert (again["volume-0-mount"], again["volume-0-secret"]) == (["/data"], [""])
    assert "of the volume at /data" in page


def test_a_form_without_rows_is_taken_as_before(client: Client, team: Team, fields: dict[str, Any]) -> None:
    without = {name: value for name, value in fields.items() if not name.startswith("volume-")}
    send(client, team, without)
    assert specs.restore(only_job()).volumes == ()


@pytest.mark.parametrize("locked", [True, False])
def test_a_recipes_volumes_are_launched_and_changed_only_if_not_locked(
    client: Client, team: Team, locked: bool
) -> None:
    document = {
        "spec": {"task": "BATCH", "image": "i", "volumes": [{"image": "data", "mount": "/data"}]},
        "locked": ["volumes"] if locked else [],
    }
    recipe = make_recipe(team, document=document)
    path = f"{address(team).removesuffix('launch/')}recipes/{recipe.pk}/launch/"
    page = Fields(client.get(path).content.decode()).values | {"reach": "anyone"}
    assert ("volume-0-mount" in page) != locked
    answer = client.post(path, page | rows({"image": "other", "mount": "/other"}))
    assert answer.status_code == 302
    mounts = [volume.mount for volume in specs.restore(only_job()).volumes]
    assert mounts == (["/data"] if locked else ["/other"])


def test_a_preset_keeps_volumes_and_never_their_secrets(
    client: Client, team: Team, fields: dict[str, Any]
) -> None:
    client.post(address(team), fields | rows(DATA) | {"save_preset": "yes", "preset_name": "Mine"})
    preset = Preset.objects.get()
    assert "canary" not in str(preset.values)
    again = Fields(client.get(f"{address(team)}?preset={preset.pk}").content.decode()).values
    assert (again["volume-0-mount"], again["volume-0-tag"]) == (["/data"], ["v3"])


# In a recipe ---------------------------------------------------------------------------------------------------------

SPEC = {
    "task": "PERSISTENT",
    "title": "Box",
    "image": "org/box",
    "volumes": [{"image": "ghcr.io/org/data", "mount": "/data", "user": "robot"}],
}


@pytest.mark.parametrize("locked", [[], ["volumes"]], ids=["open", "locked"])
def test_a_recipe_names_the_secret_of_a_volume(client: Client, team: Team, locked: list[str]) -> None:
    make_secret(team, name="ghcr-login", value="canary-login")
    document = {"spec": SPEC, "secrets": {"volume./data": "ghcr-login"}, "locked": locked}
    at = f"/t/{team.slug}/recipes/{make_recipe(team, document=document).pk}/launch/"
    page = client.get(at).content.decode()
    assert "ghcr-login" in page
    client.post(at, Fields(page).values | {"title": "T", "reach": "anyone"})
    (volume,) = specs.restore(only_job()).volumes
    assert (volume.mount, volume.secret) == ("/data", Secret("canary-login"))
    assert only_job().spec["volumes"][0]["team_secret"] == "ghcr-login"
