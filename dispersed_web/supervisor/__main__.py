"""``bin/run``: the whole product in the foreground."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping

from dispersed_web.supervisor import broker
from dispersed_web.supervisor.data_folder import AlreadyRunning, DataFolder
from dispersed_web.supervisor.environment import (
    HOST,
    data_folder,
    free_port,
    port_is_free,
    product_environment,
)
from dispersed_web.supervisor.guard import Guard
from dispersed_web.supervisor.output import Output
from dispersed_web.supervisor.product import STOP_STAGES, start_product
from dispersed_web.supervisor.supervisor import Failed, Stopped, Supervisor

DEFAULT_PORT = 8000


def main(arguments: list[str]) -> int:
    """Runs the product until Ctrl-C; the exit status."""
    options = _parser().parse_args(arguments)
    output = Output()
    folder = data_folder(os.environ)
    try:
        lock = _take(folder)
        if not port_is_free(options.port):
            raise Failed(
                f"Port {options.port} on {HOST} is taken by another program, or this user may not open it. "
                f"Take another one: bin/run --port {free_port(options.port + 10, options.port + 20)}"
            )
        if options.fresh:
            _start_afresh(folder, sure=options.yes)
        return _run(folder, lock, options, output)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/run",
        description="Runs Dispersed Web on this machine: web server, workers, embedded broker and a simulated Dispersed.",
        epilog="Data lies in .data, or where DW_DATA_DIR says. With DW_DISPERSED_URL set, that cloud is used.",
    )
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help=f"where the pages are ({DEFAULT_PORT})"
    )
    parser.add_argument(
        "--no-sandbox", action="store_true", help="work with the real Dispersed, for real money"
    )
    parser.add_argument("--fresh", action="store_true", help="forget all data and start anew")
    parser.add_argument("--yes", action="store_true", help="do not ask before --fresh forgets the data")
    return parser


def _port(text: str) -> int:
    """ArgumentTypeError where it is no port at all: whether it is free is another question."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; write a number from 1 to 65535")
    return int(text)


def _take(folder: DataFolder) -> int:
    """The folder's lock; when the last supervisor was killed, its guard may need seconds to clean up."""
    give_up = time.monotonic() + 5
    while True:
        try:
            return folder.lock()
        except AlreadyRunning as error:
            pid = error.running.get("pid", 0)
            if _is_alive(pid) or time.monotonic() > give_up:
                raise Failed(
                    f"Dispersed Web is running already (process {pid}) at {error.running.get('url')}. "
                    f"Stop it with Ctrl-C in its terminal, or: kill {pid}"
                ) from None
        time.sleep(0.1)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != 0


def _start_afresh(folder: DataFolder, sure: bool) -> None:
    warning = f"This forgets all data in {folder.path}. Jobs that run on the real Dispersed go on running and costing there."
    if not sure and not sys.stdin.isatty():
        raise Failed(f"{warning} If that is meant, add --yes.")
    if not sure and input(f"{warning} Type yes to go on: ").strip().lower() != "yes":
        raise Failed("Nothing was changed.")
    folder.wipe()


def _run(folder: DataFolder, lock: int, options: argparse.Namespace, output: Output) -> int:
    folder.make()
    simulated = not options.no_sandbox and not os.environ.get("DW_DISPERSED_URL")
    sandbox_port = _sandbox_port(folder, options.port) if simulated else None
    environment = product_environment(os.environ, folder, options.port, sandbox_port)
    url = f"http://{HOST}:{options.port}"
    folder.write_running({"pid": os.getpid(), "url": url, "port": options.port, "sandbox_port": sandbox_port})
    socket = broker.socket_path(folder.path)
    broker.own_folder(socket.parent)
    supervisor = Supervisor(output, Guard(socket.parent, lock), vital="web")
    try:
        start_product(supervisor, environment, folder, sandbox_port)
        output.say(*_welcome(url, folder, environment, simulated))
        supervisor.watch()
    except Stopped:
        output.say("Stopping.")
        return 0
    finally:
        supervisor.stop(STOP_STAGES)
    return 0


def _sandbox_port(folder: DataFolder, web_port: int) -> int:
    kept = folder.read_demo().get("sandbox_port")
    port = free_port(*([kept] if kept else []), web_port + 1)
    folder.keep_sandbox_port(port)
    return port


def _welcome(url: str, folder: DataFolder, environment: Mapping[str, str], simulated: bool) -> list[str]:
    cloud = environment.get("DW_DISPERSED_URL", "https://api.dispersed.com")
    if simulated:
        people = [f"{email}   {password}" for email, password in folder.read_demo()["people"].items()]
        about_money = "a simulation, nothing costs money"
    else:
        people = ["with your account; the first one needs the code that this prints:"]
        people.append(f"{environment['DW_MANAGE']} setup_code")
        given = environment.get("DW_DISPERSED_URL")
        about_money = "as DW_DISPERSED_URL says" if given else "JOBS COST REAL MONEY"
    lines = [
        ("Open", url),
        *zip(("Sign in", *[""] * len(people)), people, strict=False),
        ("Dispersed", f"{cloud} ({about_money})"),
        ("Data", str(folder.path)),
        ("Stop", "Ctrl-C"),
    ]
    return ["", *(f"  {word:<10} {text}" for word, text in lines), ""]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
