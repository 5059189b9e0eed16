"""What is done at each start: ``python -m dispersed_web.supervisor.prepare database|static|people``. Before the web server
starts, the database and the static files; beside it, the people of the demo."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

# Large, slow to compress, and on no page of ours.
UNUSED = ["redoc", "rest_framework", "swagger-ui-standalone-preset.js*"]
SANDBOX_LIMIT_S = 60.0


def database() -> None:
    """Brings the database up to date."""
    call_command("migrate", interactive=False, verbosity=0)
    begin()
    print("the database is up to date", flush=True)


def static() -> None:
    """Has the static files ready."""
    collect_static(Path(settings.STATIC_ROOT), Path(settings.BASE_DIR))


def people(demo: str = "") -> None:
    """Makes those of the file ``demo``, once the sandbox answers. Where nobody is, says which code the first one needs."""
    if demo:
        await_sandbox(settings.DISPERSED_URL)
        call_command("seed_demo", demo)
    call_command("setup_code", at_start=True)


STEPS: dict[str, Callable[..., None]] = {"database": database, "static": static, "people": people}


def main(step: str, *arguments: str) -> int:
    """One step in a process of its own; the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dispersed_web.settings")
    try:
        django.setup()
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        return 1
    STEPS[step](*arguments)
    return 0


def begin() -> None:
    """Before anybody can launch anything: what was queued in a restored backup must not go out again."""
    from dispersed_web.clock import database_now
    from dispersed_web.jobs import starting

    starting.begin(database_now)


def await_sandbox(url: str) -> None:
    """The sandbox starts while the database is made. Gives up silently: whoever asks it says what is wrong."""
    address = urlsplit(url)
    give_up = time.monotonic() + SANDBOX_LIMIT_S
    while time.monotonic() < give_up:
        try:
            with socket.create_connection((address.hostname, address.port or 80), timeout=1):
                return
        except OSError:
            time.sleep(0.03)


def collect_static(target: Path, root: Path) -> None:
    """Collects and compresses the static files unless those of the same sources are there already."""
    stamp = target / ".sources"
    sources = source_digest(root)
    if not stamp.exists() or stamp.read_text() != sources:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=UNUSED)
        stamp.write_text(sources)
        print("collected the static files", flush=True)


def source_digest(root: Path) -> str:
    """Changes whenever our static files or the installed packages do."""
    digest = hashlib.sha256((root / "requirements.lock").read_bytes())
    for path in sorted((root / "static").rglob("*")):
        if path.is_file():
            found = path.stat()
            digest.update(f"{path.relative_to(root)} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
