"""What is loaded before processes are forked must be nothing that a fork may not share."""

from __future__ import annotations

import json
import os
import subprocess
import sys

LOADS = """
import gc, json, os, sys, threading
from dispersed_web import processes
processes.load()
from django.core.cache import caches
from django.db import connections
print(json.dumps([
    threading.active_count(),
    [one.connection is not None for one in connections.all(initialized_only=True)],
    len(caches.all(initialized_only=True)),
    gc.get_freeze_count() > 0 and gc.isenabled(),
    "celery.bin" in sys.modules,
    any(name.startswith("psycopg.") for name in sys.modules),
]))
"""


def test_it_loads_what_is_needed_and_opens_nothing() -> None:
    own = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DW_DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "-c", LOADS], env=os.environ | own, capture_output=True, text=True, check=True
    )
    threads, connected, caches, frozen, command_line, driver = json.loads(done.stdout.splitlines()[-1])
    assert (threads, any(connected), caches, frozen) == (1, False, 0, True)
    assert not command_line, "Celery's command line costs memory"
    assert not driver, "with SQLite there is no use for that of PostgreSQL"
