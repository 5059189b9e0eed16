"""The cloud that the contract tests talk to: the sandbox, or the real service when its keys are in the environment."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dispersed_web.dispersed import DEFAULT_URL, AuthShapes, Client, KeyPair
from dispersed_web.sandbox.control import Control

SANDBOX, SERVICE = "sandbox", "service"
LEARNED = AuthShapes(
    stale_time=(401, "timestamp_out_of_range"), reused_nonce=(401, "nonce_reused"), window_enforced=True
)


@dataclass(frozen=True)
class Place:
    """A real service, named by the environment."""

    url: str
    keys: KeyPair


def service_of(environ: Mapping[str, str]) -> Place | None:
    """The service that the environment names, ``None`` unless both halves of a key are there."""
    public, secret = environ.get("DISPERSED_PUBLIC_KEY"), environ.get("DISPERSED_SECRET_KEY")
    if not (public and secret):
        return None
    return Place(environ.get("DISPERSED_API_BASE_URL") or DEFAULT_URL, KeyPair(public, secret))


SERVICE_PLACE = service_of(os.environ)


@dataclass
class Cloud:
    """``control`` is the sandbox's back door; the real service has none, so tests that need it are skipped there."""

    kind: str
    url: str
    keys: KeyPair
    control: Control | None

    def client(self, **options: Any) -> Client:
        """A client with the cloud's key; ``keys`` among the options replaces it. Close it."""
        keys = options.pop("keys", self.keys)
        return Client(keys, self.url, simulated=keys.simulated, **options)

    def pass_time(self, seconds: float) -> None:
        """Lets the cloud's time pass: moves the sandbox's clock, or waits."""
        if self.control is not None:
            self.control.advance(seconds)
        else:
            time.sleep(seconds)


def once(client: Client) -> dict[str, Any]:
    """What a create call is sent with, fresh."""
    return {"time_ms": client.cloud_now_ms(), "nonce": uuid.uuid4().hex, "auth_shapes": LEARNED}


def raw(client: Client, path: str, **query: Any) -> Any:
    """The JSON of an answer as it came, read with the client's signature."""
    pairs = tuple((name, str(value)) for name, value in query.items())
    return json.loads(client._get(path, pairs).body)
