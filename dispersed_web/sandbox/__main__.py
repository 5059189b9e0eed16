"""`python -m dispersed_web.sandbox`: the sandbox in the foreground until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from types import FrameType

from .behaviour import BEHAVIOUR, BEHAVIOURS
from .cloud import DEMO_KEYS, parse_key
from .sandbox import Sandbox


def main(arguments: list[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    options = _parser().parse_args(arguments)
    texts = [*(options.key or []), *filter(None, os.environ.get("SANDBOX_KEYS", "").split(","))]
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        sandbox = Sandbox(
            options.data,
            host=options.host,
            port=options.port,
            time_scale=options.time_scale,
            seed=options.seed,
            keys=[parse_key(text) for text in texts] or DEMO_KEYS,
        )
    except (ValueError, OSError) as error:
        print(f"sandbox: cannot start on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 2
    with sandbox:
        print(f"sandbox: simulated Dispersed at {sandbox.url}, ledger in {options.data}", flush=True)
        stopped.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dispersed_web.sandbox",
        description=__doc__,
        epilog="The environment of a job steers its containers: SANDBOX_RUN_S and SANDBOX_EXIT_CODE say when and how "
        f"they end, {BEHAVIOUR} what they do meanwhile: {', '.join(BEHAVIOURS)}.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--data", required=True, help="folder of the ledger")
    parser.add_argument("--time-scale", type=float, default=1.0, help="divides the phase durations")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--key", action="append", metavar="PK:SK:ACCOUNT", help="also from SANDBOX_KEYS, separated by commas"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
