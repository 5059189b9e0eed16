"""Presets: a filling of the launch form under a name, without secrets, for its person alone."""

from __future__ import annotations

import pytest
from django.urls import reverse

from dispersed_web.jobs.models import Job, Preset
from tests import factories
from tests.web.launch_forms import PRIVATE_KEY, Fields, address, env, member, opened, send, text_of
from tests.web.recipe_scenes import make_recipe

pytestmark = pytest.mark.django_db

SECRETS = ("hf_canary", "glpat-canary", "sk-canary")


@pytest.fixture
def team(client):
    return member(client, ssh_key=factories.SSH_KEY)[0]


@pytest.fixture
def fields(client, team):
    typed = {"title": "Box", "image": "org/i", "gpu_count": "2", "allowed_region_codes": ["us-east-1"]}
    typed |= {"registry_secret": "glpat-canary", "preset_name": "Mine", "save_preset": "yes"}
    return (
        opened(client, team)
        | typed
        | env(("HF_TOKEN", "hf_canary"), ("MODE", "fast"), ("OTHER", "sk-canary"))
    )


def test_it_keeps_the_form_without_its_secrets(client, team, fields):
    answer = send(client, team, fields)
    assert "“Mine” is saved" in text_of(answer)
    assert not Job.objects.exists()
    preset = Preset.objects.get()
    assert not [secret for secret in SECRETS if secret in f"{preset.values}{preset.answers}"]
    assert Fields(answer.content.decode()).values["registry_secret"] == ["glpat-canary"]
    page = client.get(address(team), {"preset": preset.pk})
    filled = Fields(page.content.decode()).values
    assert (filled["title"], filled["gpu_count"], filled["allowed_region_codes"]) == (
        ["Box"],
        ["2"],
        ["us-east-1"],
    )
    assert [filled[f"env-{n}-name"] for n in range(3)] == [["HF_TOKEN"], ["MODE"], ["OTHER"]]
    assert [filled[f"env-{n}-value"] for n in range(3)] == [[""], ["fast"], [""]]


def test_an_unfinished_form_can_be_saved_and_shows_no_faults(client, team, fields):
    answer = send(client, team, fields, title="", lifetime="soon")
    assert answer.status_code == 200
    assert b"aria-invalid" not in answer.content
    assert Preset.objects.get().values["gpu_count"] == "2"


def test_a_private_key_is_not_kept(client, team, fields):
    send(client, team, fields, ssh_key_from="other", ssh_key=PRIVATE_KEY)
    assert "PRIVATE" not in str(Preset.objects.get().values)


@pytest.mark.parametrize("name", ["", "x" * 61])
def test_it_needs_a_name_and_nothing_is_lost(client, team, fields, name):
    answer = send(client, team, fields, preset_name=name)
    assert answer.status_code == 422
    assert Fields(answer.content.decode()).values["title"] == ["Box"]
    assert not Preset.objects.exists()


def test_a_name_is_there_once_and_there_are_fifty_at_most(client, team, fields):
    send(client, team, fields)
    assert "You have a preset of this name" in text_of(send(client, team, fields))
    mine = Preset.objects.get()
    Preset.objects.bulk_create(Preset(user=mine.user, team=team, name=f"P{n}") for n in range(49))
    assert "the most there can be" in text_of(send(client, team, fields, preset_name="One more"))
    assert Preset.objects.count() == 50


def test_my_usual_is_one_and_first_on_the_form(client, team, fields):
    send(client, team, fields, preset_usual="on")
    send(client, team, fields, preset_name="Other", preset_usual="on")
    assert [preset.name for preset in Preset.objects.filter(is_usual=True)] == ["Other"]
    starts = client.get(address(team)).context["starts"]
    assert [(start.name, start.kind) for start in starts[:2]] == [("Other", "My usual"), ("Mine", "Preset")]


def test_a_preset_of_a_recipe_opens_its_form(client, team):
    recipe = make_recipe(team)
    at = reverse("web:recipe-launch", args=[team.slug, recipe.pk])
    typed = {"in-hours": "3h", "in-hf_token": "hf_canary", "preset_name": "Mine", "save_preset": "yes"}
    client.post(at, Fields(client.get(at).content.decode()).values | typed)
    preset = Preset.objects.get()
    assert (preset.recipe, preset.answers["hours"]) == (recipe, 10800)
    assert "canary" not in f"{preset.values}{preset.answers}"
    answer = client.get(address(team), {"preset": preset.pk}, follow=True)
    assert answer.redirect_chain[0][0] == f"{at}?preset={preset.pk}"
    assert Fields(answer.content.decode()).values["in-hours"] == ["3h"]


# The list -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def preset(client, team, fields):
    send(client, team, fields)
    return Preset.objects.get()


def change(client, preset, **data):
    return client.post(reverse("web:preset-change", args=[preset.team.slug, preset.pk]), data)


def test_they_are_listed_renamed_and_deleted(client, team, preset):
    assert "Mine" in text_of(client.get(reverse("web:presets", args=[team.slug])))
    assert change(client, preset, preset_name="New", preset_usual="on").status_code == 302
    preset.refresh_from_db()
    assert (preset.name, preset.is_usual) == ("New", True)
    client.post(reverse("web:preset-delete", args=[team.slug, preset.pk]))
    assert not Preset.objects.exists()
    assert "No presets yet" in text_of(client.get(reverse("web:presets", args=[team.slug])))


def test_a_faulty_name_is_said_and_kept(client, team, preset):
    answer = change(client, preset, preset_name="x" * 61)
    assert answer.status_code == 422
    assert "x" * 61 in answer.content.decode()
    preset.refresh_from_db()
    assert preset.name == "Mine"


def test_nobody_else_sees_or_changes_it(client, team, preset):
    other = factories.make_member(team)
    for user, status in (
        (other, 404),
        (factories.make_user(), 404),
        (factories.make_member(team, "viewer"), 404),
    ):
        factories.sign_in(client, user)
        assert change(client, preset, preset_name="X").status_code == status
        assert client.post(reverse("web:preset-delete", args=[team.slug, preset.pk])).status_code == status
    assert client.get(reverse("web:presets", args=[team.slug])).status_code == 403
    factories.sign_in(client, other)
    assert client.get(address(team), {"preset": preset.pk}).status_code == 404
    assert "Mine" not in text_of(client.get(address(team)))
    client.logout()
    assert client.get(reverse("web:presets", args=[team.slug])).status_code == 302
    assert Preset.objects.get().name == "Mine"


def test_launching_from_it_notes_its_use(client, team, preset):
    page = client.get(address(team), {"preset": preset.pk})
    fields = Fields(page.content.decode()).values | env(("MODE", "fast")) | {"same_again": "on"}
    assert send(client, team, fields).status_code == 302
    preset.refresh_from_db()
    assert preset.used_at is not None
    page = client.get(address(team), {"preset": preset.pk})
    fields = Fields(page.content.decode()).values | env(("MODE", "other"))
    preset.delete()
    assert send(client, team, fields).status_code == 302
    assert Job.objects.count() == 2
