"""A team's secrets in the browser: their pages, and launching with one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web.credentials import team_secrets
from dispersed_web.credentials.models import TeamSecret
from dispersed_web.events.record import Actor
from dispersed_web.jobs import presets, specs
from dispersed_web.jobs.models import Job, Preset
from dispersed_web.recipes import keeping
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team
from tests import factories
from tests.web.launch_forms import Fields, env, opened, send

pytestmark = pytest.mark.django_db
VALUE = "hf_canaryTeamSecret7e1b"


@pytest.fixture
def team() -> Team:
    team = factories.make_team()
    factories.make_credential(team)
    return team


@pytest.fixture
def client(team: Team) -> Client:
    client = Client()
    factories.sign_in(client, factories.owner_of(team))
    return client


def add(team: Team, name: str = "hf-token", value: str = VALUE, **fields: Any) -> TeamSecret:
    owner = factories.owner_of(team)
    values = {"user": owner, "actor": Actor.person(owner), "now": timezone.now()}
    return team_secrets.add(team, name, value, **values | fields)


def at(team: Team, name: str, *args: Any) -> str:
    return reverse(f"web:{name}", args=[team.slug, *args])


def text(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


# The pages ---------------------------------------------------------------------------------------------------------------


def test_adding_one_stores_it_and_never_shows_it(client: Client, team: Team) -> None:
    assert "No secrets yet" in text(client.get(at(team, "secrets")))
    typed = {"name": "hf-token", "value": VALUE, "note": "For models", "usable_by": "members"}
    answer = client.post(at(team, "secret-add"), typed, follow=True)
    assert "The secret “hf-token” is stored." in text(answer)
    secret = TeamSecret.objects.get(team=team)
    assert team_secrets.value_of(secret, team_id=team.pk) == VALUE
    for name, args in (("secrets", ()), ("secret", (secret.pk,)), ("secret-remove", (secret.pk,))):
        page = client.get(at(team, name, *args))
        assert page.status_code == 200
        assert "hf-token" in text(page)
        assert VALUE not in page.content.decode()


def test_a_fault_keeps_what_was_typed_but_the_value(client: Client, team: Team) -> None:
    typed = {"name": "two words", "value": VALUE, "note": "For models", "usable_by": "members"}
    answer = client.post(at(team, "secret-add"), typed)
    assert answer.status_code == 422
    assert "letters, digits, - and _ only" in text(answer)
    assert "two words" in answer.content.decode()
    assert VALUE not in answer.content.decode()
    short = client.post(at(team, "secret-add"), typed | {"name": "x", "value": "tiny7ch"})
    assert "cannot be masked in logs" in text(short)
    assert not TeamSecret.objects.exists()


def test_an_empty_value_keeps_the_stored_one(client: Client, team: Team) -> None:
    secret = add(team)
    typed = {"value": "", "note": "Another note", "usable_by": "admins", "hosts": "ghcr.io"}
    assert client.post(at(team, "secret", secret.pk), typed).status_code == 302
    row = TeamSecret.objects.get(pk=secret.pk)
    assert (row.note, row.usable_by, row.hosts) == ("Another note", "admins", ["ghcr.io"])
    assert team_secrets.value_of(row, team_id=team.pk) == VALUE
    assert client.post(at(team, "secret", secret.pk), typed | {"value": "hf_theNext8f8f"}).status_code == 302
    row.refresh_from_db()
    assert team_secrets.value_of(row, team_id=team.pk) == "hf_theNext8f8f"


def test_a_bound_secret_is_let_go_to_another_registry_only_with_its_value(client: Client, team: Team) -> None:
    secret = add(team, hosts=["ghcr.io"])
    assert "needs the value typed anew" in text(client.get(at(team, "secret", secret.pk)))
    typed = {"value": "", "note": "Kept", "usable_by": "members", "hosts": "evil.test"}
    for hosts in ("evil.test", ""):
        answer = client.post(at(team, "secret", secret.pk), typed | {"hosts": hosts})
        assert answer.status_code == 422
        assert "Type its value anew." in text(answer)
        assert 'value="Kept"' in answer.content.decode()
        assert TeamSecret.objects.get(pk=secret.pk).hosts == ["ghcr.io"]
    assert client.post(at(team, "secret", secret.pk), typed | {"value": VALUE}).status_code == 302
    assert TeamSecret.objects.get(pk=secret.pk).hosts == ["evil.test"]


def test_before_it_is_removed_the_page_says_what_hangs_on_it(client: Client, team: Team) -> None:
    secret = add(team)
    owner, other = factories.owner_of(team), factories.make_member(team)
    document = {"spec": {"task": "PERSISTENT", "image": "x"}, "secrets": {"env.HF_TOKEN": "HF-Token"}}
    for who, name, visibility in ((owner, "Shared box", "team"), (other, "Hidden box", "private")):
        keeping.create(
            team, name=name, document=document, visibility=visibility, owner=who, actor=Actor.person(who),
            now=timezone.now(),
        )  # fmt: skip
    factories.make_job(team, title="Trains now", secret_refs={"env.HF_TOKEN": str(secret.pk)})
    factories.make_job(team, "COMPLETED", title="Ended long ago", secret_refs={"env.X": str(secret.pk)})
    presets.save(
        other, team, name="Mine", recipe=None, values={"registry_from": "hf-token"}, answers={}, is_usual=False,
        now=timezone.now(), actor=Actor.person(other),
    )  # fmt: skip
    page = text(client.get(at(team, "secret-remove", secret.pk)))
    assert "Shared box, and 1 private one of others" in page
    assert "Trains now" in page
    assert "Presets that name it 1" in page
    assert not {"Hidden box", "Ended long ago"} & set(re.findall("Hidden box|Ended long ago", page))
    assert "2 recipes, 1 running job" in text(client.get(at(team, "secrets")))
    assert client.post(at(team, "secret-remove", secret.pk)).status_code == 302
    assert not TeamSecret.objects.exists()


def test_members_see_names_and_change_nothing(team: Team) -> None:
    secret = add(team, usable_by="admins")
    client = Client()
    factories.sign_in(client, factories.make_member(team))
    page = client.get(at(team, "secrets"))
    assert "not for you" in text(page)
    assert at(team, "secret", secret.pk) not in page.content.decode()
    for name, args in (("secret-add", ()), ("secret", (secret.pk,)), ("secret-remove", (secret.pk,))):
        assert client.get(at(team, name, *args)).status_code == 403
        assert client.post(at(team, name, *args), {"name": "x", "value": VALUE}).status_code == 403
    assert TeamSecret.objects.count() == 1


def test_another_teams_secret_is_not_there(client: Client, team: Team) -> None:
    foreign = add(factories.make_team(), "theirs")
    for name in ("secret", "secret-remove"):
        assert client.get(at(team, name, foreign.pk)).status_code == 404
        assert client.post(at(team, name, foreign.pk), {"value": VALUE}).status_code == 404


# Launching ---------------------------------------------------------------------------------------------------------------


def launched(client: Client, team: Team, **typed: Any) -> Job:
    fields = opened(client, team, "?example=development-environment") | {"reach": "anyone"}
    answer = send(client, team, fields | typed)
    assert answer.status_code == 302, text(answer)[:2000]
    return Job.objects.latest("created_at")


def test_a_row_takes_a_secret_of_the_team(client: Client, team: Team) -> None:
    secret = add(team)
    job = launched(client, team, **env(("HF_TOKEN", "", f"team:{secret.pk}")))
    assert specs.restore(job).env["HF_TOKEN"] == VALUE
    assert job.secret_refs == {"env.HF_TOKEN": str(secret.pk)}
    page = client.get(reverse("web:job", args=[team.slug, job.pk]) + "?tab=spec")
    assert VALUE not in page.content.decode()


def test_the_registry_takes_a_secret_of_the_team(client: Client, team: Team) -> None:
    secret = add(team, hosts=["ghcr.io"])
    registry = {"registry_host": "ghcr.io", "registry_user": "me", "registry_from": f"team:{secret.pk}"}
    job = launched(client, team, **registry)
    assert specs.restore(job).registry_secret.reveal() == VALUE
    fields = opened(client, team, "?example=development-environment") | {"reach": "anyone"}
    answer = send(client, team, fields | registry | {"registry_host": "evil.example.com", "title": "Other"})
    assert answer.status_code == 422
    assert "only for images of ghcr.io" in text(answer)
    assert Job.objects.count() == 1


VOLUME = {
    "image": "lab/data",
    "tag": "v3",
    "mount": "/data",
    "registry": "ghcr.io",
    "user": "me",
    "secret": "typed",
}


def volume(**changes: str) -> dict[str, str]:
    rows = {f"volume-0-{name}": value for name, value in (VOLUME | changes).items()}
    return {"volume-TOTAL_FORMS": "1", "volume-INITIAL_FORMS": "0"} | rows


def test_a_volume_takes_a_secret_of_the_team_again_and_again(client: Client, team: Team) -> None:
    secret = add(team, hosts=["ghcr.io"])
    chosen = volume(secret_from=f"team:{secret.pk}")
    job = launched(client, team, **chosen)
    assert specs.restore(job).volumes[0].secret.reveal() == VALUE
    assert job.secret_refs == {"volume./data": str(secret.pk)}
    again = opened(client, team, f"?again={job.pk}")
    assert again["volume-0-secret_from"] == [f"team:{secret.pk}"]
    assert again["volume-0-secret"] == [""]
    answer = send(client, team, again | {"title": "Other", "volume-0-registry": "evil.example.com"})
    assert "only for images of ghcr.io" in text(answer)
    send(client, team, again | {"save_preset": "yes", "preset_name": "Mine"})
    preset = Preset.objects.get()
    assert preset.values["volumes"][0]["team_secret"] == "hf-token"
    assert opened(client, team, f"?preset={preset.pk}")["volume-0-secret_from"] == [f"team:{secret.pk}"]
    shown = send(client, team, again | {"review": "yes"}).context["review"]
    assert '"secret": "the team’s secret “hf-token”"' in shown.body
    assert f'"team_secret_id": "{secret.pk}"' in shown.curl
    assert shown.secrets == []


def test_a_volume_takes_none_that_is_not_for_the_launcher(team: Team) -> None:
    theirs = add(team, "theirs", usable_by="admins")
    client = Client()
    factories.sign_in(client, factories.make_member(team))
    fields = opened(client, team, "?example=development-environment") | {"reach": "anyone"}
    answer = send(client, team, fields | volume(secret_from=f"team:{theirs.pk}"))
    assert answer.status_code == 422
    assert "Choose a secret of the team that you may use" in text(answer)


def test_without_secrets_nothing_is_offered(client: Client, team: Team) -> None:
    page = client.get(reverse("web:launch", args=[team.slug])).content.decode()
    assert "registry_from" not in page
    assert "team:" not in page


def test_one_that_is_not_for_the_launcher_is_not_offered_and_not_taken(team: Team) -> None:
    mine, theirs = add(team), add(team, "theirs", usable_by="admins")
    foreign = add(factories.make_team(), "foreign")
    client = Client()
    factories.sign_in(client, factories.make_member(team))
    page = client.get(reverse("web:launch", args=[team.slug])).content.decode()
    assert str(mine.pk) in page
    assert str(theirs.pk) not in page
    fields = opened(client, team, "?example=development-environment") | {"reach": "anyone"}
    for secret in (theirs, foreign):
        answer = send(client, team, fields | env(("HF_TOKEN", "", f"team:{secret.pk}")))
        assert answer.status_code == 422
        assert "Choose a secret of the team that you may use" in text(answer)
    assert not Job.objects.exists()


def test_launching_again_and_a_preset_and_a_link_name_it_again(client: Client, team: Team) -> None:
    secret = add(team)
    choice = f"team:{secret.pk}"
    rows = env(("HF_TOKEN", "", choice)) | {"registry_from": choice, "registry_host": "ghcr.io"}
    job = launched(client, team, **rows)
    address = reverse("web:launch", args=[team.slug])
    page = client.get(f"{address}?again={job.pk}")
    again = Fields(page.content.decode()).values
    assert again["env-0-kind"] == [choice]
    assert again["registry_from"] == [choice]
    assert "Type these again" not in text(page)

    fields = opened(client, team, "?example=development-environment") | {"reach": "anyone"} | rows
    send(client, team, fields | {"preset_name": "Mine", "save_preset": "yes"})
    preset = Preset.objects.get()
    assert preset.values["registry_from"] == preset.values["env"][0]["team_secret"] == "hf-token"
    filled = Fields(client.get(f"{address}?preset={preset.pk}").content.decode()).values
    assert filled["env-0-kind"] == filled["registry_from"] == [choice]

    link = send(client, team, fields | {"review": "1"}).context["link"]
    assert "env_secret=HF_TOKEN%3Dhf-token" in link
    assert VALUE not in link
    linked = Fields(client.get(link).content.decode()).values
    assert linked["env-0-kind"] == linked["registry_from"] == [choice]

    team_secrets.remove(secret, actor=Actor.person(job.owner), now=timezone.now())
    gone = client.get(f"{address}?again={job.pk}")
    assert "Type these again: HF_TOKEN, the registry&#x27;s password" in gone.content.decode()
    assert "hf-token”, which you may not use or is gone" in text(client.get(f"{address}?preset={preset.pk}"))


def test_the_review_names_it(client: Client, team: Team) -> None:
    secret = add(team)
    fields = opened(client, team, "?example=development-environment") | {"reach": "anyone"}
    review = send(
        client, team, fields | env(("HF_TOKEN", "", f"team:{secret.pk}")) | {"review": "1"}
    ).context["review"]
    assert "the team’s secret “hf-token”" in review.body
    assert f'"team_secret_id": "{secret.pk}"' in review.curl
    assert review.secrets == []


# Recipes -----------------------------------------------------------------------------------------------------------------


def recipe_of(team: Team, **parts: Any) -> Recipe:
    owner = factories.owner_of(team)
    document = {"spec": {"task": "BATCH", "title": "Train", "image": "org/train"}, **parts}
    return keeping.create(
        team, name="Train", document=document, visibility="team", owner=owner, actor=Actor.person(owner),
        now=timezone.now(),
    )  # fmt: skip


def test_a_recipes_question_takes_a_secret_of_the_team(client: Client, team: Team) -> None:
    secret = add(team)
    asks = [{"key": "token", "type": "secret", "to": "env.HF_TOKEN", "required": True}]
    address = reverse("web:recipe-launch", args=[team.slug, recipe_of(team, inputs=asks).pk])
    fields = Fields(client.get(address).content.decode()).values | {"in-token-from": f"team:{secret.pk}"}
    assert client.post(address, fields).status_code == 302
    job = Job.objects.get()
    assert specs.restore(job).env["HF_TOKEN"] == VALUE
    assert job.answers["token"] == {"team_secret": "hf-token"}
    again = Fields(client.get(f"{address}?again={job.pk}").content.decode()).values
    assert again["in-token-from"] == [f"team:{secret.pk}"]
    wrong = Fields(client.get(address).content.decode()).values
    wrong |= {"in-token-from": "team:0b0e6c5e-6c5e-4c5e-8c5e-0b0e6c5e6c5e"}
    answer = client.post(address, wrong)
    assert answer.status_code == 422
    assert "Choose a secret of the team that you may use" in text(answer)


@pytest.mark.parametrize("locked", [[], ["env.HF_TOKEN", "registry_secret"], ["*"]])
def test_a_recipe_that_names_secrets_launches_with_them(
    client: Client, team: Team, locked: list[str]
) -> None:
    add(team)
    named = {"env.HF_TOKEN": "hf-token", "registry_secret": "hf-token"}
    recipe = recipe_of(team, secrets=named, locked=locked)
    address = reverse("web:recipe-launch", args=[team.slug, recipe.pk])
    page = client.get(address)
    assert "hf-token" in text(page)
    answer = client.post(address, Fields(page.content.decode()).values)
    assert answer.status_code == 302, text(answer)[:1500]
    spec = specs.restore(Job.objects.get())
    assert spec.env["HF_TOKEN"] == spec.registry_secret.reveal() == VALUE


def test_a_recipe_whose_locked_secret_is_gone_says_so_and_launches_nothing(
    client: Client, team: Team
) -> None:
    recipe = recipe_of(team, secrets={"env.HF_TOKEN": "hf-token"}, locked=["*"])
    address = reverse("web:recipe-launch", args=[team.slug, recipe.pk])
    answer = client.post(address, Fields(client.get(address).content.decode()).values)
    assert answer.status_code == 422
    assert "The team has no secret “hf-token”" in text(answer)
    assert not Job.objects.exists()


def test_a_recipe_that_names_secrets_that_cannot_be_used_says_so_above_the_form(
    client: Client, team: Team
) -> None:
    recipe = recipe_of(team, secrets={"registry_secret": "hf-token"})
    address = reverse("web:recipe-launch", args=[team.slug, recipe.pk])
    assert "This recipe names the team’s secret “hf-token”, which you may not use" in text(
        client.get(address)
    )
    add(team)
    assert "This recipe names" not in text(client.get(address))


def test_the_editor_offers_the_teams_names_and_warns_of_others(client: Client, team: Team) -> None:
    add(team)
    recipe = recipe_of(team, secrets={"env.HF_TOKEN": "HF-token", "registry_secret": "of-another-team"})
    address = reverse("web:recipe-edit", args=[team.slug, recipe.pk])
    page = client.get(address)
    html = page.content.decode()
    assert '<datalist id="team-secrets"><option value="hf-token"></option></datalist>' in html
    assert html.count('list="team-secrets"') >= 3  # the registry's, a variable's, the row to add
    assert "The team has no secret called “of-another-team”" in text(page)
    assert "HF-token”" not in text(page)
    fields = Fields(html.replace('id="recipe-form"', 'id="launch-form"')).values
    assert client.post(address, fields | {"save": "yes", "description": "Travels"}).status_code == 302


def test_the_editor_writes_names_and_shows_them_again(client: Client, team: Team) -> None:
    recipe = recipe_of(
        team, secrets={"env.HF_TOKEN": "hf-token", "registry_secret": "ghcr"}, locked=["env.HF_TOKEN"]
    )
    page = client.get(at(team, "recipe-edit", recipe.pk))
    form = page.context["form"]
    sent = {bound.html_name: bound.value() for bound in form if bound.value() not in (None, False, [])}
    for rows in form.all_rows:
        sent |= {bound.html_name: str(bound.value()) for bound in rows.management_form}
        sent |= {
            bound.html_name: bound.value()
            for row in rows
            for bound in row
            if bound.value() not in (None, False)
        }
    sent |= {"note": "Another", "registry_team_secret": "dockerhub", "tags": ""}
    for name in ("env-1-name", "env-1-value"):
        sent.setdefault(name, "")
    answer = client.post(at(team, "recipe-edit", recipe.pk), sent | {"save": "1"})
    assert answer.status_code == 302, text(answer)[:1500]
    recipe.refresh_from_db()
    document = recipe.current.document
    assert document["secrets"] == {"env.HF_TOKEN": "hf-token", "registry_secret": "dockerhub"}
    assert document["locked"] == ["env.HF_TOKEN"]
    shown = text(client.get(at(team, "recipe", recipe.pk)))
    assert "the team’s secret “hf-token”" in shown
    assert "the team’s secret “dockerhub”" in shown
    wrong = client.post(at(team, "recipe-edit", recipe.pk), sent | {"registry_team_secret": "two words"})
    assert "letters, digits, - and _ only" in text(wrong)
