"""Encryption of what must not be read from the database: AES-256-GCM, bound to the row that holds it.

A sealed text is ``v1|key id|nonce|ciphertext``. Its associated data names installation, model, row, team and field,
so a ciphertext that is copied to another row or team does not open there. The keys come from ``DW_KEYS``, apart from
``SECRET_KEY``: the first encrypts, all decrypt. Whatever passes through here is kept out of this process's logs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import uuid
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials.known_values import known
from dispersed_web.teams.models import Installation

VERSION = "v1"
# Stands in the place of a secret that was destroyed.
DESTROYED = "destroyed"


class CannotOpen(Exception):
    """The sealed text cannot be read: its key is missing, or it belongs to another row. Nothing was changed."""

    def __init__(self, key_id: str, why: str) -> None:
        self.key_id = key_id
        super().__init__(why)


@dataclass(frozen=True)
class Place:
    """Where a secret lives."""

    model: str
    row_id: object
    team_id: object
    field: str

    def associated_data(self, installation: uuid.UUID | None = None) -> bytes:
        """``installation`` saves the query for its uuid where many are opened."""
        installation = installation or Installation.get().uuid
        return f"{installation}|{self.model}|{self.row_id}|{self.team_id}|{self.field}".encode()


@sensitive_variables()
def seal(secret: str, place: Place) -> str:
    """The secret, readable only at its ``place`` again, with the newest key; from now on it is masked in logs."""
    known.learn(secret)
    return seal_with(first_key_id(), secret, place)


@sensitive_variables()
def seal_with(key_id: str, secret: str, place: Place, installation: uuid.UUID | None = None) -> str:
    """As :func:`seal`, with the key of this name, which must be in the ring."""
    key = dict(settings.KEYRING)[key_id]
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, secret.encode(), place.associated_data(installation))
    return "|".join((VERSION, key_id, _text(nonce), _text(sealed)))


@sensitive_variables()
def unseal(sealed: str, place: Place) -> str:
    """The secret, which the logs of this process are kept free of from now on. Raises :class:`CannotOpen`."""
    secret = unseal_shortly(sealed, place)
    known.learn(secret)
    return secret


@sensitive_variables()
def unseal_shortly(sealed: str, place: Place, installation: uuid.UUID | None = None) -> str:
    """The secret, for who forgets it at once and logs nothing meanwhile. Raises :class:`CannotOpen`."""
    if sealed == DESTROYED:
        raise CannotOpen("", "The stored secret was destroyed.")
    try:
        version, key_id, nonce, ciphertext = sealed.split("|")
    except ValueError:
        raise CannotOpen("", "The stored secret is damaged.") from None
    key = dict(settings.KEYRING).get(key_id)
    if version != VERSION:
        raise CannotOpen(key_id, "The stored secret is damaged.")
    if key is None:
        raise CannotOpen(key_id, f"The encryption key {key_id!r} is missing from DW_KEYS.")
    try:
        associated = place.associated_data(installation)
        return AESGCM(key).decrypt(_raw(nonce), _raw(ciphertext), associated).decode()
    except (InvalidTag, ValueError):
        raise CannotOpen(
            key_id, "The stored secret does not belong to this row, or its key was replaced."
        ) from None


@sensitive_variables()
def opens(sealed: str, place: Place, installation: uuid.UUID | None = None) -> bool:
    """Whether the sealed text can be read here and now. What it says is forgotten."""
    try:
        unseal_shortly(sealed, place, installation)
    except CannotOpen:
        return False
    return True


def has_key(key_id: str) -> bool:
    """Whether the ring of this process holds a key of this name."""
    return any(key_id == one for one, _ in settings.KEYRING)


def first_key_id() -> str:
    """The key that new secrets are sealed with."""
    return str(settings.KEYRING[0][0])


def prefix_of(key_id: str) -> str:
    """How every text begins that was sealed with this key."""
    return f"{VERSION}|{key_id}|"


def key_id_of(sealed: str) -> str:
    """The id of the key that it is sealed with; empty for a text that is not sealed."""
    return sealed.split("|")[1] if sealed.count("|") == 3 else ""


def fingerprint(text: str) -> str:
    """A keyed digest, hex: equal texts have equal fingerprints, and the text cannot be guessed from it offline."""
    return hmac.new(settings.KEYRING[-1][1], text.encode(), hashlib.sha256).hexdigest()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text)
