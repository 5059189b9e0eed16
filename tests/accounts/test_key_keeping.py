"""A person's SSH keys: several, one of them the default."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from dispersed_web.accounts import key_keeping
from dispersed_web.accounts.key_keeping import KeyRefused
from dispersed_web.accounts.models import SshKey
from dispersed_web.accounts.ssh_keys import PublicKey, parse_public_key
from tests import factories as make

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def fresh(comment: str = "me@laptop") -> PublicKey:
    raw = ed25519.Ed25519PrivateKey.generate().public_key()
    line = raw.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return parse_public_key(f"{line} {comment}")


@pytest.fixture
def user():
    return make.make_user()


def defaults(user) -> list[str]:
    return list(SshKey.objects.filter(user=user, is_default=True).values_list("name", flat=True))


def test_the_first_key_is_the_default_and_another_may_be_chosen(user):
    key_keeping.add(user, fresh(), "Laptop", NOW)
    second = key_keeping.add(user, fresh(), "Desk", NOW)
    assert defaults(user) == ["Laptop"]
    key_keeping.make_default(second)
    assert defaults(user) == ["Desk"]
    assert user.default_ssh_key == second.line


def test_without_a_name_it_has_its_comments(user):
    assert key_keeping.add(user, fresh(), "  ", NOW).name == "me@laptop"
    assert key_keeping.add(user, fresh(""), "", NOW).name == "My ssh-ed25519 key"


def test_the_same_key_is_stored_once_whatever_its_comment(user):
    key = fresh()
    key_keeping.add(user, key, "A", NOW)
    with pytest.raises(KeyRefused, match="already"):
        key_keeping.add(user, parse_public_key(f"{key.type} {key.body} other"), "B", NOW)
    key_keeping.add(make.make_user(), key, "A", NOW)
    assert SshKey.objects.filter(user=user).count() == 1


def test_there_are_twenty_at_most(user):
    for number in range(20):
        key_keeping.add(user, fresh(), f"K{number}", NOW)
    with pytest.raises(KeyRefused) as refused:
        key_keeping.add(user, fresh(), "One more", NOW)
    assert (refused.value.code, user.ssh_keys.count()) == ("too_many", 20)


def test_when_the_default_is_removed_the_oldest_takes_its_place(user):
    days = {name: NOW + dt.timedelta(days=day) for day, name in enumerate("ABC")}
    first, second, third = (key_keeping.add(user, fresh(), name, at) for name, at in days.items())
    assert key_keeping.remove(first) == second
    assert defaults(user) == ["B"]
    assert key_keeping.remove(third) is None
    assert key_keeping.remove(second) is None
    assert user.default_ssh_key == ""


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 61, "a\u202eb", "-----BEGIN OPENSSH PRIVATE KEY-----", "a\0b"]
)
def test_a_name_is_short_and_plain(user, name):
    key = key_keeping.add(user, fresh(), "A", NOW)
    with pytest.raises(KeyRefused) as refused:
        key_keeping.rename(key, name)
    assert refused.value.field == "name"
    key_keeping.rename(key, "  My   laptop ")
    key.refresh_from_db()
    assert key.name == "My laptop"
