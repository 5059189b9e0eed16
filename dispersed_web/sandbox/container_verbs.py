"""The control verbs for what happens inside containers: `behave`, `restart`, `heartbeats` and `beat`.

They need a job that was created with `SANDBOX_BEHAVIOUR` (see `behaviour.py`), and all but `heartbeats` a
container that runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .cloud import Cloud
from .containers import Container, keep_changes, living_containers, write_line

MAX_LINE_CHARS = 2_000
MAX_SESSIONS = 50
MAX_GPUS = 16


class ContainerVerbs:
    """What a person or a program inside a container could do."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def behave(
        self,
        job_uuid: str,
        gpu: int | list[int] | None = None,
        cpu: float | None = None,
        typing: bool | float | None = None,
        ssh: int | None = None,
        busy: bool | None = None,
        heartbeat: str | None = None,
        log: str | None = None,
        period_s: float | None = None,
        net: int | None = None,
    ) -> dict[str, Any]:
        """Change a running container from now on; what is left out stays. Gives what its heartbeat reports now.

        `gpu`: use in percent of every GPU, or a list with one for each. `cpu`: cores. `net`: bytes a minute.
        `ssh`: so many sessions are open from now on. `typing`: whether somebody types in the first of them
        (it is opened where none is), or how many seconds ago somebody last did. `busy`: the workload's own
        word. `heartbeat`: "on", "off", or "stall" (its thread hangs). `period_s`: real seconds between two
        heartbeats. `log`: a line that the container writes now.
        """
        named = {
            "gpu": gpu, "cpu": cpu, "net": net, "ssh": ssh, "typing": typing, "busy": busy,
            "heartbeat": heartbeat, "period_s": period_s, "log": log,
        }  # fmt: skip
        given: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
        _check(given)
        line = given.pop("log", None)
        with self._cloud.up_to_date():
            now_ms = self._cloud.clock.now_ms()
            for container in self._running(job_uuid):
                keep_changes(self._cloud.store, container.run_uuid, _changed(container, given, now_ms))
                if line is not None:
                    write_line(self._cloud.store, container.run_uuid, now_ms, line)
            changed = self._running(job_uuid)[0]
        self._cloud.heartbeats.wake()
        return self._report(changed)

    def restart(self, job_uuid: str) -> str:
        """End the run of a job and start a second run of the same job, as a retry that counts as none.

        The second run goes through its phases again, has a log of its own, and behaves as the environment
        says. Gives its uuid.
        """
        with self._cloud.up_to_date():
            before = len(self._cloud.lifecycle.live_runs(job_uuid))
            for container in self._running(job_uuid):
                run = self._cloud.store.by_uuid("runs", container.run_uuid)
                if run["status"] != "RUNNING":
                    raise ValueError(f"job {job_uuid} is being cancelled")
                self._cloud.lifecycle.restart(run, self._cloud.clock.now_ms())
            runs = self._cloud.lifecycle.live_runs(job_uuid)
            if len(runs) < before:
                raise ValueError("no node is free for a second run")
        return str(runs[-1]["uuid"])

    def heartbeats(self, job_uuid: str) -> dict[str, Any]:
        """The heartbeats of a job's newest run, and of all its runs, the oldest first, under `runs`.

        Each with `sent` (the number of the last one), `status` and `answer` of the app to it (`status` None
        and an `error` when there was no answer), `told` (the messages for open terminals so far) and
        `is_over` (410: the run sends no more).
        """
        rows = self._cloud.store.rows("SELECT uuid FROM runs WHERE job_uuid = ? ORDER BY id", job_uuid)
        if not rows and self._cloud.store.row("SELECT 1 FROM jobs WHERE uuid = ?", job_uuid) is None:
            raise ValueError(f"no job {job_uuid}")
        runs = [{"run_uuid": row["uuid"], **self._cloud.heartbeats.shown(row["uuid"])} for row in rows]
        newest = runs[-1] if runs else {"run_uuid": None, **self._cloud.heartbeats.shown("")}
        return {**newest, "runs": runs}

    def beat(self, job_uuid: str) -> dict[str, Any]:
        """Send a heartbeat now, even where the container sends none by itself, and wait for the answer.

        Gives `sent`, `status`, `answer` and so on, as `heartbeats` does. Raises ValueError for an address
        that is missing or not on loopback.
        """
        with self._cloud.up_to_date():
            container = self._running(job_uuid)[-1]
        if not container.address:
            raise ValueError("the container has no DW_HEARTBEAT_URL")
        return self._cloud.heartbeats.send(container)  # outside the transaction: the network may be slow

    def _running(self, job_uuid: str) -> list[Container]:
        found = living_containers(self._cloud.store, self._cloud.clock.now_ms(), job_uuid)
        if found:
            return found
        row = self._cloud.store.row("SELECT status FROM jobs WHERE uuid = ?", job_uuid)
        if row is None:
            raise ValueError(f"no job {job_uuid}")
        raise ValueError(
            f"job {job_uuid} is {row['status']} and has no running container with a known SANDBOX_BEHAVIOUR"
        )

    def _report(self, container: Container) -> dict[str, Any]:
        clock = self._cloud.clock
        seq = self._cloud.heartbeats.shown(container.run_uuid)["sent"] + 1
        report = container.report(seq, container.period_s(clock.time_scale), clock.now_ms())
        return {**report, "is_beating": container.is_beating(clock.now_ms())}


