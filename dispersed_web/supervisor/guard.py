"""Ends the children when the supervisor is killed and cannot do it: a process that waits for its end of a pipe.

Started as a plain script: ``python guard.py FOLDER SECONDS``. Reads ``+PID`` and ``-PID`` lines (process groups that
began and ended) and, at the end of the pipe, ends the groups that are left, killing them after SECONDS, and removes
FOLDER, in which the broker's socket is.
It inherits the lock of the data folder, so the next supervisor cannot start before it has finished.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, cast

GRACE_S = 3.0
LATEST_S = 30.0


class Guard:
    """The supervisor's end of the pipe."""

    def __init__(self, folder: Path, lock: int, grace_s: float = GRACE_S) -> None:
        self._folder = folder
        self._lock = lock
        self._grace_s = grace_s
        self._groups: set[int] = set()
        self._start()

    def _start(self) -> None:
        # It needs no settings, least of all the product's keys.
        apart = {name: value for name, value in os.environ.items() if not name.startswith("DW_")}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(self._folder), str(self._grace_s)],
            env=apart,
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=(self._lock,),
        )
        self._pipe = cast(IO[str], self._process.stdin)
        for group in self._groups:
            self._tell(f"+{group}")

    def watch_over(self, group: int) -> None:
        self._groups.add(group)
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        self._groups.discard(group)
        self._tell(f"-{group}")

    def stay_alive(self) -> None:
        """Starts the process again if it ended."""
        if self._process.poll() is not None:
            self._close_pipe()
            self._start()

    def close(self) -> None:
        self._close_pipe()
        # On a busy machine it may be late, which is no fault; it ends by itself.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self._grace_s + LATEST_S)

    def _close_pipe(self) -> None:
        with contextlib.suppress(OSError):
            self._pipe.close()

    def _tell(self, line: str) -> None:
        # When it is not there to read, `stay_alive` starts another, which is told everything.
        with contextlib.suppress(OSError):
            print(line, file=self._pipe, flush=True)


def send(group: int, number: int) -> bool:
    """False when the group is no more."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # macOS says so of groups of which only unreaped members are left.
        return False
    return True


def end(groups: set[int], grace_s: float) -> None:
    """Ends process groups: asked first, and killed when ``grace_s`` seconds are over."""
    left = {group for group in groups if send(group, signal.SIGTERM)}
    give_up = time.monotonic() + grace_s
    while left and time.monotonic() < give_up:
        time.sleep(0.05)
        left = {group for group in left if send(group, 0)}
    for group in left:
        send(group, signal.SIGKILL)


def main(folder: str, grace_s: float) -> None:
    """Reads ``+group`` and ``-group`` until its parent is gone, then ends the groups that are left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        with contextlib.suppress(ValueError):
            group = int(line[1:])
            (groups.add if line[0] == "+" else groups.discard)(group)
    end(groups, grace_s)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
