"""What is read from the environment, and what is said of a value that cannot be read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from dispersed_web import env


def test_a_database_that_is_gone_is_found_out_soon_unless_its_address_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DW_DATABASE_URL", "postgresql://u:p@db:5433/name?connect_timeout=3&sslmode=require")
    found = env.database("DW_DATABASE_URL", Path("unused"))
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db", "5433", "name")
    options = found["OPTIONS"]
    assert isinstance(options, dict)
    assert (options["connect_timeout"], options["sslmode"]) == ("3", "require")
    assert int(options["tcp_user_timeout"]) <= 20_000
    idle, every, times = (int(options[f"keepalives_{part}"]) for part in ("idle", "interval", "count"))
    assert idle + every * times <= 20
    assert "statement_timeout=10000" in options["options"]


def test_keys_are_read_in_their_order_and_one_that_is_no_key_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = "A" * 43 + "=", "B" * 42 + "A="
    monkeypatch.setenv("DW_KEYS", f"new:{first}, old:{second}\n")
    ring = env.keyring("DW_KEYS")
    assert [key_id for key_id, _ in ring] == ["new", "old"]
    assert ring[0][1] == bytes(32)
    for wrong in (f"new:{first} short:AAAA", f"short{first}", "short:no base64"):
        monkeypatch.setenv("DW_KEYS", wrong)
        with pytest.raises(ImproperlyConfigured, match="DW_KEYS: the key"):
            env.keyring("DW_KEYS")


def test_hosts_are_read_with_and_without_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DW_HOSTS", "hooks.example.com, 127.0.0.1:8000,[::1]:9")
    assert env.hosts("DW_HOSTS") == [("hooks.example.com", None), ("127.0.0.1", 8000), ("::1", 9)]
    monkeypatch.setenv("DW_HOSTS", "hooks.example.com:https")
    with pytest.raises(ImproperlyConfigured, match="DW_HOSTS: write host or host:port"):
        env.hosts("DW_HOSTS")


def test_a_word_that_is_none_of_the_allowed_ones_is_named_with_them() -> None:
    """As the first process that starts would say it; a level of the log in small letters is easily written."""
    environment = {**os.environ, "DW_LOG_LEVEL": "debug"}
    start = [sys.executable, "-c", "import dispersed_web.settings"]
    ended = subprocess.run(start, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert "DW_LOG_LEVEL is 'debug'; write one of DEBUG, INFO, WARNING, ERROR." in ended.stderr
