"""SSH public keys as people paste them; keys are made here, by the same library a container's sshd does not use."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from dispersed_web.accounts.ssh_keys import BadSshKey, parse_public_key


def line_of(private):
    return private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


ED25519 = line_of(ed25519.Ed25519PrivateKey.generate())


@pytest.mark.parametrize(
    "private",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["ed25519", "ecdsa", "rsa"],
)
def test_a_key_is_taken_as_it_is(private):
    line = line_of(private)
    key = parse_public_key(f"  {line} me@laptop\n")
    assert key.line == f"{line} me@laptop"
    digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
    assert key.fingerprint == "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def test_a_comment_is_cut_to_harmless_text():
    key = parse_public_key(f"{ED25519} größe\x1b[31m " + "x" * 200)
    assert key.comment.isascii()
    assert key.comment.isprintable()
    assert len(key.comment) <= 80


PRIVATE = (
    ed25519.Ed25519PrivateKey.generate()
    .private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    .decode()
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PRIVATE, "private key"),
        ("", "not a public key"),
        ("hello", "not a public key"),
        (f"{ED25519}\n{ED25519}", "one line"),
        (f'command="rm -rf /" {ED25519}', "not a public key"),
        (ED25519[:-8], "incomplete or damaged"),
        ("ssh-ed25519 not!base64", "incomplete or damaged"),
        ("ssh-ed25519", "incomplete or damaged"),
        ("ssh-rsa " + ED25519.split()[1], "incomplete or damaged"),
        (line_of(rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (
            "ssh-dss " + base64.b64encode(b"\0\0\0\7ssh-dss").decode(),
            "not a public key",
        ),
    ],
    ids=["private", "empty", "word", "two", "options", "cut", "base64", "bare", "wrong type", "short", "dsa"],
)
def test_what_is_refused(text, words):
    with pytest.raises(BadSshKey, match=words) as refused:
        parse_public_key(text)
    pieces = [piece for piece in text.split() if len(piece) > 20]
    assert not any(piece in str(refused.value) for piece in pieces)
