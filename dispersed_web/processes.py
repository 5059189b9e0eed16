"""What each process of the product does: ``python -m dispersed_web.processes web|worker|beat|reconcile``, which is what
``bin/start`` becomes. ``bin/run`` loads the product once instead, and each process is a fork of it that does the same."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import multiprocessing
import os
import sys
from collections.abc import Callable

from dispersed_web import env

# What the processes need besides the product itself.
PROGRAMS = (
    *("granian.cli", "granian.server.mp", "django.core.wsgi"),
    *(
        "celery.apps.worker",
        "celery.concurrency.thread",
        "celery.worker.components",
        "celery.worker.consumer",
    ),
    *("celery.beat", "kombu.transport.redis"),
    "dispersed_web.web.management.commands.reconcile",
)
M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3


def set_up() -> None:
    """Loads settings and models. Raises ``ImproperlyConfigured``."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dispersed_web.settings")
    import django
    from django.conf import settings

    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        # The REST framework would load the driver of PostgreSQL wherever it is installed: 9 MB that nobody uses.
        sys.modules.setdefault("psycopg", None)  # type: ignore[arg-type]
    django.setup()


def load() -> None:
    """Loads the whole product, so that forks of this process share its memory and are ready at once.

    Only modules: what has a connection or a thread belongs to each process.
    """
    gc.disable()  # all that comes stays, so there is nothing to look for meanwhile
    set_up()
    from django.urls import get_resolver

    _ = get_resolver().url_patterns
    for name in PROGRAMS:
        importlib.import_module(name)
    # The collector would write into every object, and each fork would get a copy of it.
    gc.collect()
    gc.freeze()
    gc.enable()


def spare_memory() -> None:
    """What ``bin/start`` sets for a process that begins, for one that runs already."""
    with contextlib.suppress(OSError, AttributeError):  # there is one in the GNU library only
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 2)
        libc.mallopt(M_MMAP_THRESHOLD, 262144)


def web() -> None:
    """Pages and API."""
    from granian.cli import cli

    cli(
        [
            *("--interface", "wsgi", "--workers", env.text("DW_WEB_WORKERS", "2")),
            *("--host", env.text("DW_WEB_HOST", "0.0.0.0"), "--port", env.text("DW_WEB_PORT", "8000")),  # noqa: S104
            *("--blocking-threads", "16", "--backlog", "2048", "--backpressure", "2048"),
            *("--respawn-failed-workers", "--workers-kill-timeout", "1", "--log-level", "error"),
            "dispersed_web.wsgi:application",
        ],
        auto_envvar_prefix="GRANIAN",
    )


def worker() -> None:
    """Background work that Celery hands out. Without Celery's command line, which costs memory and brings nothing."""
    from dispersed_web.celery import app

    os.environ["CELERY_SKIP_CHECKS"] = "true"  # they would load every page and form; migrate has made them
    process = app.Worker(
        pool_cls="threads",
        concurrency=env.integer("DW_WORKER_THREADS", 8),
        loglevel=env.text("DW_LOG_LEVEL", "INFO"),
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    process.start()
    sys.exit(process.exitcode)


def beat() -> None:
    """Tells the workers when to look for work."""
    from dispersed_web import beat

    beat.run()


def reconcile() -> None:
    """The same work as the workers do, without a broker."""
    set_up()
    from django.core.management import call_command

    call_command("reconcile")


def as_program(name: str) -> None:
    """Does the same in a process that has loaded nothing yet."""
    # Where the web server's workers are forks of it, it loads what they share.
    if name == "web" and multiprocessing.get_start_method() == "fork":
        load()
    PROCESSES[name]()


PROCESSES: dict[str, Callable[[], None]] = {
    "web": web,
    "worker": worker,
    "beat": beat,
    "reconcile": reconcile,
}

if __name__ == "__main__":
    as_program(sys.argv[1])