def _changed(container: Container, given: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """All changes of a container after these, which were checked."""
    changes = {**container.changes, **given}
    typing = changes.pop("typing", None)
    is_opened_to_type = typing not in (None, False) and not container.sessions
    if "ssh" in given or is_opened_to_type:
        changes |= {
            "ssh": given.get("ssh", 1),
            "opened_ms": now_ms,
            "last_key_ms": now_ms,
            "is_typing": False,
        }
    if typing is True:
        changes["is_typing"] = True
    elif typing is False and changes.get("is_typing"):
        changes |= {"is_typing": False, "last_key_ms": now_ms}
    elif typing is not None and typing is not False:
        changes |= {"is_typing": False, "last_key_ms": now_ms - int(typing * 1000)}
    return changes


def _check(given: dict[str, Any]) -> None:
    """Raises ValueError that names the argument and what it may be."""
    for name, value in given.items():
        fits, meaning = _RULES[name]
        if not fits(value):
            raise ValueError(f"{name} must be {meaning}, not {value!r}")
    if given.get("ssh") == 0 and given.get("typing", False) is not False:
        raise ValueError("typing needs an open session, and ssh is 0")


def _is_number(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is_whole(value: object, most: float) -> bool:
    return isinstance(value, int) and _is_number(value, 0, most)


def _is_gpu(value: object) -> bool:
    if not isinstance(value, list):
        return _is_whole(value, 100)
    return len(value) <= MAX_GPUS and all(_is_whole(use, 100) for use in value)


def _is_line(value: object) -> bool:
    return isinstance(value, str) and len(value.splitlines()) == 1 and len(value) <= MAX_LINE_CHARS


_RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "gpu": (_is_gpu, f"whole percent from 0 to 100, or a list of at most {MAX_GPUS} of them"),
    "cpu": (lambda value: _is_number(value, 0, 1024), "a number of cores from 0 to 1024"),
    "net": (lambda value: _is_whole(value, 10**15), "a whole number of bytes a minute"),
    "ssh": (lambda value: _is_whole(value, MAX_SESSIONS), f"a whole number from 0 to {MAX_SESSIONS}"),
    "typing": (
        lambda value: isinstance(value, bool) or _is_number(value, 0, 10**9),
        "true, false, or the seconds since the last keystroke",
    ),
    "busy": (lambda value: isinstance(value, bool), "true or false"),
    "heartbeat": (lambda value: value in ("on", "off", "stall"), "on, off or stall"),
    "period_s": (lambda value: _is_number(value, 0.1, 86_400), "a number of seconds from 0.1 to 86400"),
    "log": (_is_line, f"one line of text of at most {MAX_LINE_CHARS} characters"),
}
