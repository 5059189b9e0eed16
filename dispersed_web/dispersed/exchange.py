"""Signed requests to one address with one key: the clock, the single try, and the retries above the
signer.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from statistics import median

import httpx

from .address import Address
from .errors import DispersedError, RateLimited, ReadOnly, ServerBroken, Unauthorized, Unreachable
from .keys import KeyPair
from .outcomes import AuthShapes, Outcome, classify_exception
from .replies import created_uuid, error_from_reply, http_date, too_large, unreachable
from .signing import canonical_query, sign
from .transport import Deadline, DeadlineTransport, Reply, TooLarge, send

MAX_RETRY_AFTER_S = 30.0
# An offset that moved by more than this explains a refused signature (the cloud allows 5 minutes).
CLOCK_JUMP_MS = 60_000
_CLOCK_SAMPLES = 9
_NOTHING_LEARNED = AuthShapes()


class CloudClock:
    """The cloud's time, told from the `Date` headers of its answers: local wall time plus the median
    difference.
    """

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self._samples: deque[int] = deque(maxlen=_CLOCK_SAMPLES)

    @property
    def offset_ms(self) -> int | None:
        """Milliseconds to add to the local clock; None before the first answer."""
        return round(median(self._samples)) if self._samples else None

    def now_ms(self) -> int:
        """The cloud's Unix time in milliseconds, as well as it is known."""
        return self._wall_ms() + (self.offset_ms or 0)

    def observe(self, date_header: str, sent_wall_ms: int) -> None:
        """Learn from an answer to a request that left at `sent_wall_ms`. The header is cut to whole
        seconds.
        """
        date = http_date(date_header)
        if date is not None:
            local_ms = (sent_wall_ms + self._wall_ms()) // 2
            self._samples.append(round(date.timestamp() * 1000) + 500 - local_ms)

    def wall_ms(self) -> int:
        """The local clock."""
        return self._wall_ms()


