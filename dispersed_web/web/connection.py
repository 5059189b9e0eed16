"""How to reach a job: the ssh command and the addresses of its other ports, or why there is none. Pure.

The address is on the job's run, appears some time after RUNNING, and its port is random. "Not yet" and "never" are told
apart, because a job that can never be reached costs money for nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dispersed_web.dispersed import is_terminal
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import Status

SSH_PORT = 22
# Addresses were seen to come within two minutes of RUNNING, or not at all.
LATE_AFTER = dt.timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Port:
    """One published port of a run; ``url`` is empty where a browser cannot open it."""

    name: str
    address: str
    url: str


@dataclass(frozen=True, slots=True)
class Node:
    ssh: str
    ports: tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """``state`` is ready, waiting, late, never or over; ``sentence`` says what it means and what to do."""

    state: str
    sentence: str
    nodes: tuple[Node, ...] = ()
    ssh_note: str = ""


def connection(job: Job, runs: Iterable[JobRun], now: dt.datetime) -> Connection:
    """How the job is reached at ``now``, given its runs."""
    if not job.is_active:
        return Connection("over", "The job has ended: its machine is gone.")
    nodes = tuple(_node(job, run) for run in runs if not is_terminal(run.status) and run.node_urls)
    if nodes:
        return Connection("ready", "", nodes, _ssh_note(job, nodes))
    if job.stop_requested_at is not None:
        return Connection("over", "It is being stopped.")
    if not _publishes(job):
        return Connection("never", _nothing_published(job))
    if job.state != Status.RUNNING or job.running_at is None:
        return Connection(
            "waiting", "Not reachable yet: an address comes some time after the container runs."
        )
    if now - job.running_at < LATE_AFTER:
        return Connection("waiting", "Not reachable yet: Dispersed gives the address a little later.")
    return Connection("late", _late(job))


def _publishes(job: Job) -> bool:
    """Without a list of ports the cloud publishes SSH, which needs a key; a list replaces that."""
    return bool(job.spec_value("ports") or job.spec_value("ssh_key"))


def _nothing_published(job: Job) -> str:
    if job.task == "BATCH":
        return "A batch job without ports and SSH key: nothing to connect to. Follow its logs."
    return "It can never be reached: it was launched without an SSH key and without ports. Launch it again with one."


def _late(job: Job) -> str:
    ports = job.spec_value("ports")
    if ports and job.spec_value("ssh_key") and SSH_PORT not in ports:
        return (
            "It runs but has no address, and will hardly get one: an SSH key was given but port 22 is not published. "
            "Launch it again with port 22 among the ports."
        )
    return (
        "It runs but Dispersed gives no address for it. Jobs were seen to stay so for ever: if it does not change soon, "
        "stop it and launch it again."
    )


def _ssh_note(job: Job, nodes: tuple[Node, ...]) -> str:
    if any(node.ssh for node in nodes):
        return "" if job.spec_value("ssh_key") else "No SSH key was given at launch, so nobody can sign in."
    if job.spec_value("ssh_key"):
        return "An SSH key was given but port 22 is not published: SSH will never work. Launch it again with port 22."
    return ""


def _node(job: Job, run: JobRun) -> Node:
    ssh = next((url for url in run.node_urls if _container_port(url) == SSH_PORT), None)
    others = tuple(_port(url) for url in run.node_urls if url is not ssh)
    return Node(ssh_command(job, ssh) if ssh else "", others)


def ssh_command(job: Job, url: dict[str, Any]) -> str:
    return f"ssh -p {int(url['port'])} {ssh_user(job)}@{url['hostname']}"


def ssh_user(job: Job) -> str:
    """The user of the vendor's images."""
    repository = str(job.spec_value("image", "")).lower().rsplit("/", 1)[-1]
    return "unsloth" if "unsloth" in repository else "duser"


def _container_port(url: dict[str, Any]) -> int | None:
    return url.get("container_port") or (SSH_PORT if url.get("description") == "ssh" else None)


def _port(url: dict[str, Any]) -> Port:
    host = f"[{url['hostname']}]" if ":" in url["hostname"] else url["hostname"]
    address = f"{host}:{int(url['port'])}"
    scheme = "https" if url.get("tls") else "http"
    is_web = url.get("protocol", "") in ("", "tcp", "http", "https")
    name = str(_container_port(url) or url.get("description") or "port")
    return Port(name, address, f"{scheme}://{address}/" if is_web else "")
