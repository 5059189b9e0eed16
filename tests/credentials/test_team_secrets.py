"""A team's named secrets: what may be stored, who is told, and that nothing gives a value back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from dispersed_web.credentials import team_secrets, vault
from dispersed_web.credentials.models import TeamSecret
from dispersed_web.credentials.secret_rules import SecretRefused, host_of
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.teams.models import Team
from tests import factories

pytestmark = pytest.mark.django_db
VALUE = "hf_canaryTeamSecret7e1b"


@pytest.fixture
def team() -> Team:
    return factories.make_team()


def add(team: Team, name: str = "hf-token", value: str = VALUE, **fields: Any) -> TeamSecret:
    user = factories.owner_of(team)
    return team_secrets.add(
        team, name, value, user=user, actor=Actor.person(user), now=timezone.now(), **fields
    )


def by(team: Team) -> dict[str, Any]:
    return {"actor": Actor.person(factories.owner_of(team)), "now": timezone.now()}


def test_it_is_stored_sealed_and_opens_in_its_own_team_alone(team: Team) -> None:
    secret = TeamSecret.objects.get(pk=add(team).pk)
    assert VALUE not in secret.value_sealed
    assert team_secrets.value_of(secret, team_id=team.pk) == VALUE
    with pytest.raises(vault.CannotOpen):
        team_secrets.value_of(secret, team_id=factories.make_team().pk)
    other = add(factories.make_team())
    other.value_sealed = secret.value_sealed
    with pytest.raises(vault.CannotOpen):
        team_secrets.value_of(other, team_id=other.team_id)


def test_no_event_holds_the_value(team: Team) -> None:
    secret = add(team, note="For models")
    team_secrets.change_value(secret, "hf_anotherCanary9d2c", **by(team))
    team_secrets.remove(secret, **by(team))
    events = Event.objects.filter(team=team, subject_type="secret").order_by("id")
    assert [event.kind for event in events] == ["secret.added", "secret.changed", "secret.removed"]
    assert "hf-token" in events[0].sentence
    whole = json.dumps([[event.sentence, event.data] for event in events])
    assert "canary" not in whole.lower()
    assert events[1].data["after"] == {"value_sealed": "(changed)"}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "two words"}),
        ("name", {"name": "-x"}),
        ("name", {"name": "x" * 61}),
        ("name", {"name": "0b0e6c5e-6c5e-4c5e-8c5e-0b0e6c5e6c5e"}),
        ("value", {"value": "\n\n"}),
        ("value", {"value": "tiny7ch"}),
        ("value", {"value": "x" * (32 * 1024 + 1)}),
        ("value", {"value": "pässwörter"}),
        ("value", {"value": "nul\0inside"}),
        ("note", {"note": "x" * 201}),
        ("usable_by", {"usable_by": "everybody"}),
        ("chosen", {"usable_by": "chosen"}),
        ("hosts", {"hosts": ["not a host"]}),
    ],
)
def test_what_cannot_be_stored_is_refused_at_its_field(team: Team, field: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(SecretRefused) as refused:
        add(team, **{"name": "token", "value": VALUE} | wrong)
    assert refused.value.field == field
    assert not str(wrong.get("value", "")).strip() or str(wrong["value"])[:20] not in refused.value.sentence
    assert not TeamSecret.objects.exists()


def test_a_value_of_32_kib_and_several_lines_is_taken(team: Team) -> None:
    long = add(team, value="x" * (32 * 1024))
    assert len(team_secrets.value_of(long, team_id=team.pk)) == 32 * 1024
    lines = add(team, "lines", "first line\r\nsecond line\r\n")
    assert team_secrets.value_of(lines, team_id=team.pk) == "first line\nsecond line"


def test_a_name_is_there_once_whatever_its_case(team: Team) -> None:
    add(team)
    with pytest.raises(SecretRefused) as refused:
        add(team, "HF-Token")
    assert refused.value.field == "name"
    add(factories.make_team(), "hf-token")


def test_a_new_value_has_another_fingerprint_and_the_same_one_changes_nothing(team: Team) -> None:
    secret = add(team)
    assert len(secret.fingerprint) == 8
    assert not team_secrets.change_value(secret, VALUE, **by(team))
    assert team_secrets.change_value(secret, "hf_anotherCanary9d2c", **by(team))
    row = TeamSecret.objects.get(pk=secret.pk)
    assert row.fingerprint != secret.fingerprint
    assert team_secrets.value_of(row, team_id=team.pk) == "hf_anotherCanary9d2c"


def test_the_same_value_is_stored_again_where_the_stored_one_cannot_be_opened(team: Team) -> None:
    secret = add(team)
    TeamSecret.objects.update(value_sealed="v1|lost|AA==|AA==")
    assert team_secrets.change_value(secret, VALUE, **by(team))
    assert team_secrets.value_of(TeamSecret.objects.get(), team_id=team.pk) == VALUE


def test_chosen_people_are_members_of_the_team(team: Team) -> None:
    member, stranger = factories.make_member(team), factories.make_user()
    secret = add(team)
    for wrong in ((stranger.pk,), (member.pk, stranger.pk)):
        with pytest.raises(SecretRefused) as refused:
            team_secrets.change_about(secret, note="", usable_by="chosen", chosen=wrong, **by(team))
        assert refused.value.field == "chosen"
    assert team_secrets.change_about(secret, note="", usable_by="chosen", chosen=[member.pk], **by(team))
    assert [row.user_id for row in secret.chosen.all()] == [member.pk]
    assert not team_secrets.change_about(secret, note="", usable_by="chosen", chosen=[member.pk], **by(team))
    assert team_secrets.change_about(secret, note="", usable_by="members", chosen=[member.pk], **by(team))
    assert not secret.chosen.exists()


def test_a_refused_change_changes_nothing(team: Team) -> None:
    secret = add(team, note="before")
    with pytest.raises(SecretRefused):
        team_secrets.change_about(secret, note="after", usable_by="chosen", chosen=[], **by(team))
    row = TeamSecret.objects.get(pk=secret.pk)
    assert (row.note, row.usable_by) == ("before", "members")


def test_registries_are_kept_in_one_form(team: Team) -> None:
    secret = add(team, hosts=["https://GHCR.io/", "index.docker.io", "docker.io", " "])
    assert secret.hosts == ["docker.io", "ghcr.io"]
    assert host_of("") == "docker.io"
    assert host_of("registry.example.com:5000") == "registry.example.com:5000"


def test_what_was_removed_cannot_be_changed(team: Team) -> None:
    secret = add(team)
    team_secrets.remove(TeamSecret.objects.get(pk=secret.pk), **by(team))
    for act in (
        lambda: team_secrets.change_value(secret, VALUE, **by(team)),
        lambda: team_secrets.change_about(secret, note="", usable_by="members", **by(team)),
        lambda: team_secrets.remove(secret, **by(team)),
    ):
        with pytest.raises(SecretRefused):
            act()


def test_the_value_stands_in_no_column_of_its_own(team: Team) -> None:
    add(team)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM credentials_teamsecret")
        row = " ".join(map(str, cursor.fetchone()))
    assert VALUE not in row
    assert "hf-token" in row


@pytest.mark.parametrize(
    ("before", "after", "further"),
    [
        ([], [], False),
        ([], ["ghcr.io"], False),
        (["ghcr.io"], ["ghcr.io"], False),
        (["docker.io", "ghcr.io"], ["ghcr.io"], False),
        (["ghcr.io"], [], True),
        (["ghcr.io"], ["evil.test"], True),
        (["ghcr.io"], ["evil.test", "ghcr.io"], True),
    ],
)
def test_a_bound_secret_goes_further_only_with_its_value_typed_anew(
    team: Team, before: list[str], after: list[str], further: bool
) -> None:
    secret = add(team, note="before", hosts=before)
    about: dict[str, Any] = {"note": "after", "usable_by": "members", "hosts": after}
    if further:
        with pytest.raises(SecretRefused) as refused:
            team_secrets.change_about(secret, **about, **by(team))
        assert refused.value.field == "value"
        row = TeamSecret.objects.get(pk=secret.pk)
        assert (row.hosts, row.note) == (before, "before")
        assert team_secrets.change_about(secret, **about, value=VALUE, **by(team)), "the same one does"
    else:
        assert team_secrets.change_about(secret, **about, **by(team))
    row = TeamSecret.objects.get(pk=secret.pk)
    assert (row.hosts, row.note) == (after, "after")
    assert team_secrets.value_of(row, team_id=team.pk) == VALUE


def test_another_value_lets_it_go_further_and_a_refused_value_changes_nothing(team: Team) -> None:
    secret = add(team, hosts=["ghcr.io"])
    with pytest.raises(SecretRefused):
        team_secrets.change_about(secret, note="x", usable_by="members", value="tiny7ch", **by(team))
    assert TeamSecret.objects.get(pk=secret.pk).hosts == ["ghcr.io"]
    other = "hf_anotherCanary9d2c"
    assert team_secrets.change_about(secret, note="", usable_by="members", value=other, **by(team))
    row = TeamSecret.objects.get(pk=secret.pk)
    assert (row.hosts, team_secrets.value_of(row, team_id=team.pk)) == ([], other)
