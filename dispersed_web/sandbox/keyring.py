"""The control verbs for API keys: revoke, expire, restrict, restore."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .auth import PERMISSIONS, READ_ONLY
from .cloud import Cloud


class KeyVerbs:
    """What an account's owner could do to keys in the console."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def keys(self) -> list[dict[str, Any]]:
        """The known keys without their secrets."""
        rows = self._cloud.store.rows(
            "SELECT k.*, a.name FROM api_keys k JOIN accounts a ON a.uuid = k.account"
        )
        return [
            {
                "public_key": row["public"],
                "account": row["name"],
                "account_uuid": row["account"],
                "permissions": json.loads(row["permissions"]),
                "allowed_ips": json.loads(row["allowed_ips"]),
                "is_revoked": bool(row["is_revoked"]),
                "expires_ms": row["expires_ms"],
            }
            for row in rows
        ]

    def add_key(self, public: str, secret: str, account: str) -> None:
        """Make another key pair known, and its account when it is new."""
        self._cloud.add_key(public, secret, account)

    def revoke_key(self, public: str) -> None:
        """The key is refused from now on."""
        self._set(public, is_revoked=1)

    def restore_key(self, public: str) -> None:
        """Undo revoke, expiry, permissions and allowed addresses."""
        everything = json.dumps(PERMISSIONS)
        self._set(public, is_revoked=0, expires_ms=None, permissions=everything, allowed_ips="[]")

    def expire_key(self, public: str, in_s: float = 0.0) -> None:
        """The key expires after so many seconds."""
        self._set(public, expires_ms=self._cloud.clock.auth_ms() + int(in_s * 1000))

    def set_permissions(self, public: str, forbid: Sequence[str] = (), read_only: bool = False) -> list[str]:
        """Give a key all permissions (or the reading ones) but the forbidden, e.g. "jobs.cancel.own"."""
        granted = [name for name in (READ_ONLY if read_only else PERMISSIONS) if name not in forbid]
        self._set(public, permissions=json.dumps(granted))
        return granted

    def set_allowed_ips(self, public: str, addresses: Sequence[str]) -> None:
        """Restrict a key to source addresses; none = any."""
        self._set(public, allowed_ips=json.dumps(list(addresses)))

    def _set(self, public: str, **fields: object) -> None:
        sets = ", ".join(f"{name} = ?" for name in fields)
        sql = f"UPDATE api_keys SET {sets} WHERE public = ?"  # noqa: S608 - the names are ours
        if not self._cloud.store.run(sql, *fields.values(), public):
            raise ValueError(f"no key {public}")
