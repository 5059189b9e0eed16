"""One process that the supervisor keeps: in a session of its own, with everything it starts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dispersed_web.supervisor.fork import Fork, die_with_parent
from dispersed_web.supervisor.output import Lines

ENDED_WELL = "ended with status 0"
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
# A process that lived this long starts again with the first delay.
SETTLED_S = 30.0


@dataclass
class Child:
    """Runs ``command``, or does ``act`` as a fork of the supervisor, with its environment."""

    name: str
    command: list[str]
    environment: dict[str, str]
    hidden: str = ""  # lines that hold this text are not shown
    act: Callable[[], object] | None = None
    process: subprocess.Popen[bytes] | Fork | None = None
    group: int = 0
    lines: Lines = field(default_factory=Lines)
    started_at: float = 0.0
    restart_at: float | None = None
    short_lives: int = 0

    def start(self) -> int:
        """The descriptor of its output."""
        self.restart_at = None
        self.started_at = time.monotonic()
        self.lines = Lines()
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        self.process = Fork(f"dw-{self.name}", self.act, write_end) if self.act else self._program(write_end)
        self.group = self.process.pid
        os.close(write_end)
        return read_end

    def _program(self, output: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )

    @property
    def runs(self) -> bool:
        return self.process is not None

    def send(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """Kills it and everything it started."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)  # a fork may not lead its group yet
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.group, signal.SIGKILL)

    def collect(self) -> str | None:
        """How it ended, in words, once it has; None while it runs. What it started ends with it."""
        status = self.process.poll() if self.process else None
        if status is None:
            return None
        self.kill()
        self.process = None
        self.short_lives = 0 if self.lived_s >= SETTLED_S else self.short_lives + 1
        return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"

    @property
    def lived_s(self) -> float:
        return time.monotonic() - self.started_at

    def plan_restart(self) -> float:
        """Seconds until the next start: longer with every short life."""
        doublings = min(max(self.short_lives - 1, 0), 10)
        delay_s = min(FIRST_DELAY_S * 2.0**doublings, LONGEST_DELAY_S)
        self.restart_at = time.monotonic() + delay_s
        return delay_s
