"""The sandbox as a thing to start and stop."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from .cloud import DEMO_KEYS, Cloud, Key
from .control import Control
from .server import Server

ACCEPT_POLL_S = 0.25


class Sandbox:
    """A simulated Dispersed over HTTP. Use as a context manager, or `start()` and `stop()`; `url` is its base
    URL.

    `data_dir` keeps the ledger across restarts; `port` 0 picks a free one (a restart of the same object keeps
    it); `time_scale` divides phase durations; `keys` are (public, secret, account name), all
    `pk_sim_`/`sk_sim_`.
    """

    def __init__(
        self,
        data_dir: str | Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        time_scale: float = 1.0,
        seed: int = 0,
        keys: Sequence[Key] = tuple(DEMO_KEYS),
    ) -> None:
        self._address = (host, port)
        self._cloud = Cloud(Path(data_dir), time_scale=time_scale, seed=seed, keys=keys)
        self.control = Control(self._cloud)
        self.keys = list(keys)
        self._server = Server(self._address, self._cloud, self.control)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> Sandbox:
        """Serve, and let containers send heartbeats, in background threads."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(ACCEPT_POLL_S,), name="sandbox", daemon=True
        )
        self._thread.start()
        self._cloud.heartbeats.start()
        return self

    def stop(self) -> None:
        """End the heartbeats, break all connections, stop listening, close the ledger.

        The sandbox cannot be started again.
        """
        self._cloud.heartbeats.stop()
        if self._thread is not None:
            self._server.close_all()
            self._thread.join()
        else:
            self._server.server_close()
        self._cloud.store.close()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
