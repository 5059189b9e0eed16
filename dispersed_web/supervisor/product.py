"""The processes of the product on one machine: what they are, in which order they start and end."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

from dispersed_web import processes
from dispersed_web.supervisor import broker
from dispersed_web.supervisor.child import Child
from dispersed_web.supervisor.data_folder import DataFolder
from dispersed_web.supervisor.environment import HOST, ROOT
from dispersed_web.supervisor.supervisor import Failed, Supervisor

# The worker ends before its broker: it does not survive the other order. All together stay below five seconds.
STOP_STAGES = [
    (1.5, ("database", "static", "people", "web", "beat")),
    (1.5, ("worker", "reconcile")),
    (0.5, ("sandbox",)),
    (0.5, ("valkey",)),
]
START_LIMIT_S = 60.0
# Elsewhere the system's own libraries do not survive a fork that goes on.
FORKS = sys.platform == "linux"


def start_product(
    supervisor: Supervisor, environment: dict[str, str], folder: DataFolder, sandbox_port: int | None
) -> None:
    """Starts everything; gives back when the first page answers."""
    # The broker and the sandbox need nothing of the product's, least of all its keys.
    apart = {name: value for name, value in environment.items() if not name.startswith("DW_")}
    socket = broker.socket_path(folder.path)
    has_broker = environment["DW_REDIS_URL"] == f"unix://{socket}"
    if has_broker:
        broker.end_stale_server(socket)
        # It warns of what can go wrong when it saves by a fork; here it appends to a log.
        server = broker.command(socket, folder.broker)
        supervisor.start(Child("valkey", server, apart, hidden="Memory overcommit"))
    if sandbox_port is not None:
        supervisor.start(_sandbox(apart, folder, sandbox_port))
    if FORKS:
        _set_up(environment)
    if has_broker:
        supervisor.wait_until(lambda: broker.answers(socket), "valkey", START_LIMIT_S)
    steps = (_step("database", environment), _step("static", environment))
    supervisor.run(*steps, meanwhile=processes.load if FORKS else None)
    supervisor.start(_role("web", environment))
    supervisor.run(_step("people", environment, *([] if sandbox_port is None else [str(folder.demo)])))
    port = int(environment["DW_WEB_PORT"])
    supervisor.wait_until(lambda: _answers(port), "web", START_LIMIT_S)
    for role in ("worker", "beat", "reconcile"):
        supervisor.start(_role(role, environment))


def _set_up(environment: dict[str, str]) -> None:
    """From now on this process has the settings and models of the product. Raises :class:`Failed`."""
    from django.core.exceptions import ImproperlyConfigured

    os.environ.clear()
    os.environ.update(environment)
    processes.spare_memory()
    try:
        processes.set_up()
    except ImproperlyConfigured as error:
        raise Failed(str(error)) from None


def _role(name: str, environment: dict[str, str]) -> Child:
    command = [str(ROOT / "bin/start"), name]
    return Child(name, command, environment, act=processes.PROCESSES[name] if FORKS else None)


def _step(name: str, environment: dict[str, str], *arguments: str) -> Child:
    def act() -> None:
        from dispersed_web.supervisor import prepare

        prepare.STEPS[name](*arguments)

    command = [sys.executable, "-m", "dispersed_web.supervisor.prepare", name, *arguments]
    return Child(name, command, environment, act=act if FORKS else None)


def _sandbox(environment: dict[str, str], folder: DataFolder, port: int) -> Child:
    demo = folder.read_demo()
    keys = f"{demo['public_key']}:{demo['secret_key']}:demo-lab"
    command = [sys.executable, "-m", "dispersed_web.sandbox", "--host", HOST, "--port", str(port)]
    return Child("sandbox", [*command, "--data", str(folder.sandbox)], environment | {"SANDBOX_KEYS": keys})


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=1):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
