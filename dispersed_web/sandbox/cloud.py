"""All parts of the simulated service in one object, shared by the API, the control verbs and the server."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .auth import PERMISSIONS, AuthSettings
from .billing import MICRO
from .clock import Clock
from .containers import Container, is_any_behaving, living_containers
from .faults import Faults
from .heartbeats import Heartbeats
from .lifecycle import Lifecycle
from .market import Market
from .store import Store

Key = tuple[str, str, str]
DEMO_KEYS: list[Key] = [
    ("pk_sim_demo_north", "sk_sim_demo_north_not_a_secret", "demo-north"),
    ("pk_sim_demo_south", "sk_sim_demo_south_not_a_secret", "demo-south"),
]
DEFAULT_CREDIT_USD = 500
_NAMESPACE = uuid.UUID("5a6d0b0e-0d15-4bad-9e1f-6163636f756e")


class Cloud:
    """The simulated service without its HTTP side."""

    def __init__(self, data_dir: Path, *, time_scale: float, seed: int, keys: Sequence[Key]) -> None:
        self.store = Store(data_dir)
        self.clock = Clock(time_scale, int(self.store.get_meta("advance_ms", "0")))
        self.market = Market(seed)
        self.faults = Faults(seed)
        self.auth = AuthSettings()
        self.lifecycle = Lifecycle(self.store, self.clock, self.market, seed)
        self.heartbeats = Heartbeats(self.clock, self.containers)
        self.listing_lag_s = 0.0
        for key in keys:
            self.add_key(*key)

    def add_key(self, public: str, secret: str, account: str) -> None:
        """Make a key pair known, and its account when it is new.

        Raises ValueError for a pair of a wrong form.
        """
        if not (public.startswith("pk_sim_") and secret.startswith("sk_sim_") and account):
            raise ValueError("a sandbox key is pk_sim_…:sk_sim_…:account-name")
        account_uuid = str(uuid.uuid5(_NAMESPACE, account))
        with self.store.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO accounts (uuid, name, profile_uuid, created_ms, credit_micro) "
                "VALUES (?, ?, ?, ?, ?)",
                (
                    account_uuid,
                    account,
                    str(uuid.uuid5(_NAMESPACE, account + "/profile")),
                    self.clock.now_ms(),
                    DEFAULT_CREDIT_USD * MICRO,
                ),
            )
            db.execute(
                "INSERT INTO api_keys (public, secret, account, permissions) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (public) DO UPDATE SET secret = excluded.secret, account = excluded.account",
                (public, secret, account_uuid, json.dumps(PERMISSIONS)),
            )

    @contextmanager
    def up_to_date(self) -> Iterator[sqlite3.Connection]:
        """A transaction on the ledger after everything due has been carried out."""
        with self.store.transaction() as db:
            self.lifecycle.advance()
            yield db

    def containers(self, job_uuid: str | None = None) -> list[Container]:
        """The containers that run now and have a behaviour: all, or those of one job."""
        if not is_any_behaving(self.store):
            return []
        with self.up_to_date():
            return living_containers(self.store, self.clock.now_ms(), job_uuid)

    def reset(self) -> None:
        """Forget all requests, jobs, payments, faults and settings; keys stay as they are."""
        with self.store.transaction() as db:
            self.store.wipe()
            self.store.set_meta("advance_ms", "0")
            credit = DEFAULT_CREDIT_USD * MICRO
            db.execute(
                "UPDATE accounts SET captured_micro = 0, held_micro = 0, regions = '[]', credit_micro = ?",
                (credit,),
            )
        self.heartbeats.forget()
        self.faults.clear()
        self.market.reset()
        self.clock.advance_ms = self.clock.skew_ms = 0
        self.listing_lag_s = 0.0
        self.auth.window_s, self.auth.strict = 300.0, None

    def visible_until_ms(self) -> int | None:
        """The youngest creation time that lists show, or None without a listing lag."""
        return self.clock.now_ms() - int(self.listing_lag_s * 1000) if self.listing_lag_s else None


def parse_key(text: str) -> Key:
    """`pk_sim_…:sk_sim_…:account-name` as a tuple. Raises ValueError."""
    parts = text.strip().split(":")
    if len(parts) != 3:
        raise ValueError("a sandbox key is pk_sim_…:sk_sim_…:account-name")
    return parts[0], parts[1], parts[2]
