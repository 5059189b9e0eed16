"""Learning how the cloud refuses an old or repeated request. That is not documented, and a launch
depends on it.
"""

from collections.abc import Callable

from .errors import DispersedError
from .exchange import Exchange
from .outcomes import AuthShapes
from .replies import error_from_reply, read_error
from .transport import Reply

STALE_BY_MS = 400_000
_PATH = "/v1/jobs"
_PAIRS = (("limit", "1"), ("page", "1"))


def probe_auth(exchange: Exchange, nonce: Callable[[], str], *, deadline_s: float) -> AuthShapes:
    """Send a listing twice with the same signature, and one signed 400 s ago (5 minutes are allowed).

    Free of charge: three reads. Raises DispersedError when the key does not work at all, or when an answer
    says nothing about the question (no answer, 429, 5xx): then nothing has been learned.
    """
    exchange.repeated("GET", _PATH, _PAIRS, deadline_s=deadline_s)  # learns the clock; fails for a wrong key
    now_ms, used = exchange.clock.now_ms(), nonce()

    def ask(time_ms: int, with_nonce: str) -> Reply:
        return exchange.single("GET", _PATH, _PAIRS, time_ms=time_ms, nonce=with_nonce, deadline_s=deadline_s)

    first = ask(now_ms, used)
    if not 200 <= first.status <= 299:
        raise _error(exchange, first)
    reused = _refusal(exchange, ask(now_ms, used))
    stale = _refusal(exchange, ask(exchange.clock.now_ms() - STALE_BY_MS, nonce()))
    return AuthShapes(stale_time=stale, reused_nonce=reused, window_enforced=stale is not None)


def _refusal(exchange: Exchange, reply: Reply) -> tuple[int, str] | None:
    """Status and code of a refusal, None when the request was accepted."""
    if 200 <= reply.status <= 299:
        return None
    if 400 <= reply.status <= 499 and reply.status not in (408, 425, 429):
        return reply.status, read_error(reply.body).code
    raise _error(exchange, reply)


def _error(exchange: Exchange, reply: Reply) -> DispersedError:
    return error_from_reply(reply, host=exchange.host, auth_shapes=AuthShapes())
