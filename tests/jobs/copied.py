"""A copy of the test's database, as somebody makes who restores a backup or tries a new version on real data."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parents[2]


@contextmanager
def copy_of_the_database(folder: Path) -> Iterator[str]:
    """Its address, as DW_DATABASE_URL takes it. The test must not hold a transaction open."""
    if connection.vendor == "sqlite":
        copy = folder / "copy.sqlite3"
        with (
            sqlite3.connect(str(connection.settings_dict["NAME"])) as source,
            sqlite3.connect(copy) as target,
        ):
            source.backup(target)
        yield f"sqlite://{copy}"
        return
    name, copy = connection.settings_dict["NAME"], f"copy_{os.getpid()}"
    connection.close()
    server = os.environ["DW_TEST_DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{copy}"))
        finally:
            admin.execute(f'DROP DATABASE "{copy}" WITH (FORCE)')


def manage(
    database: str, *arguments: str, installation_id: str = "tests", keys: str = "", status: int = 0
) -> str:
    """What a command of the product says that runs in a process of its own with this database, and ends with ``status``.
    ``keys`` are other encryption keys than the test's."""
    environment = os.environ | {
        "DW_DATABASE_URL": database,
        "DW_INSTALLATION_ID": installation_id,
        "DW_DISPERSED_URL": settings.DISPERSED_URL,
        "DJANGO_SETTINGS_MODULE": "dispersed_web.settings",
    }
    if keys:
        environment["DW_KEYS"] = keys
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == status, done.stdout
    return done.stdout


def changing_requests(control: object) -> list[tuple[str, str]]:
    """Every request but GET that reached the simulated cloud."""
    return [(row["method"], row["path"]) for row in control.requests() if row["method"] != "GET"]  # type: ignore[attr-defined]
