"""Stored SSH keys as the pages list them: by name, kind and fingerprint, never by their text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dispersed_web.accounts.models import SshKey
from dispersed_web.teams.models import TeamSshKey

KINDS = {
    "ssh-ed25519": "Ed25519",
    "ssh-rsa": "RSA",
    "ecdsa-sha2-nistp256": "ECDSA P-256",
    "ecdsa-sha2-nistp384": "ECDSA P-384",
    "ecdsa-sha2-nistp521": "ECDSA P-521",
    "sk-ssh-ed25519@openssh.com": "Ed25519 security key",
    "sk-ecdsa-sha2-nistp256@openssh.com": "ECDSA security key",
}


@dataclass(frozen=True)
class KeyLine:
    """A stored key, and its kind as people call it."""

    row: SshKey | TeamSshKey
    kind: str


def key_lines(keys: Iterable[SshKey | TeamSshKey]) -> list[KeyLine]:
    """The keys with the kind of each."""
    return [KeyLine(key, kind_of(key.line)) for key in keys]


def kind_of(line: str) -> str:
    """The kind of a public key as people call it."""
    word = line.partition(" ")[0]
    return KINDS.get(word, word)
