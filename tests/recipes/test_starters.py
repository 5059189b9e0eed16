"""The recipes that every team begins with, launched at the simulated cloud."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Status
from dispersed_web.recipes import sharing, starters
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team
from tests import factories
from tests.jobs.world import World
from tests.recipes.launching import ask_for, let_it_come
from tests.web import launch_forms

# What a launcher has to answer beside their SSH key, and the container ports that are published then.
ANSWERS: dict[str, dict[str, Any]] = {
    "comfyui": {},
    "comfyui-password": {"password": "artist:$2y$05$" + "x" * 53},
    "gpu-benchmark": {},
    "llama-cpp": {},
    "ollama": {"addresses": "203.0.113.7"},
    "pytorch-machine": {},
    "ssh-machine": {},
    "unsloth": {},
}
PORTS = {
    "comfyui": {"ssh"},
    "comfyui-password": {"ssh", "5000"},
    "llama-cpp": {"ssh", "5000"},
    "ollama": {"11434"},
    "pytorch-machine": {"ssh"},
    "ssh-machine": {"ssh"},
    "unsloth": {"ssh"},
}


def starter(team: Team, name: str) -> Recipe:
    starters.install(team, timezone.now())
    return Recipe.objects.select_related("current").get(team=team, source=f"starter:{name}")


def test_the_answers_are_all_there() -> None:
    assert set(ANSWERS) == set(starters.known())


def test_a_team_gets_each_once_and_keeps_what_it_made_of_them(db: None) -> None:
    team, now = factories.make_team(), timezone.now()
    assert len(starters.install(team, now)) == len(ANSWERS)
    assert starters.install(team, now) == []
    assert starters.missing(team) == []
    recipe = starter(team, "ollama")
    assert (recipe.visibility, recipe.owner, recipe.current.number) == ("team", None, 1)
    Recipe.objects.filter(pk=recipe.pk).update(name="Ours", archived_at=now)
    assert starters.install(team, now) == []
    Recipe.objects.filter(pk=starter(team, "comfyui").pk).update(source="")
    assert [one.source for one in starters.install(team, now)] == ["starter:comfyui"]
    assert Event.objects.filter(team=team, kind="recipe.starters_given").count() == 2


def test_a_team_made_in_the_browser_has_them(client: Client, db: None) -> None:
    factories.sign_in(client, factories.make_user())
    client.post("/teams/new/", {"name": "New lab"})
    assert Recipe.objects.filter(team__name="New lab").count() == len(ANSWERS)


def test_a_team_made_by_command_has_them(db: None) -> None:
    factories.make_user("ada@example.org")
    call_command("create_team", "Lab one", owner="ada@example.org")
    call_command("add_member", "bob@example.org", "lab-two", role="owner", create_team=True)
    for name in ("lab-one", "lab-two"):
        assert Recipe.objects.filter(team__slug=name).count() == len(ANSWERS)


@pytest.mark.parametrize("name", starters.known())
def test_nothing_but_the_key_has_to_be_filled_in(name: str) -> None:
    document = starters.known()[name].document
    empty = {one.key for one in document.inputs if one.required and one.default is None}
    assert empty - {"ssh_key"} == set(ANSWERS[name])
    assert document.spec["title"]
    assert not document.locked


@pytest.mark.parametrize("name", ANSWERS)
def test_a_starter_launches_and_is_reached_or_ends(world: World, name: str) -> None:
    recipe = starter(world.team, name)
    job = world.send(world.request(ask_for(recipe, **ANSWERS[name])))
    assert job.remote_uuid, job.reason_text
    assert job.recipe_version == recipe.current
    run = let_it_come(world, job)
    if name == "gpu-benchmark":
        assert job.status == Status.COMPLETED
    else:
        assert run is not None
        assert {url["description"] for url in run.node_urls} == PORTS[name]
    recipe.refresh_from_db()
    assert recipe.launches == 1


def test_the_password_of_comfyui_is_sent_and_stored_nowhere_in_the_clear(world: World) -> None:
    line = ANSWERS["comfyui-password"]["password"]
    job = world.send(world.request(ask_for(starter(world.team, "comfyui-password"), password=line)))
    (sent,) = world.in_ledger(job)
    docker = world.control.job(sent["uuid"])["spec"]["parameters"]["parameters"]
    assert docker["env"]["BASIC_AUTH"] == line
    assert line not in str(Job.objects.filter(pk=job.pk).values().get())


def test_starters_belong_to_nobody_so_admins_keep_them(world: World) -> None:
    recipe = starter(world.team, "ollama")
    owner = factories.owner_of(world.team)
    assert sharing.archive(recipe, actor=Actor.person(owner), now=world.clock.now)


@pytest.mark.parametrize("name", ANSWERS)
def test_the_page_of_a_starter_launches_it_as_it_stands(client: Client, db: None, name: str) -> None:
    team, user = launch_forms.member(client, ssh_key=factories.SSH_KEY)
    recipe = starter(team, name)
    address = reverse("web:recipe-launch", args=[team.slug, recipe.pk])
    fields = launch_forms.Fields(client.get(address).content.decode()).values
    fields |= {f"in-{key}": answer for key, answer in ANSWERS[name].items()}
    answer = client.post(address, fields)
    job = launch_forms.only_job()
    assert (answer.status_code, job.owner) == (302, user)
    meant = ask_for(recipe, **ANSWERS[name])
    assert (job.title, job.task, job.recipe_version) == (meant.title, meant.spec.task, recipe.current)
    for field in ("image", "tag", "max_timeout_run_ms"):
        assert job.spec[field] == getattr(meant.spec, field), field
    assert job.spec["allowed_ips"] == list(meant.spec.allowed_ips or ["0.0.0.0/0"])
    assert (
        job.spec["ssh_key"] == factories.SSH_KEY
    )  # one's own goes along, and 22 with it where ports are named
    assert set(job.spec["ports"]) - {22} == set(meant.spec.ports) - {22}
    assert job.uses_logs == meant.choices.uses_logs
