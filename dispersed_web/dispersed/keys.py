"""Secrets in memory: values that do not show themselves in logs, tracebacks, templates or pickles."""

import hmac
from typing import NoReturn

MASK = "••••••••"


class Secret:
    """A text that is only given out by `reveal()`; every other way of looking at it shows a mask or fails."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: call this only where it is used."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")


class KeyPair:
    """An API key of Dispersed: the public key names it, the secret key signs. Only `secret_key` shows the
    secret.

    Raises ValueError, which never quotes the keys, when they do not look like keys. The prefixes are
    checked because the public key is sent with every request: a pair typed the wrong way round would send
    out the secret.
    """

    __slots__ = ("_secret", "public_key")

    public_key: str

    def __init__(self, public_key: str, secret_key: str | Secret) -> None:
        secret = secret_key.reveal() if isinstance(secret_key, Secret) else secret_key
        _check_key(public_key, "pk_", "public key")
        _check_key(secret, "sk_", "secret key")
        object.__setattr__(self, "public_key", public_key)
        object.__setattr__(self, "_secret", Secret(secret))

    @property
    def secret_key(self) -> str:
        """The secret key itself: for the signer and the vault only."""
        secret: Secret = self._secret  # type: ignore[attr-defined]
        return secret.reveal()

    @property
    def simulated(self) -> bool:
        """Whether this is a pair of the simulated cloud (`pk_sim_…` and `sk_sim_…`).

        Raises MixedKeys when only one half of the pair is.
        """
        halves = {self.public_key.startswith("pk_sim_"), self.secret_key.startswith("sk_sim_")}
        if len(halves) == 2:
            raise MixedKeys(
                "One key is of the simulated cloud and the other is real: they do not belong together."
            )
        return halves == {True}

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a key pair does not change")

    def __repr__(self) -> str:
        return f"KeyPair({self.public_key!r}, {MASK})"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeyPair):
            return NotImplemented
        return self.public_key == other.public_key and Secret(self.secret_key) == Secret(other.secret_key)

    def __hash__(self) -> int:
        return hash((KeyPair, self.public_key))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key pair cannot be pickled or copied")


class MixedKeys(ValueError):
    """Keys of the simulated cloud and the real cloud were about to be mixed. `sentence` says it for users."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _check_key(key: str, prefix: str, name: str) -> None:
    if not key.startswith(prefix):
        raise ValueError(f"The {name} must begin with {prefix}")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError(f"The {name} has a character that no key has; copy it again.")
