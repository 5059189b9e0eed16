"""The errors of a call to Dispersed: one tree, by who is to blame. Each has a sentence that users may
read.
"""

import re
from collections.abc import Iterable

from .outcomes import Outcome

UPSTREAM_TEXT_LIMIT = 300
_SECRET_SHAPES = re.compile(
    r"\b(?:sk_[A-Za-z0-9_]+|hf_[A-Za-z0-9]{8,}|gh[pousr]_[A-Za-z0-9]{8,}|github_pat_\w{8,}|glpat-[\w-]{8,}"
    r"|AKIA[A-Z0-9]{8,}|eyJ[\w-]{8,}\.[\w.-]+)"
)
_MASK = "•••"


class DispersedError(Exception):
    """A call to Dispersed that did not succeed.

    `sentence` (also `str(error)`) says what happened and what to do, without secrets; `code` is the cloud's
    or our short name for it; `status` the HTTP status, None when there was no answer; `outcome` how certain
    it is that nothing was done; `retry_after_s` the seconds that the cloud asked us to wait.
    """

    def __init__(
        self,
        sentence: str,
        *,
        code: str = "",
        status: int | None = None,
        outcome: Outcome,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.status = status
        self.outcome = outcome
        self.retry_after_s = retry_after_s

    @property
    def ambiguous(self) -> bool:
        """True when the request may have been done all the same."""
        return self.outcome is Outcome.UNKNOWN


class ReadOnly(DispersedError):
    """The client may only look: a request that could change something was not sent."""


class Unreachable(DispersedError):
    """No answer: no connection, a broken one, or none in time."""


class Rejected(DispersedError):
    """The cloud said no (4xx other than those below)."""


class NotFound(Rejected):
    """404. Not a proof that a job does not exist: another account's key is answered so too."""


class Unauthorized(Rejected):
    """401 or 403: the key, its rights, its allowed addresses, or the clock."""


class RateLimited(DispersedError):
    """429: too many requests; `retry_after_s` when the cloud named a time."""


class ServerBroken(DispersedError):
    """5xx (and 408, 425): the cloud or a gateway before it failed."""


class BadReply(DispersedError):
    """An answer that cannot be used: not JSON, not the documented shape, too large, or a redirect."""


def clean_upstream(text: str, secrets: Iterable[str] = ()) -> str:
    """Text of the cloud made fit to be shown: one line, no control characters, no secrets, at most 300
    characters.

    `secrets` are values of the request that the cloud might quote back; those shorter than 4 characters
    stay, as hiding them would hide ordinary words.
    """
    for secret in sorted({value for value in secrets if len(value) >= 4}, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    text = _SECRET_SHAPES.sub(_MASK, text)
    text = "".join(char if char.isprintable() else " " for char in text)
    text = " ".join(text.split())
    return text if len(text) <= UPSTREAM_TEXT_LIMIT else text[: UPSTREAM_TEXT_LIMIT - 1] + "…"
