"""A small OpenID Connect provider over HTTP, for tests: discovery, authorize, token, userinfo and keys.

It signs in whoever ``person`` describes without asking, checks what a client must send (redirect address, client secret,
PKCE), and can be told to misbehave.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "dispersed-web", "canary-oidc-client-secret"
KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


@dataclass
class Provider:
    """``claims`` changes the ID token before it is signed, ``signs`` makes it in another way."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    signs: Callable[[dict[str, Any]], str] | None = None
    discovery: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def authorize(self, address: str) -> str:
        """What a browser does that is sent to ``address`` and signs in there: the address that it is sent back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.url}/authorize?"), address
        assert (query["client_id"], query["response_type"]) == (CLIENT_ID, "code")
        assert "openid" in query["scope"].split()
        self.asked.append(query)
        code = secrets.token_urlsafe()
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        query = self.codes.pop(form["code"])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == query["code_challenge"]
        assert form["redirect_uri"] == query["redirect_uri"]
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": query.get("nonce"),
        }
        claims = self.claims(claims | self.person)
        id_token = (self.signs or sign)(claims)
        return {"access_token": "canary-access", "token_type": "Bearer", "id_token": id_token} | self.token


def sign(claims: dict[str, Any], key: Any = KEYS[0], kid: str = "k1", algorithm: str = "RS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


@contextmanager
def served(provider: Provider, settings: Any) -> Iterator[Provider]:
    """Serves it on the loopback interface, with the product's settings for it."""
    server = _serve(provider)
    settings.OIDC_ISSUER, settings.OIDC_NAME = provider.url, "Example SSO"
    app = {"provider_id": "oidc", "name": "Example SSO", "client_id": CLIENT_ID, "secret": CLIENT_SECRET}
    app["settings"] = {"server_url": provider.url}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    yield provider
    server.shutdown()
    server.server_close()


def _serve(provider: Provider) -> ThreadingHTTPServer:

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/authorize?"):
                self.send_response(302)
                self.send_header("Location", provider.authorize(provider.url + self.path))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            answers = {
                "/.well-known/openid-configuration": _discovery(provider),
                "/keys": {"keys": [_jwk()]},
                "/userinfo": provider.person | provider.userinfo,
            }
            self._answer(answers.get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            known = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
            self._answer(provider.exchange(form) if known and self.path == "/token" else None)

        def _answer(self, document: Any) -> None:
            is_broken = self.path in provider.broken or document is None
            text = b"<html>oops" if is_broken else json.dumps(document).encode()
            self.send_response(500 if is_broken else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


def _discovery(provider: Provider) -> dict[str, Any]:
    url = provider.url
    ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
    document = {name: f"{url}/{path}" for name, path in (ends | {"userinfo_endpoint": "userinfo"}).items()}
    document |= {"issuer": url, "token_endpoint_auth_methods_supported": ["client_secret_post"]}
    return document | provider.discovery


def _jwk() -> dict[str, Any]:
    key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS[0].public_key()))
    return key | {"kid": "k1", "use": "sig", "alg": "RS256"}
