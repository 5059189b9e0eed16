"""What people do beside jobs and settings is recorded too: files they take, presets, their own account."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.jobs import presets
from dispersed_web.recipes import starters
from dispersed_web.recipes.models import Recipe
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(client):
    team = factories.make_team("Vision Lab", owner=factories.make_user("ana@example.org", name="Ana"))
    factories.sign_in(client, factories.owner_of(team))
    return team


def newest() -> tuple[str, str]:
    event = Event.objects.latest("id")
    return event.kind, event.sentence


def test_files_that_somebody_takes(client, team) -> None:
    starters.install(team, timezone.now())
    recipe = Recipe.objects.filter(team=team).earliest("name")
    job = factories.make_job(team)
    factories.make_run(job)
    version = type(team).objects.get(pk=team.pk).version
    for name, arguments, kind, sentence in (
        ("jobs-csv", [], "export.jobs", "Ana exported the list of jobs."),
        ("recipes-export", [], "export.recipes", "Ana exported all recipes as a file."),
        (
            "recipe-export",
            [recipe.pk],
            "recipe.exported",
            f"Ana exported the recipe “{recipe.name}” as a file.",
        ),
        ("job-logs", [job.pk], "job.log_downloaded", "Ana downloaded the job's log."),
    ):
        answer = client.get(reverse(f"web:{name}", args=[team.slug, *arguments]), {"download": "1"})
        assert (answer.status_code, newest()) == (200, (kind, sentence))
    team.refresh_from_db()
    assert team.version == version, "a look makes every live page of the team ask again"


def test_reading_a_log_is_no_download(client, team) -> None:
    job = factories.make_job(team)
    factories.make_run(job)
    client.get(reverse("web:job-logs", args=[team.slug, job.pk]))
    assert not Event.objects.filter(kind="job.log_downloaded").exists()


def test_presets(client, team) -> None:
    ana = factories.owner_of(team)
    preset = presets.save(
        ana,
        team,
        name="Nightly",
        recipe=None,
        values={"image": "x"},
        answers={},
        is_usual=False,
        now=timezone.now(),
    )
    assert newest() == ("preset.saved", "Ana saved a preset of their own.")
    address = reverse("web:preset-change", args=[team.slug, preset.pk])
    client.post(address, {"preset_name": "Daily", "preset_usual": "on"})
    assert newest() == ("preset.changed", "Ana changed a preset of their own.")
    assert Event.objects.latest("id").data == {
        "before": {"is_usual": False},
        "after": {"is_usual": True},
    }
    client.post(address, {"preset_name": "Daily", "preset_usual": "on"})
    assert Event.objects.filter(kind="preset.changed").count() == 1
    client.post(address, {"preset_name": "Other", "preset_usual": "on"})
    assert Event.objects.filter(kind="preset.changed").latest("id").data == {}, "renamed, and no name told"
    client.post(reverse("web:preset-delete", args=[team.slug, preset.pk]))
    assert newest() == ("preset.deleted", "Ana deleted a preset of their own.")


def test_ones_own_keys(client, team) -> None:
    client.post(reverse("web:me-ssh-key"), {"key": factories.SSH_KEY, "name": "Laptop"})
    kind, sentence = newest()
    assert kind == "account.key_added"
    assert sentence.startswith("Ana added the SSH key “Laptop” (SHA256:")
    ana = factories.owner_of(team)
    key = ana.ssh_keys.get()
    client.post(reverse("web:me-ssh-key-one", args=[key.pk]), {"name": "Desk"})
    assert newest() == ("account.key_renamed", "Ana renamed the SSH key “Laptop” to “Desk”.")
    client.post(reverse("web:me-ssh-key-default", args=[key.pk]))
    assert newest()[0] == "account.key_made_default"
    client.post(reverse("web:me-ssh-key-remove", args=[key.pk]))
    assert newest()[0] == "account.key_removed"
    assert set(Event.objects.values_list("team", "subject_id")) == {(None, str(ana.pk))}


def test_ones_profile(client, team) -> None:
    client.post(reverse("web:me"), {"name": "Ana Lee", "time_zone": "Asia/Tokyo"})
    assert newest() == ("account.profile_changed", "Ana changed their profile.")
    assert Event.objects.latest("id").data == {
        "before": {"name": "Ana", "time_zone": "UTC"},
        "after": {"name": "Ana Lee", "time_zone": "Asia/Tokyo"},
    }
    client.post(reverse("web:me"), {"name": "Ana Lee", "time_zone": "Asia/Tokyo"})
    assert Event.objects.filter(kind="account.profile_changed").count() == 1


def test_ones_own_calendar(client, team) -> None:
    client.post(reverse("web:me-calendar"))
    assert newest() == ("calendar.made", "Ana made a private address of their calendar.")
    client.post(reverse("web:me-calendar-off"))
    assert newest()[0] == "calendar.switched_off"


def test_ones_wishes(client, team) -> None:
    client.post(reverse("web:me-notices"), {})
    assert newest() == ("account.notices_changed", "Ana changed which e-mails they want.")
    assert Event.objects.latest("id").data["after"] == {"email_my_jobs": False}
    client.post(reverse("web:me-notices"), {})
    assert Event.objects.filter(kind="account.notices_changed").count() == 1
