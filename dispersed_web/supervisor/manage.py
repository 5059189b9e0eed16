"""Django's commands in the environment of the installation on this machine: ``bin/manage COMMAND``."""

from __future__ import annotations

import os
import sys

from dispersed_web.supervisor.environment import ROOT, data_folder, product_environment


def main(arguments: list[str]) -> None:
    """Becomes ``manage.py`` with these arguments, in the environment of ``bin/run``."""
    folder = data_folder(os.environ)
    folder.make()
    running = folder.read_running()
    environment = product_environment(
        os.environ, folder, running.get("port", 8000), running.get("sandbox_port")
    )
    os.execve(  # noqa: S606
        sys.executable, [sys.executable, str(ROOT / "manage.py"), *arguments], environment
    )


if __name__ == "__main__":
    main(sys.argv[1:])
