"""Other doors: recipes and the cloud's recipes, messages and cache of the workers, commands, and addresses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache import cache

from dispersed_web import tasks
from dispersed_web.jobs.models import Job
from dispersed_web.sandbox import Sandbox
from dispersed_web.sandbox.recipes import RECIPES
from tests.canaries import markers
from tests.canaries.recording import Recorder, RecordingClient, listening
from tests.canaries.searching import Needles, in_files
from tests.canaries.story import Story
from tests.web.launch_forms import Fields, env
from tests.web.recipe_scenes import make_recipe

pytestmark = pytest.mark.django_db
INPUTS = [
    {"key": "token", "type": "secret", "to": "env.HF_TOKEN", "required": True},
    {"key": "note", "type": "text", "to": "env.NOTE"},
]
ASKS = {"spec": {"task": "BATCH", "title": "Train", "image": "org/train"}, "inputs": INPUTS}


def test_recipes(cloud: Sandbox, recorder: Recorder) -> None:
    story = Story(cloud, recorder)
    story.add_credential()
    secret = story.add_team_secret()
    story.make_tokens()
    story.needles.add("answer", markers.ANSWER)
    story.needles.add("cooked", markers.COOKED)
    recipe = make_recipe(story.team, story.user, document=ASKS)
    answer_by_form(story, recipe)
    body = {
        "credential_id": str(story.credential.pk),
        "answers": {"token": markers.ANSWER},
        "same_again": True,
    }
    path = f"/api/v1/recipes/{recipe.pk}/launch"
    for wrong in ({"answers": {"token": {"x": markers.ANSWER}}}, {"answers": {"token": markers.PRIVATE_KEY}}):
        assert story.api.post(path, body | wrong, **{"Idempotency-Key": "wrong"}).status_code == 400
    assert story.api.post(path, body, **{"Idempotency-Key": "right"}).status_code == 201, recorder.pieces[-1]
    by_reference = {"in-token-from": f"team:{secret.pk}", "in-token": ""}
    address = story.at("recipe-launch", recipe.pk)
    fields = Fields(story.client.get(address).content.decode()).values
    assert story.client.post(address, fields | by_reference | {"same_again": "on"}).status_code < 500
    cook(story)
    assert Job.objects.count() >= 3
    for name in ("recipe", "recipe-edit", "recipe-versions", "recipe-export"):
        assert story.client.get(story.at(name, recipe.pk)).status_code == 200
    for page in ("recipes", "recipes-export", "cloud-recipes"):
        story.client.get(story.at(page))
    for job in Job.objects.all():
        story.client.get(story.at("recipe-from-job", job.pk))
        story.client.get(f"{address}?again={job.pk}")
    story.work()
    story.visit()
    leaks = recorder.leaks(story.needles)
    assert not leaks, "\n".join(leaks)


def answer_by_form(story: Story, recipe: Any) -> None:
    """With faults first; a private key typed into a plain answer is kept nowhere."""
    address = story.at("recipe-launch", recipe.pk)
    fields = Fields(story.client.get(address).content.decode()).values | {"in-token": markers.ANSWER}
    for wrong in ({"in-note": markers.PRIVATE_KEY}, {"credential": "none"}, {"review": "1"}):
        story.recorder.allow(markers.ANSWER)
        story.client.post(address, fields | wrong)
        story.recorder.allow()
    assert story.client.post(address, fields).status_code == 302, story.recorder.pieces[-1]


def cook(story: Story) -> None:
    recipe = RECIPES[0]["uuid"]
    address = f"{story.at('launch')}?cook={recipe}&credential={story.credential.pk}"
    fields = Fields(story.client.get(address).content.decode()).values | {"registry_secret": markers.COOKED}
    fields |= env(("MY_TOKEN", markers.COOKED, "secret"))
    story.recorder.allow(markers.COOKED)
    story.client.post(story.at("launch"), fields | {"review": "1"})
    answer = story.client.post(story.at("launch"), fields)
    story.recorder.allow()
    assert answer.status_code == 302, answer.context["form"].errors


def test_messages_and_cache(
    cloud: Sandbox, redis_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real broker and cache, with nobody who takes the messages away: dumped and searched, and its files too."""
    monkeypatch.setattr(tasks, "_silent_until", 0.0)
    recorder = Recorder()
    with listening(recorder):
        story = Story(cloud, recorder)
        story.add_credential()
        secret = story.add_team_secret()
        story.make_tokens()
        story.launch_by_api(secret)
        story.launch(secret)
        cache.get("anything")
    server = redis.Redis(unix_socket_path=str(redis_server.socket))
    names = server.keys("*")
    assert b"celery" in names, names
    assert server.llen("celery") >= 2
    server.save()
    for name in names:
        value = server.lrange(name, 0, -1) if server.type(name) == b"list" else server.dump(name)
        recorder.note("broker", f"{name!r} {value!r}")
        for message in value if isinstance(value, list) else ():
            recorder.note("broker", message.decode())
    recorder.pieces += in_files(Path(os.environ["DW_DATA_DIR"], "valkey"))
    assert any("send_launch" in text for where, text in recorder.pieces if where == "broker")
    server.close()
    leaks = recorder.leaks(story.needles)
    assert not leaks, "\n".join(leaks)


def test_commands(cloud: Sandbox, recorder: Recorder, settings: Any) -> None:
    """What they write, also when keys are missing; ``create_api_token`` prints its token on purpose."""
    story = Story(cloud, recorder)
    story.add_credential()
    secret = story.add_team_secret()
    text = recorder.command("create_api_token", story.user.email, "--team", story.team.slug).strip()
    recorder.pieces.pop()
    assert text.startswith("dwp_")
    story.needles.add("API token", text, text[4:])
    story.make_tokens()
    story.launch_by_api(secret)
    second = ("second", b"Vc7sealing-key-canary-9876543210"[:32])
    story.needles.add("second key", second[1].decode())
    ring = settings.KEYRING
    for keys in ([second, *ring], [second], ring):
        settings.KEYRING = keys
        for act in (("secrets", "check"), ("secrets", "rotate"), ("audit", "verify")):
            recorder.command(*act)
    settings.KEYRING = [second, *ring]
    for command in ("installation", "export_recipes", "check"):
        recorder.command(command)
    recorder.command("secrets", "shred", "--team", story.team.slug, "--sure", story.team.slug, "--force")
    recorder.command("remove_second_factor", markers.PASSWORD)
    recorder.pieces.pop()  # it says for which address it found nobody
    leaks = recorder.leaks(story.needles)
    assert not leaks, "\n".join(leaks)


def test_addresses_stay_out_of_the_log(recorder: Recorder) -> None:
    """Secrets in query strings, in addresses that are keys, in headers and cookies: whatever comes of it, no line has it."""
    client = RecordingClient(recorder)
    token = "Wx8" + "capability-canary-of-43-characters-long-yes"[:40]
    for path in (
        f"/account/login/?next={markers.TEAM_SECRET}",
        f"/?token={token}",
        f"/hb/{token}",
        f"/do/{token}/",
        f"/join/{token}/",
        f"/cal/{token}.ics",
        f"/api/v1/jobs?token={token}",
        f"/account/password/reset/key/1-{token}/",
        f"/account/confirm-email/{token}/",
        f"/nowhere/?{token}",
    ):
        client.get(path)
        client.post(path, {"value": token}, headers={"Authorization": f"Bearer {token}", "X-Odd": token})
    needles = Needles(token=token, secret=markers.TEAM_SECRET)
    assert needles.find((name, stream.getvalue()) for name, stream in recorder.logs.items()) == []
