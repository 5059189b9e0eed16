"""Reading SSH public keys as people paste them. Pure."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

ACCEPTED = {
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
}
MINIMUM_RSA_BITS = 2048


class BadSshKey(ValueError):
    """The text is not one usable public key; ``str(error)`` says why and never repeats the text."""


@dataclass(frozen=True)
class PublicKey:
    """One public key: its ``type`` word, its base64 body, the owner's comment and its SHA-256 fingerprint."""

    type: str
    body: str
    comment: str
    fingerprint: str

    @property
    def line(self) -> str:
        return f"{self.type} {self.body} {self.comment}".strip()


def parse_public_key(text: str) -> PublicKey:
    """The single public key in ``text``. Raises :class:`BadSshKey`.

    A second line is refused because the parser of the cryptography library ignores it and the container would not;
    the type word is kept as written because that parser takes a security-key entry for a plain one.
    """
    text = text.strip()
    if "PRIVATE KEY" in text:
        raise BadSshKey("This is a private key. Keep it secret, and paste the .pub file instead.")
    if "\n" in text or "\r" in text:
        raise BadSshKey("Paste one key on one line.")
    kind, _, rest = text.partition(" ")
    body, _, comment = rest.strip().partition(" ")
    if kind not in ACCEPTED:
        raise BadSshKey("This is not a public key: it starts with ssh-ed25519, ssh-rsa, ecdsa-… or sk-….")
    try:
        raw = base64.b64decode(body, validate=True)
        key = load_ssh_public_key(f"{kind} {body}".encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise BadSshKey("The key is incomplete or damaged. Copy the whole line of the .pub file.") from None
    if isinstance(key, RSAPublicKey) and key.key_size < MINIMUM_RSA_BITS:
        raise BadSshKey(
            f"This RSA key has {key.key_size} bits; use at least {MINIMUM_RSA_BITS}, or an ed25519 key."
        )
    comment = "".join(c for c in comment.strip() if c.isascii() and c.isprintable())[:80]
    digest = base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
    return PublicKey(kind, body, comment, f"SHA256:{digest}")
