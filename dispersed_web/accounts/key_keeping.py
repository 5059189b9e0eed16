"""A person's SSH keys: several, named, one of them the default. Only public keys ever get here."""

from __future__ import annotations

import datetime as dt
import re

from django.db import transaction

from dispersed_web.accounts.models import SshKey, User
from dispersed_web.accounts.ssh_keys import PublicKey
from dispersed_web.errors import DomainError

MOST_KEYS = 20
LONGEST_NAME = 60
_LOOKS_PRIVATE = re.compile("PRIVATE KEY|BEGIN ")


class KeyRefused(DomainError):
    """The SSH key was neither stored nor changed."""


def clean_name(text: str, key: PublicKey) -> str:
    """The name of a key in the form in which it is stored; without one the key's comment, or its type.

    Raises :class:`KeyRefused`.
    """
    return checked_name(text) or key.comment[:LONGEST_NAME].strip() or f"My {key.type} key"


def checked_name(text: str) -> str:
    """The name that somebody typed, on one line. Raises :class:`KeyRefused`."""
    name = " ".join(text.split())
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise KeyRefused("invalid", f"A name is one line of at most {LONGEST_NAME} characters.", "name")
    if _LOOKS_PRIVATE.search(name):
        raise KeyRefused(
            "invalid", "This looks like a key. Give the key a name that people know it by.", "name"
        )
    return name


def add(user: User, key: PublicKey, name: str, now: dt.datetime) -> SshKey:
    """Stores the key; a person's first one is the default. Raises :class:`KeyRefused`."""
    name = clean_name(name, key)
    with transaction.atomic():
        keys = _held(user)
        if len(keys) >= MOST_KEYS:
            raise KeyRefused("too_many", f"You have {MOST_KEYS} keys, which is the most. Remove one first.")
        if any(one.fingerprint == key.fingerprint for one in keys):
            raise KeyRefused("known", "This key is stored already.", "key")
        return SshKey.objects.create(
            user=user,
            name=name,
            line=key.line,
            fingerprint=key.fingerprint,
            is_default=not any(one.is_default for one in keys),
            created_at=now,
        )


def rename(key: SshKey, name: str) -> None:
    """Raises :class:`KeyRefused` for a name that cannot be."""
    name = checked_name(name)
    if not name:
        raise KeyRefused("invalid", "Give the key a name.", "name")
    SshKey.objects.filter(pk=key.pk).update(name=name)


def make_default(key: SshKey) -> None:
    """Jobs get this key from then on, unless another is chosen."""
    with transaction.atomic():
        _held(key.user)
        SshKey.objects.filter(user=key.user_id, is_default=True).update(is_default=False)
        SshKey.objects.filter(pk=key.pk).update(is_default=True)


def remove(key: SshKey) -> SshKey | None:
    """Forgets the key; jobs that run with it keep it. The one that is the default now, if that changed."""
    with transaction.atomic():
        keys = [one for one in _held(key.user) if one.pk != key.pk]
        SshKey.objects.filter(pk=key.pk).delete()
        if not keys or any(one.is_default for one in keys):
            return None
        SshKey.objects.filter(pk=keys[0].pk).update(is_default=True)
        return keys[0]


def _held(user: User) -> list[SshKey]:
    """The person's keys, the oldest first, with the person's row held: their changes come one after the other."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)
    return list(SshKey.objects.filter(user=user).order_by("created_at", "pk"))
