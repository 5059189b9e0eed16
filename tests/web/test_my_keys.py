"""SSH keys on one's own page and on the team's: shown by their fingerprint, and a private one nowhere at all."""

from __future__ import annotations

import html as escapes
import logging
import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.urls import reverse

from dispersed_web.accounts.models import SshKey
from dispersed_web.accounts.ssh_keys import parse_public_key
from dispersed_web.events.models import Event
from dispersed_web.teams.models import TeamSshKey
from tests import factories as make
from tests.accounts.test_key_keeping import fresh

pytestmark = pytest.mark.django_db

PRIVATE_KEY = (
    ed25519.Ed25519PrivateKey.generate()
    .private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    .decode()
)


@pytest.fixture
def user(client):
    return make.sign_in(client, make.make_user("ana@example.org", "Ana"))


def html(answer: Any) -> str:
    return escapes.unescape(answer.content.decode())


def add(client: Any, **fields: str) -> Any:
    return client.post(reverse("web:me-ssh-key"), fields, follow=True)


def at(name: str, key: SshKey) -> str:
    return reverse(f"web:me-ssh-key{name}", args=[key.pk])


def test_a_public_key_is_stored_as_one_line_and_shown_by_its_fingerprint(client, user):
    answer = add(client, key=f"\n {make.SSH_KEY}\n", name="Laptop")
    assert user.default_ssh_key == make.SSH_KEY
    page = html(answer)
    assert parse_public_key(make.SSH_KEY).fingerprint in page
    assert "Ed25519" in page
    assert "Laptop" in page
    assert make.SSH_KEY.split()[1] not in page


def test_several_keys_one_of_them_the_default(client, user):
    first, second = (
        add(client, key=fresh().line, name=name) and user.ssh_keys.get(name=name) for name in "AB"
    )
    assert user.default_ssh_key == first.line
    client.post(at("-default", second))
    assert user.default_ssh_key == second.line
    answer = client.post(at("-remove", second), follow=True)
    assert "“A” from now on" in html(answer)
    assert user.default_ssh_key == first.line


def test_a_key_is_renamed(client, user):
    add(client, key=make.SSH_KEY, name="A")
    key = user.ssh_keys.get()
    assert client.post(at("-one", key), {"name": " Desk "}).status_code == 302
    key.refresh_from_db()
    assert key.name == "Desk"
    assert client.post(at("-one", key), {"name": ""}).status_code == 422
    assert "Desk" in html(client.get(at("-one", key)))


def test_a_key_that_is_there_already_is_said_so(client, user):
    add(client, key=make.SSH_KEY)
    answer = add(client, key=make.SSH_KEY, name="Again")
    assert answer.status_code == 422
    assert "stored already" in html(answer)
    assert 'value="Again"' in html(answer)
    assert user.ssh_keys.count() == 1


@pytest.mark.parametrize("field", ["key", "name"])
def test_a_private_key_is_neither_stored_nor_logged_nor_sent_back(client, user, caplog, field):
    fields = {"key": make.SSH_KEY, "name": "A"} | {field: PRIVATE_KEY}
    with caplog.at_level(logging.DEBUG):
        answer = add(client, **fields)
    assert answer.status_code == 422
    middle = PRIVATE_KEY.splitlines()[2]
    for place in (html(answer), str(dict(client.session)), caplog.text):
        assert middle not in place
        assert "OPENSSH PRIVATE" not in place
    if field == "key":
        assert "This is a private key" in html(answer)
    assert not SshKey.objects.exists()


def test_another_persons_key_is_not_there(client, user):
    key = make.give_ssh_key(make.make_user(), make.SSH_KEY)
    for name in ("-one", "-default", "-remove"):
        assert client.post(at(name, key), {"name": "Mine"}).status_code == 404
    assert client.get(at("-one", key)).status_code == 404
    key.refresh_from_db()
    assert key.name == "My key"


def test_one_signs_in_first(client):
    for name in ("-one", "-default", "-remove"):
        answer = client.post(reverse(f"web:me-ssh-key{name}", args=[uuid.uuid4()]))
        assert answer["Location"].startswith("/account/login/")


def test_a_teams_key_is_added_by_an_admin_and_seen_by_all(client):
    team = make.make_team()
    admin = make.make_member(team, "admin")
    make.sign_in(client, admin)
    fields = {"key": make.SSH_KEY, "name": "Jump host"}
    page = html(client.post(reverse("web:team-ssh-keys", args=[team.slug]), fields, follow=True))
    key = TeamSshKey.objects.get()
    assert key.fingerprint in page
    assert (
        client.post(reverse("web:team-ssh-key", args=[team.slug, key.pk]), {"name": "Bastion"}).status_code
        == 302
    )
    make.sign_in(client, make.make_member(team, "viewer"))
    page = html(client.get(reverse("web:team", args=[team.slug])))
    assert "Bastion" in page
    assert "Add a key of the team" not in page
    make.sign_in(client, admin)
    client.post(reverse("web:team-ssh-key-remove", args=[team.slug, key.pk]))
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["sshkey.added", "sshkey.renamed", "sshkey.removed"]


def test_a_private_key_is_no_key_of_a_team(client):
    team = make.make_team()
    make.sign_in(client, make.owner_of(team))
    answer = client.post(reverse("web:team-ssh-keys", args=[team.slug]), {"key": PRIVATE_KEY, "name": ""})
    assert answer.status_code == 422
    assert "This is a private key" in html(answer)
    assert PRIVATE_KEY.splitlines()[2] not in html(answer)
    assert not TeamSshKey.objects.exists()
