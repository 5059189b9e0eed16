"""What the terminal shows: each process's lines behind its name."""

from __future__ import annotations

import io
import os
import sys

COLOURS = {"web": 36, "worker": 33, "beat": 35, "reconcile": 32, "sandbox": 34, "valkey": 31}
NAME_WIDTH = max(map(len, COLOURS))
LONGEST_LINE = 16 * 1024


class Output:
    """Writes to standard output, and goes on silently when the terminal is gone: the processes matter more."""

    def __init__(self) -> None:
        self._gone = False
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A terminal may not know every character that a process writes.
            sys.stdout.reconfigure(errors="replace")
        self._coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def say(self, *lines: str) -> None:
        for line in lines:
            self._write(line)

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:<{NAME_WIDTH}} |"
        if self._coloured:
            prefix = f"\x1b[{COLOURS.get(name, 37)}m{prefix}\x1b[0m"
        self._write(f"{prefix} {text}")

    def _write(self, text: str) -> None:
        if self._gone:
            return
        try:
            print(text, flush=True)
        except OSError:
            self._gone = True
            # Otherwise the interpreter would complain about the unwritten rest when it ends.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115


class Lines:
    """Cuts the bytes of one process into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            whole.append(self._rest)
            self._rest = b""
        return [line.decode(errors="replace").rstrip("\r") for line in whole]

    def end(self) -> list[str]:
        return self.feed(b"\n") if self._rest else []
