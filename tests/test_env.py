"""The database's settings, from its address."""

from __future__ import annotations

from pathlib import Path

import pytest

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
