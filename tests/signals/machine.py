"""A machine as the heartbeat script finds it: a folder of tools that is its whole PATH, files, and terminals."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.waiting import LIMIT_S, eventually

SCRIPT = Path(__file__).parents[2] / "dispersed_web/signals/heartbeat.sh"
SHELLS = {"sh": ["sh"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
TOOLS = {"cat", "curl", "date", "grep", "head", "iconv", "od", "rm", "sed", "sh", "sleep", "sort", "stat"}
TOOLS |= {"tail", "timeout", "tr", "wget"}


def wait_until(true: Callable[[], Any], what: str) -> Any:
    """What ``true`` gives as soon as it is true. Fails after a while."""
    return eventually(true, what, first_s=0.04)


class Machine:
    """Where one copy of the script runs. A second of its waiting lasts two milliseconds."""

    def __init__(self, folder: Path, shell: str, url: str) -> None:
        self.folder = folder
        self.shell = SHELLS[shell]
        self.tools = folder / "bin"
        self.tools.mkdir()
        self.hook_log = folder / "hook.log"
        self.started: list[subprocess.Popen[str]] = []
        for tool in TOOLS:
            # With Busybox all are its own, as in an image that has nothing else; it has no curl and no iconv.
            found = shutil.which(tool if shell != "busybox" or tool == "curl" else "busybox")
            if found and (shell, tool) != ("busybox", "iconv"):
                (self.tools / tool).symlink_to(found)
        self.environment = {
            "PATH": str(self.tools),
            "DW_HEARTBEAT_URL": url,
            "DW_BUSY_FILE": str(folder / "busy"),
            "DW_PHASE_FILE": str(folder / "phase"),
            "DW_NOTE_FILE": str(folder / "note"),
            "DW_PRE_STOP": str(folder / "pre-stop"),
            "DW_TEST_SECOND_MS": "2",
            "DW_TEST_LOCK_FOLDERS": str(folder),
            "DW_TEST_TERMINALS": str(folder / "no-terminal"),
        }

    def tool(self, name: str, text: str) -> None:
        """A fake program on the PATH."""
        path = self.tools / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def hook(self, text: str) -> None:
        path = self.folder / "pre-stop"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def terminal(self) -> Terminal:
        terminal = Terminal()
        self.environment["DW_TEST_TERMINALS"] = terminal.name
        return terminal

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The script in the foreground of this machine, ended with the test."""
        command = [shutil.which(self.shell[0]) or "", *self.shell[1:], str(SCRIPT), *arguments]
        process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """The script until it ends: its result, what it wrote, what it complained of."""
        process = self.start(*arguments)
        out, complaints = process.communicate(timeout=LIMIT_S)
        return process.returncode, out, complaints

    def pasted(self, line: str) -> str:
        """A line as somebody pastes it, run by this shell; gives back what it printed."""
        command = [shutil.which(self.shell[0]) or "", *self.shell[1:], "-c", line]
        result = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=LIMIT_S, check=True
        )
        return result.stdout + result.stderr

    def lock(self) -> Path:
        return self.folder / "dw-heartbeat.pid"

    def detached(self) -> int:
        """The process id of a copy in the background, 0 without one."""
        words = self.lock().read_text().split() if self.lock().exists() else []
        return int(words[0]) if words else 0

    def end(self) -> None:
        for process in self.started:
            process.terminate()
            process.communicate(timeout=LIMIT_S)
        if pid := self.detached():
            with contextlib.suppress(ProcessLookupError):  # it just ended by itself
                os.kill(pid, 15)


class Terminal:
    """A real terminal that somebody sits at."""

    def __init__(self) -> None:
        self.seat, self.line = pty.openpty()
        self.name = os.ttyname(self.line)
        self.shown = ""

    def touched(self, age_s: float) -> None:
        """As if the last keystroke was so long ago; the last output is of this moment."""
        os.utime(self.name, (time.time() - age_s, time.time()))

    def read(self) -> str:
        """Everything that was shown so far."""
        while select.select([self.seat], [], [], 0)[0]:
            self.shown += os.read(self.seat, 4096).decode()
        return self.shown

    def close(self) -> None:
        os.close(self.seat)
        os.close(self.line)
