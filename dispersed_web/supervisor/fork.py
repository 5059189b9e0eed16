"""A process that goes on from what the supervisor has loaded, instead of beginning with a program of its own."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import NoReturn

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """The second line behind the guard. Safe before exec because the supervisor has one thread only."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Fork:
    """Does ``act`` in a session of its own and ends. It has the memory of this process and nothing else: no open file, no
    handler of a signal. ``output`` is where it writes, ``name`` what ``ps -e`` calls it. Has the methods of ``Popen`` that
    the supervisor uses."""

    def __init__(self, name: str, act: Callable[[], object], output: int) -> None:
        parent = os.getpid()
        # A signal that comes before the child has let go of the handlers waits.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.pid = os.fork()
            if self.pid == 0:
                _live(name, act, output, parent)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._status: int | None = None

    def poll(self) -> int | None:
        """Its status once it has ended: what it ended with, or the signal that ended it as a negative number."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def send_signal(self, number: int) -> None:
        """Nothing happens when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


def _live(name: str, act: Callable[[], object], output: int, parent: int) -> NoReturn:
    status = 1
    try:
        _stand_alone(name, output, parent)
        act()
        status = 0
    except SystemExit as end:
        status = _status_of(end)
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
    finally:
        # As an interpreter ends, but it does not tidy up: what it would close is not its own.
        with contextlib.suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _stand_alone(name: str, output: int, parent: int) -> None:
    os.setsid()
    die_with_parent()
    if os.getppid() != parent:  # it died before that was said
        os._exit(1)
    if _libc is not None:
        _libc.prctl(PR_SET_NAME, name.encode()[:15])
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = open(1, "w", buffering=1, errors="replace", closefd=False)  # noqa: SIM115
    # The lock of the data folder, the pipe of the guard, the output of the others.
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2:
            with contextlib.suppress(OSError):
                os.close(descriptor)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _status_of(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1
