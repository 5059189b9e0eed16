"""While an encryption key is away the pages name it, what it closes, and which running jobs cannot be stopped."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.credentials import canary, rotation
from tests import factories as make

pytestmark = pytest.mark.django_db
OTHER = ("other", b"x" * 32)


@pytest.fixture
def lab(client: Any) -> Any:
    """Asks for a page of a team with a credential, as its owner."""
    team = make.make_team()
    make.make_credential(team)
    canary.ensure()
    make.sign_in(client, make.owner_of(team))

    def ask() -> str:
        return client.get(reverse("web:team", args=[team.slug])).content.decode()

    ask.team = team  # type: ignore[attr-defined]
    return ask


def test_the_banner_names_the_key_the_jobs_and_their_cost(lab: Any, settings: Any) -> None:
    for number in range(7):
        make.make_job(lab.team, title=f"Train {number}", hourly_rate_usd=Decimal("1.50"))
    lab.team.credentials.update(state="broken", failure="The encryption key 'test' is missing.")
    make.make_job(lab.team, "COMPLETED", title="Done long ago")
    settings.KEYRING = [OTHER]
    text = lab()
    assert "The encryption key “test” is missing." in text
    assert (
        "7 running jobs of this team cannot be stopped from here, $10.50/h in all: “Train 0” ($1.50/h)"
        in text
    )
    assert "and 2 more. End in Dispersed’s console what cannot wait." in text
    assert "Done long ago" not in text
    assert "Nothing was changed or deleted" in text
    assert "does not work" not in text, "the credential's own banner would say it again"


def test_a_key_of_the_same_name_that_is_another_is_told_apart(lab: Any, settings: Any) -> None:
    settings.KEYRING = [("test", b"x" * 32)]
    assert "The encryption key “test” is not the one of that name that was in use." in lab()


def test_other_teams_are_told_too_and_no_job_of_theirs_is_named_here(lab: Any, settings: Any) -> None:
    make.make_job(make.make_team(), title="Of another team")
    settings.KEYRING = [OTHER]
    text = lab()
    assert "is missing" in text
    assert "Of another team" not in text
    assert "cannot be stopped" not in text


def test_with_every_key_nothing_is_said(lab: Any) -> None:
    make.make_job(lab.team)
    assert "encryption key" not in lab()


def test_whoever_runs_the_installation_sees_the_state_of_every_key(client: Any, settings: Any) -> None:
    make.make_credential(make.make_team())
    canary.ensure()
    settings.KEYRING = [OTHER]
    canary.ensure()
    rotation.check(timezone.now())
    make.sign_in(client, make.make_user(is_site_admin=True))
    text = " ".join(client.get(reverse("web:site")).content.decode().split())
    assert text.index(">other<") < text.index("seals what is new") < text.index(">test<")
    assert '<span class="tag tone-red">missing</span>' in text
    assert text.count(" ago</time>") == 2


def test_a_damaged_secret_is_counted_there(client: Any) -> None:
    team = make.make_team()
    good, bad = make.make_credential(team), make.make_credential(team)
    type(bad).objects.filter(pk=bad.pk).update(secret_sealed=good.secret_sealed)
    canary.ensure()
    rotation.check(timezone.now())
    make.sign_in(client, make.make_user(is_site_admin=True))
    assert "1 damaged" in client.get(reverse("web:site")).content.decode()


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ({"state": "gone", "secret_sealed": ""}, "its key was destroyed here"),
        ({"state": "disabled", "refused_at": timezone.now()}, "its key does not work"),
        ({"state": "retired", "cancel_refused_at": timezone.now()}, "Dispersed lets its key stop nothing"),
    ],
)
def test_with_every_encryption_key_here_jobs_whose_own_keys_stop_nothing_are_named(
    lab: Any, key: dict[str, Any], why: str
) -> None:
    make.make_job(lab.team, title="Train", hourly_rate_usd=Decimal("1.50"))
    lab.team.credentials.update(**key)
    text = lab()
    assert (
        f"1 running job of this team cannot be stopped from here: “Train” ($1.50/h), because {why}." in text
    )
    assert "encryption key" not in text


def test_a_team_that_lost_its_keys_and_runs_nothing_is_not_alarmed(lab: Any) -> None:
    make.make_job(lab.team, "COMPLETED")
    lab.team.credentials.update(state="gone", secret_sealed="")
    assert "cannot be stopped" not in lab()
