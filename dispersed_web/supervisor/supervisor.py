"""The loop that starts, shows, restarts and ends processes. One thread, so that starting a process is safe anywhere."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from dispersed_web.supervisor.child import ENDED_WELL, Child
from dispersed_web.supervisor.guard import Guard
from dispersed_web.supervisor.output import Output

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A process that dies this often, each time shortly after its start, will not get better by itself.
TRIES = 3


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C, SIGTERM, or the terminal was closed."""


class Failed(Exception):
    """The product cannot run; the text says why."""


class Supervisor:
    """``vital`` names the child without which nothing makes sense: it is started ``TRIES`` times, the others for ever."""

    def __init__(self, output: Output, guard: Guard, vital: str) -> None:
        self._output = output
        self._guard = guard
        self._vital = vital
        self._children: dict[str, Child] = {}
        self._selector = selectors.DefaultSelector()
        self._stop_requests = 0
        self._stopping = False
        self._listen_to_signals()

    def start(self, child: Child) -> None:
        """Starts ``child`` and keeps it running."""
        self._children[child.name] = child
        descriptor = child.start()
        self._selector.register(descriptor, selectors.EVENT_READ, child)
        self._guard.watch_over(child.group)

    def run(self, *children: Child, meanwhile: Callable[[], object] | None = None) -> None:
        """Runs ``children`` beside each other to their ends, and does ``meanwhile`` in this process. Raises :class:`Failed`
        when an end is not a good one."""
        for child in children:
            self.start(child)
        if meanwhile:
            meanwhile()
        left = list(children)
        while left:
            self._turn(0.03, once=left)
            for child in list(left):
                how = self._collect(child)
                if how is not None:
                    left.remove(child)
                    del self._children[child.name]
                    if how != ENDED_WELL:
                        raise Failed(f"{child.name} {how}; its lines above say why.")

    def wait_until(self, ready: Callable[[], bool], what: str, limit_s: float) -> None:
        """Keeps everything going until ``ready()``. Raises :class:`Failed` when that takes too long."""
        give_up = time.monotonic() + limit_s
        while not ready():
            if time.monotonic() > give_up:
                raise Failed(f"{what} did not answer within {limit_s:.0f} s; its lines above may say why.")
            self._turn(0.03)

    def watch(self) -> None:
        """Keeps everything going until :class:`Stopped` or :class:`Failed`."""
        while True:
            self._turn(1.0)

    def stop(self, stages: list[tuple[float, tuple[str, ...]]]) -> None:
        """Ends the children stage by stage; a stage is (seconds until they are killed, names).

        Another request to stop, while this runs, kills what is left.
        """
        self._stopping = True
        self._stop_requests = 0
        for limit_s, names in stages:
            self._stop_stage(limit_s, [self._children[name] for name in names if name in self._children])
        self._guard.close()

    def _stop_stage(self, limit_s: float, children: list[Child]) -> None:
        left = [child for child in children if child.runs]
        for child in left:
            child.send(signal.SIGTERM)
        give_up = time.monotonic() + limit_s
        while left:
            if time.monotonic() > give_up or self._stop_requests:
                for child in left:
                    child.kill()
            self._turn(0.05)
            left = [child for child in left if self._collect(child) is None]

    # Signals

    def _listen_to_signals(self) -> None:
        self._wake, write_end = os.pipe()
        for descriptor in (self._wake, write_end):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        self._selector.register(self._wake, selectors.EVENT_READ)
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_stop_signal)
        # Only so that the loop wakes up when a child ends.
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _on_stop_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop_requests += 1

    # The loop

    def _turn(self, limit_s: float, once: Sequence[Child] = ()) -> None:
        for key, _ in self._selector.select(limit_s):
            if key.fd == self._wake:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, 1024)
            else:
                self._pump(key.fd, key.data)
        if self._stopping:
            return
        if self._stop_requests:
            raise Stopped
        self._guard.stay_alive()
        for child in list(self._children.values()):
            if child not in once:
                self._keep(child)

    def _keep(self, child: Child) -> None:
        """Starts ``child`` again when it ended, after a while that grows."""
        how = self._collect(child)
        if how is not None:
            if child.name == self._vital and child.short_lives >= TRIES:
                raise Failed(f"{child.name} {how}, {TRIES} times in a row; its lines above say why.")
            delay_s = child.plan_restart()
            self._output.line(child.name, f"{how}; starting it again in {delay_s:g} s")
        elif child.restart_at is not None and time.monotonic() >= child.restart_at:
            self.start(child)

    def _collect(self, child: Child) -> str | None:
        """How ``child`` ended, once it has, after showing what it still had to say."""
        how = child.collect()
        if how is not None:
            self._guard.forget(child.group)
            for key in [key for key in self._selector.get_map().values() if key.data is child]:
                while self._pump(key.fd, child):
                    pass
        return how

    def _pump(self, descriptor: int, child: Child) -> bool:
        """Shows what ``child`` wrote; False when there is nothing now."""
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return False
        for line in child.lines.feed(data) if data else child.lines.end():
            if line.strip() and not (child.hidden and child.hidden in line):
                self._output.line(child.name, line)
        if not data:
            self._selector.unregister(descriptor)
            os.close(descriptor)
        return bool(data)
