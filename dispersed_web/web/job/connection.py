"""How to reach a job: by SSH, by a browser, by forwarded ports, or why there is no way. Pure.

The address is on the job's run, appears some time after RUNNING, and its port is random. "Not yet" and "never" are told
apart, because a job that can never be reached costs money for nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dispersed_web.dispersed import is_terminal
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import Status
from dispersed_web.web.job import image_kinds, ways
from dispersed_web.web.job.ways import SSH_PORT, Forward, Link, Port
from dispersed_web.web.jobs import rows

# Addresses were seen to come within two minutes of RUNNING, or not at all.
LATE_AFTER = rows.STARTING
# An address that is there before the container runs leads nowhere yet.
NOT_YET = frozenset({"PENDING", "ASSIGNED", "PREPARING"})


@dataclass(frozen=True, slots=True)
class Node:
    """The ways into one node. ``forwards`` are ports that answer inside the machine and are not published, ``local``
    the published ones, for programs that listen on localhost only. ``has_token``: the cloud made an access token."""

    run_id: str
    ssh: str
    config: str
    vscode: str
    ports: tuple[Port, ...]
    links: tuple[Link, ...] = ()
    forwards: tuple[Forward, ...] = ()
    local: tuple[Forward, ...] = ()
    has_token: bool = False


@dataclass(frozen=True, slots=True)
class Connection:
    """``state`` is ready, waiting, late, never or over; ``sentence`` says what it means and what to do. ``text`` is the
    recipe's own, in markdown; ``tip`` is about the image; ``sign_in`` says how its web pages ask for a password."""

    state: str
    sentence: str
    nodes: tuple[Node, ...] = ()
    ssh_note: str = ""
    text: str = ""
    tip: str = ""
    sign_in: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_token(self) -> bool:
        return any(node.has_token for node in self.nodes)


def connection(
    job: Job, runs: Iterable[JobRun], now: dt.datetime, recipe: Mapping[str, Any] | None = None
) -> Connection:
    """How the job is reached at ``now``, given its runs and what its recipe says of connecting."""
    if not job.is_active:
        return Connection("over", "The job has ended: its machine is gone.")
    ready = [
        run for run in runs if not is_terminal(run.status) and run.status not in NOT_YET and run.node_urls
    ]
    if ready:
        return _ready(job, ready, recipe or {})
    if job.stop_requested_at is not None:
        return Connection("over", "It is being stopped.")
    if not publishes(job):
        return Connection("never", _nothing_published(job))
    begun = job.run_running_at or job.running_at
    if job.state != Status.RUNNING or begun is None:
        return Connection(
            "waiting", "Not reachable yet: an address comes some time after the container runs."
        )
    if now - begun < LATE_AFTER:
        return Connection("waiting", "Not reachable yet: Dispersed gives the address a little later.")
    return Connection("late", _late(job))


def _ready(job: Job, runs: list[JobRun], recipe: Mapping[str, Any]) -> Connection:
    nodes = tuple(_node(job, run, number, len(runs), recipe) for number, run in enumerate(runs, 1))
    kind = image_kinds.kind_of(str(job.spec_value("image", "")))
    return Connection(
        "ready",
        "",
        nodes,
        _ssh_note(job, nodes),
        text=str(recipe.get("text") or ""),
        tip=kind.tip,
        sign_in=_sign_in(job, nodes),
        recipe=recipe,
    )


def recipe_of(job: Job) -> Mapping[str, Any]:
    """What the recipe that the job was launched from says of connecting."""
    if job.recipe_version is None:
        return {}
    found = job.recipe_version.document.get("connection")
    return found if isinstance(found, dict) else {}


def publishes(job: Job) -> bool:
    """Without a list of ports the cloud publishes SSH, which needs a key; a list replaces that. What the cloud's own
    recipe publishes is not known here."""
    return bool(job.spec_value("ports") or job.spec_value("ssh_key") or job.cook_uuid)


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
    if job.cook_uuid and not (ports or job.spec_value("ssh_key")):
        return (
            "It runs but has no address: it was cooked from a recipe of Dispersed without an SSH key and ports, and such "
            "jobs were seen to stay unreachable for ever. Stop it, and launch the recipe again with an SSH key and ports."
        )
    if job.cook_uuid:
        return (
            "It runs but has no address. Jobs cooked from a recipe of the cloud were seen to stay so for ever: stop it, and "
            "launch the same as a job of your own, with ports and an SSH key."
        )
    return (
        "It runs but Dispersed gives no address for it. Jobs were seen to stay so for ever: if it does not change soon, "
        "stop it and launch it again."
    )


def _ssh_note(job: Job, nodes: tuple[Node, ...]) -> str:
    if any(node.ssh for node in nodes):
        has_key = job.spec_value("ssh_key") or job.cook_uuid
        return "" if has_key else "No SSH key was given at launch, so nobody can sign in."
    if job.spec_value("ssh_key"):
        return "An SSH key was given but port 22 is not published: SSH will never work. Launch it again with port 22."
    return ""


def _sign_in(job: Job, nodes: tuple[Node, ...]) -> str:
    names = {row.get("name") for row in job.spec_value("env") or () if isinstance(row, dict)}
    if image_kinds.PASSWORD_ENV in names:
        return (
            "Its web page on port 5000 asks for the name and password behind BASIC_AUTH, as given at launch."
        )
    if any(node.has_token for node in nodes):
        return (
            f"Its web page asks for a sign-in: the name is {image_kinds.USER}, the password the access token."
        )
    return ""


def _node(job: Job, run: JobRun, number: int, count: int, recipe: Mapping[str, Any]) -> Node:
    kind = image_kinds.kind_of(str(job.spec_value("image", "")))
    user = ssh_user(job, recipe)
    wished = [one for one in recipe.get("links") or () if isinstance(one, dict)]
    names = {**kind.inner, **ways.wished_ports(wished)}
    urls = [url for url in run.node_urls if ways.container_port(url) != SSH_PORT]
    ssh = next((url for url in run.node_urls if ways.container_port(url) == SSH_PORT), None)
    published = {ways.container_port(url) for url in urls}
    ports = tuple(ways.port(url, _name(ways.container_port(url), names, kind)) for url in urls)
    common = {"links": ways.links(urls, wished), "has_token": bool(run.access_tokens_sealed)}
    if ssh is None:
        return Node(str(run.pk), "", "", "", ports, **common)
    folder = ways.VENDORS_HOME if kind.is_vendors and user == image_kinds.USER else ways.HOME
    hidden = sorted(set(names) - published)
    shown = sorted(inner for inner in published if inner is not None)
    return Node(
        str(run.pk),
        ways.ssh_command(user, ssh),
        ways.ssh_config(ways.alias_of(job.title, number, count), user, ssh),
        ways.vscode_link(user, ssh, folder),
        ports,
        forwards=tuple(ways.forward(user, ssh, inner, names[inner]) for inner in hidden),
        local=tuple(ways.forward(user, ssh, inner, _name(inner, names, kind)) for inner in shown),
        **common,
    )


def _name(port: int | None, names: Mapping[int, str], kind: image_kinds.Kind) -> str:
    return names.get(port or 0) or image_kinds.port_name(port, kind)


def ssh_user(job: Job, recipe: Mapping[str, Any] | None = None) -> str:
    """The user that the recipe names, else the one of the vendor's images."""
    usual = image_kinds.kind_of(str(job.spec_value("image", ""))).user
    return ways.user_of((recipe or {}).get("ssh_user"), usual)
