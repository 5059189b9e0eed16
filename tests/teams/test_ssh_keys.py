"""The team's SSH keys: for who manages them, each change with its event."""

from __future__ import annotations

import pytest
from django.utils import timezone

from dispersed_web.accounts.ssh_keys import parse_public_key
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.teams import ssh_keys
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import TeamSshKey
from tests import factories as make
from tests.accounts.test_key_keeping import fresh

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def team():
    return make.make_team()


def by(team, role: str) -> dict:
    user = make.owner_of(team) if role == "owner" else make.make_member(team, role)
    return {"actor": Actor.person(user), "now": NOW}


def test_a_key_comes_gets_another_name_and_goes(team):
    admin = by(team, "admin")
    key = ssh_keys.add(team, parse_public_key(make.SSH_KEY), "Jump host", **admin)
    assert ssh_keys.rename(key, "Bastion", **admin)
    assert not ssh_keys.rename(key, "Bastion", **admin)
    key.refresh_from_db()
    assert ssh_keys.remove(key, **admin)
    assert not ssh_keys.remove(key, **admin)
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)) == [
        "sshkey.added",
        "sshkey.renamed",
        "sshkey.removed",
    ]
    assert key.fingerprint in Event.objects.latest("id").sentence


@pytest.mark.parametrize("role", ["viewer", "member"])
def test_others_change_nothing(team, role):
    key = ssh_keys.add(team, fresh(), "Jump host", **by(team, "owner"))
    other = by(team, role)
    for act in (
        lambda: ssh_keys.add(team, fresh(), "X", **other),
        lambda: ssh_keys.rename(key, "X", **other),
        lambda: ssh_keys.remove(key, **other),
    ):
        with pytest.raises(TeamRefused) as refused:
            act()
        assert refused.value.code == "not_allowed"
    assert TeamSshKey.objects.get().name == "Jump host"
    assert Event.objects.count() == 1


def test_a_team_has_a_key_once_and_twenty_at_most(team):
    owner = by(team, "owner")
    key = fresh()
    ssh_keys.add(team, key, "A", **owner)
    with pytest.raises(TeamRefused) as refused:
        ssh_keys.add(team, key, "B", **owner)
    assert refused.value.field == "key"
    for number in range(19):
        ssh_keys.add(team, fresh(), f"K{number}", **owner)
    with pytest.raises(TeamRefused, match="20"):
        ssh_keys.add(team, fresh(), "One more", **owner)
    ssh_keys.add(make.make_team(owner=make.owner_of(team)), key, "A", **owner)