class Exchange:
    """Sends signed requests. For one thread at a time."""

    def __init__(
        self,
        keys: KeyPair,
        address: Address,
        clock: CloudClock,
        *,
        transport: httpx.BaseTransport | None,
        nonce: Callable[[], str],
        sleep: Callable[[float], None],
        backoff_s: Sequence[float],
        budget_s: float,
        read_only: str = "",
    ) -> None:
        self.clock = clock
        self.host = address.host
        self._keys = keys
        self._address = address
        self._given = transport
        self._nonce = nonce
        self._sleep = sleep
        self._backoff_s = tuple(backoff_s)
        self._budget_s = budget_s
        self._read_only = read_only
        self._deadline = Deadline()
        self._pooled: httpx.BaseTransport | None = None

    def close(self) -> None:
        """Close the connections."""
        if self._pooled is not None:
            self._pooled.close()
            self._pooled = None

    def repeated(
        self,
        method: str,
        path: str,
        pairs: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        deadline_s: float,
    ) -> Reply:
        """Send a request whose repetition does no harm, anew signed for each try, until a 2xx answer.

        Each try may take `deadline_s`; all tries and waits together the budget. Raises the last
        DispersedError.
        """
        query = canonical_query(pairs)
        ends_at = time.monotonic() + self._budget_s
        attempt = 0
        while True:
            signed_with = self.clock.offset_ms or 0
            seconds = min(deadline_s, ends_at - time.monotonic())
            answer = self._try_once(method, path, query, body, seconds)
            if isinstance(answer, Reply):
                return answer
            moved_ms = abs((self.clock.offset_ms or 0) - signed_with)
            wait_s = retry_wait_s(answer, attempt, self._backoff_s, clock_moved=moved_ms > CLOCK_JUMP_MS)
            if wait_s is None or time.monotonic() + wait_s >= ends_at:
                raise answer
            self._sleep(wait_s)
            attempt += 1

    def single(
        self,
        method: str,
        path: str,
        pairs: Iterable[tuple[str, str]],
        *,
        time_ms: int,
        nonce: str,
        deadline_s: float,
    ) -> Reply:
        """Send one request without a body once, signed with the given time and nonce; return any answer.

        Raises Unreachable and BadReply when there is none.
        """
        request = self._request(method, path, canonical_query(pairs), b"", time_ms=time_ms, nonce=nonce)
        return self._carry(self._pool(), request, deadline_s, creates=False)

    def create(
        self,
        path: str,
        body: bytes,
        *,
        time_ms: int,
        nonce: str,
        auth_shapes: AuthShapes,
        deadline_s: float,
        secrets: Sequence[str],
    ) -> Reply:
        """POST exactly once, over a connection of its own, and return the answer that names the job made.

        Every other end raises a DispersedError whose `outcome` says what is known of the effect. On a kept
        connection "reset before it was read" and "done, answer lost" could not be told from an ordinary
        closing.
        """
        request = self._request("POST", path, "", body, time_ms=time_ms, nonce=nonce)
        fresh = self._given or DeadlineTransport(self._deadline, keep_alive=0)
        try:
            reply = self._carry(fresh, request, deadline_s, creates=True)
        finally:
            if self._given is None:
                fresh.close()
        if 200 <= reply.status <= 299 and created_uuid(reply):
            return reply
        raise error_from_reply(reply, host=self.host, auth_shapes=auth_shapes, creates=True, secrets=secrets)

    def _try_once(
        self, method: str, path: str, query: str, body: bytes, seconds: float
    ) -> Reply | DispersedError:
        request = self._request(method, path, query, body, time_ms=self.clock.now_ms(), nonce=self._nonce())
        try:
            reply = self._carry(self._pool(), request, seconds, creates=False)
        except DispersedError as error:
            return error
        if 200 <= reply.status <= 299:
            return reply
        return error_from_reply(reply, host=self.host, auth_shapes=_NOTHING_LEARNED)

    def _request(
        self, method: str, path: str, query: str, body: bytes, *, time_ms: int, nonce: str
    ) -> httpx.Request:
        """The signed request, whose target and body are exactly what was signed. Raises ReadOnly."""
        if self._read_only and method != "GET":
            raise ReadOnly(self._read_only, code="read_only", outcome=Outcome.NOT_SENT)
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "dispersed-web",
            **sign(
                self._keys, method=method, path=path, query=query, body=body, time_ms=time_ms, nonce=nonce
            ),
        }
        if body:
            headers["Content-Type"] = "application/json"
        request = httpx.Request(method, self._address.url(path, query), headers=headers, content=body or None)
        target = f"{path}?{query}" if query else path
        if request.url.raw_path != target.encode("ascii"):
            raise DispersedError(
                "A request could not be made: its address would not be sent as it was signed.",
                code="not_sendable",
                outcome=Outcome.NOT_SENT,
            )
        return request

    def _carry(
        self, transport: httpx.BaseTransport, request: httpx.Request, seconds: float, *, creates: bool
    ) -> Reply:
        """Send, learn the time, and turn every failure of the network into a DispersedError.

        The error is raised outside the handler: the exceptions of httpx carry the whole request. A connection
        that failed is not kept, so the next try gets a fresh one: when the cloud stalls one, that has been seen
        to succeed at once.
        """
        sent_wall_ms = self.clock.wall_ms()
        try:
            reply = send(transport, request, self._deadline, seconds)
        except TooLarge as exc:
            failure: DispersedError = too_large(self.host, exc.longest, creates=creates)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as exc:
            outcome = Outcome.UNKNOWN if self._deadline.wrote else classify_exception(exc)
            late = isinstance(exc, httpx.TimeoutException)
            failure = unreachable(self.host, outcome=outcome, timed_out=late, creates=creates)
        else:
            self.clock.observe(reply.headers.get("date", ""), sent_wall_ms)
            return reply
        raise failure

    def _pool(self) -> httpx.BaseTransport:
        if self._given is not None:
            return self._given
        if self._pooled is None:
            self._pooled = DeadlineTransport(self._deadline, keep_alive=2)
        return self._pooled


def retry_wait_s(
    error: DispersedError, attempt: int, backoff_s: Sequence[float], *, clock_moved: bool
) -> float | None:
    """Seconds to wait before the next try of a request that may be repeated; None to give up.

    `attempt` counts from 0. `clock_moved`: the answer showed that the refused request was signed with a
    wrong time. A wait that the cloud asks for is kept to up to 30 seconds; if it asks for more, the caller
    must come back later.
    """
    if isinstance(error, Unauthorized):
        # Once at least: whoever has no time to wait for the cloud learns its clock all the same.
        return 0.0 if clock_moved and attempt < max(len(backoff_s), 1) else None
    if attempt >= len(backoff_s):
        return None
    if isinstance(error, (RateLimited, ServerBroken)) and error.retry_after_s is not None:
        return (
            max(error.retry_after_s, backoff_s[attempt]) if error.retry_after_s <= MAX_RETRY_AFTER_S else None
        )
    return backoff_s[attempt] if isinstance(error, (Unreachable, RateLimited, ServerBroken)) else None
