"""The table of events only grows: the database itself refuses to delete or change what is written, whoever asks.

Two things may be noted on a row later: once that its notices were made, and once its place in the chain.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

TABLE = "events_event"
NAME = "events_append_only"
REFUSAL = "Events are append-only."
CHAIN = ("chain_number", "chain_hash")
LATER = ("fanned_out_at", *CHAIN)


def install(connection: Any, columns: Iterable[str]) -> None:
    """Makes the database refuse. May run again at any time: SQLite loses triggers when a migration remakes a table.
    ``columns`` are those of the table."""
    _run(connection, _POSTGRESQL if connection.vendor == "postgresql" else _sqlite(columns))


def remove(connection: Any) -> None:
    """Lets rows be deleted and changed again, as tests and the reversal of the migration need it."""
    if connection.vendor == "postgresql":
        _run(
            connection,
            [f"DROP TRIGGER IF EXISTS {NAME}_{what} ON {TABLE}" for what in ("rows", "all")]
            + [f"DROP FUNCTION IF EXISTS {NAME}()"],
        )
    else:
        _run(connection, [f"DROP TRIGGER IF EXISTS {NAME}_{what}" for what in _SQLITE])


def is_installed(connection: Any) -> bool:
    """Whether every trigger is there and, on PostgreSQL, switched on."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s"
                " AND tgenabled IN ('O', 'A')",
                [TABLE, f"{NAME}%"],
            )
            return bool(cursor.fetchone()[0] == 2)
        cursor.execute(
            "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", [f"{NAME}%"]
        )
        return bool(cursor.fetchone()[0] == len(_SQLITE))


def _run(connection: Any, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


# PostgreSQL: one function compares whole rows, so that a column which is added later is covered too.
_POSTGRESQL = [
    f"""
    CREATE OR REPLACE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        before {TABLE}%ROWTYPE;
    BEGIN
        IF TG_OP <> 'UPDATE' THEN
            RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
        END IF;
        before := OLD;
        IF OLD.fanned_out_at IS NULL THEN
            before.fanned_out_at := NEW.fanned_out_at;
        END IF;
        IF OLD.chain_number IS NULL THEN
            before.chain_number := NEW.chain_number;
            before.chain_hash := NEW.chain_hash;
        END IF;
        IF before IS DISTINCT FROM NEW THEN
            RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    f"""
    CREATE OR REPLACE TRIGGER {NAME}_rows BEFORE UPDATE OR DELETE ON {TABLE}
    FOR EACH ROW EXECUTE FUNCTION {NAME}()
    """,
    f"""
    CREATE OR REPLACE TRIGGER {NAME}_all BEFORE TRUNCATE ON {TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION {NAME}()
    """,
]

# SQLite has no row to compare: one trigger for each way to lose something. The last stands for INSERT OR REPLACE,
# which deletes without telling the others.
_SQLITE = ("delete", "update", "told", "chained", "replace")


def _sqlite(columns: Iterable[str]) -> list[str]:
    fixed = ", ".join(column for column in columns if column not in LATER)
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    bodies = {
        "delete": f"BEFORE DELETE ON {TABLE} {refuse}",
        "update": f"BEFORE UPDATE OF {fixed} ON {TABLE} {refuse}",
        "told": f"BEFORE UPDATE OF fanned_out_at ON {TABLE} WHEN OLD.fanned_out_at IS NOT NULL {refuse}",
        "chained": f"BEFORE UPDATE OF {', '.join(CHAIN)} ON {TABLE} WHEN OLD.chain_number IS NOT NULL {refuse}",
        "replace": f"BEFORE INSERT ON {TABLE} WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id) {refuse}",  # noqa: S608
    }
    dropped = [f"DROP TRIGGER IF EXISTS {NAME}_{what}" for what in _SQLITE]
    return dropped + [f"CREATE TRIGGER {NAME}_{what} {bodies[what]}" for what in _SQLITE]
