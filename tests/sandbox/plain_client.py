"""A client that knows only the vendor's documentation.

Signs in several dialects and speaks through http.client.
"""

import hashlib
import hmac
import http.client
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from tests.waiting import LIMIT_S


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


class PlainClient:
    """Signs as documented. `space` is "+" or "%20"; `escape` chooses ASCII-escaped or raw UTF-8 bodies."""

    def __init__(self, url, key, *, space="+", escape=True, sort_wire=True):
        self.url = url
        self.public, self.secret = key[0], key[1]
        self.space, self.escape, self.sort_wire = space, escape, sort_wire
        self.connection = None

    def get(self, path, **query):
        return self.send("GET", path, query)

    def post(self, path, body):
        return self.send("POST", path, body=body)

    def put(self, path, body):
        return self.send("PUT", path, body=body)

    def cancel(self, uuid, reason="Cancelled by user"):
        return self.put(f"/v1/jobs/{uuid}/cancel", {"reason": reason})

    def send(self, method, path, query=None, body=None, **overrides):
        pairs = [(name, str(value)) for name, value in (query or {}).items()]
        raw = b"" if body is None else self.canonical_body(body)
        headers = self.sign(method, path, pairs, raw, **overrides)
        target = path + ("?" + self.write_query(pairs, sort=self.sort_wire) if pairs else "")
        return self.exchange(method, target, raw, headers)

    def exchange(self, method, target, raw, headers):
        if self.connection is None:
            parts = urlsplit(self.url)
            self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=LIMIT_S)
        try:
            self.connection.request(method, target, body=raw or None, headers=headers)
            answer = self.connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        except Exception:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def sign(self, method, path, pairs, raw, *, at_ms=None, nonce=None, secret=None):
        stamp = str(at_ms if at_ms is not None else int(time.time() * 1000))
        nonce = nonce or secrets.token_hex(16)
        body_hash = hashlib.sha256(raw).hexdigest()
        query = self.write_query(pairs, sort=True)
        text = "|".join((self.public, stamp, nonce, method, path, query, body_hash))
        signature = hmac.new((secret or self.secret).encode(), text.encode(), hashlib.sha256).hexdigest()
        return {
            "X-API-Key": self.public,
            "X-Time": stamp,
            "X-Nonce": nonce,
            "X-Signature": signature,
            "Content-Type": "application/json",
        }

    def write_query(self, pairs, *, sort):
        write = quote_plus if self.space == "+" else lambda text: quote(text, safe="")
        ordered = sorted(pairs, key=lambda pair: (pair[0].encode(), pair[1].encode())) if sort else pairs
        return "&".join(f"{write(name)}={write(value)}" for name, value in ordered)

    def canonical_body(self, body):
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=self.escape)
        return text.encode()


def persistent(title="dev environment", **changes):
    """A PERSISTENT body as a person would send it."""
    docker = {
        "image": "dispersednetwork/base",
        "tag": "latest",
        "sshkey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHRlc3Q test",
        "allowed_ips": ["203.0.113.7/32"],
        "ports": [22, 8080],
        "env": {"CUDA_VISIBLE_DEVICES": "0"},
    }
    docker |= changes.pop("docker", {})
    body = {"task": "PERSISTENT", "title": title, "gpu_count": 1, "max_timeout_run_ms": None}
    return {**body, "parameters": {"type": "docker", "parameters": docker}, **changes}


def batch(title="process dataset", **changes):
    """A BATCH body; `docker` changes its docker parameters."""
    docker = {"image": "dispersednetwork/pytorch-benchmark", "tag": "latest", "env": {}}
    docker |= changes.pop("docker", {})
    body = {"task": "BATCH", "title": title, "gpu_count": 1, "max_timeout_run_ms": 3_600_000}
    return {**body, "parameters": {"type": "docker", "parameters": docker}, **changes}
