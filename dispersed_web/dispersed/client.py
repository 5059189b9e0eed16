"""The client of the Dispersed API: every endpoint that a consumer of compute uses, typed.

The application sets the `httpcore` logger to WARNING or above; nothing here logs.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from types import TracebackType

import httpx

from .address import check_address
from .exchange import CloudClock, Exchange
from .job_calls import JobCalls
from .keys import KeyPair
from .market_calls import AccountCalls, CatalogCalls
from .outcomes import AuthShapes
from .probe import probe_auth

DEFAULT_URL = "https://api.dispersed.com"


class Client(JobCalls, CatalogCalls, AccountCalls):
    """The API with one key. A context manager; for one thread at a time.

    `simulated` says whether `base_url` is a simulated cloud: keys of the two kinds are never mixed (raises
    MixedKeys; ValueError when the address is not one). `wall_ms` is the local Unix time in milliseconds,
    `nonce` makes 32 new hexadecimal characters. Reads and cancels are tried once and again after each of
    `backoff_s`; each try may take `deadline_s`, tries and waits together `budget_s`. A given `transport`
    serves all requests. With `read_only`, a sentence, everything but GET raises ReadOnly with it, before
    anything leaves.

    Every method raises a DispersedError, or ValueError for an identifier that cannot stand in a path.
    """

    def __init__(
        self,
        keys: KeyPair,
        base_url: str = DEFAULT_URL,
        *,
        simulated: bool = False,
        transport: httpx.BaseTransport | None = None,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
        sleep: Callable[[float], None] = time.sleep,
        backoff_s: Sequence[float] = (0.5, 1.0),
        deadline_s: float = 20.0,
        budget_s: float = 75.0,
        read_only: str = "",
    ) -> None:
        address = check_address(keys, base_url, simulated=simulated)
        exchange = Exchange(
            keys,
            address,
            CloudClock(wall_ms),
            transport=transport,
            nonce=nonce,
            sleep=sleep,
            backoff_s=backoff_s,
            budget_s=budget_s,
            read_only=read_only,
        )
        super().__init__(exchange, deadline_s=deadline_s)
        self._nonce = nonce

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The client can be used again; it then opens new ones."""
        self._exchange.close()

    @property
    def clock_offset_ms(self) -> int | None:
        """How far the cloud's clock is ahead of ours in milliseconds; None before the first answer."""
        return self._exchange.clock.offset_ms

    def cloud_now_ms(self) -> int:
        """The cloud's Unix time in milliseconds as well as it is known: what a create is signed with."""
        return self._exchange.clock.now_ms()

    def probe_auth(self) -> AuthShapes:
        """Learn, free of charge, how this key's old and repeated requests are refused: see
        `probe.probe_auth`.
        """
        return probe_auth(self._exchange, self._nonce, deadline_s=self._deadline_s)
