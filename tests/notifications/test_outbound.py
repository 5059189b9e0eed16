"""Requests to addresses that people typed in reach the public internet only, whatever the name resolves to."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dispersed_web.dispersed import transport
from dispersed_web.notifications import outbound
from tests.notifications.receiver import Receiver
from tests.waiting import LIMIT_S

PUBLIC = ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"]
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "192.0.0.8",
    "192.88.99.1",
    "64:ff9b:1::a00:1",
    "3fff::1",
    "::7f00:1",
    "2001:0:4136:e378:8000:63bf:f5ff:fff8",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert outbound.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_a_network_of_ones_own_is_not(address: str) -> None:
    assert not outbound.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no web address"),
        ("ftp://example.com/x", "no web address"),
        ("https://", "no web address"),
        ("https://exa mple.com/x", "no web address"),
        (f"https://example.com/{'x' * 2000}", "no web address"),
        ("http://hooks.slack.com/services/x", "must begin with https://"),
        ("https://user:pass@hooks.slack.com/x", "Leave out user names"),
        ("https://hooks.slack.com/x#fragment", "behind a #"),
        ("https://hooks.slack.com:22/x", "Only the ports"),
        ("https://127.0.0.1/x", "not on the public internet"),
        ("https://[::1]/x", "not on the public internet"),
        ("https://169.254.169.254/latest/meta-data/", "not on the public internet"),
    ],
)
def test_an_address_that_is_never_asked_is_refused_with_a_reason(url: str, says: str) -> None:
    with pytest.raises(outbound.Refused) as refused:
        outbound.parse(url)
    assert says in refused.value.sentence


def test_the_operator_allows_a_host_with_any_port_or_with_one(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_HOSTS = [("bridge.internal", None), ("::1", 8080)]
    for url in ("http://bridge.internal/x", "https://Bridge.Internal:99/x", "http://[::1]:8080/x"):
        assert outbound.parse(url).trusted
    for url in ("http://[::1]:8081/x", "http://other.internal/x"):
        with pytest.raises(outbound.Refused):
            outbound.parse(url)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "::1", "169.254.169.254", "::ffff:10.0.0.7"])
def test_a_name_that_resolves_to_a_private_address_is_not_asked(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(outbound, "resolve", lambda host, port: ["8.8.8.8", address])
    with pytest.raises(outbound.Refused) as refused:
        outbound.post("https://hooks.example.com/x", b"{}")
    assert "not on the public internet" in refused.value.sentence
    assert hook.requests == []


@pytest.mark.parametrize("name", ["localhost", "2130706433", "127.1", "0x7f.1"])
def test_other_ways_to_write_loopback_are_seen_through(name: str) -> None:
    with pytest.raises((outbound.Refused, outbound.NotSent)):
        outbound.post(f"https://{name}/x", b"{}", seconds=1)


def test_a_name_that_nobody_knows_may_be_known_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError

    monkeypatch.setattr(outbound, "resolve", unknown)
    with pytest.raises(outbound.NotSent) as not_sent:
        outbound.post("https://hooks.example.com/x", b"{}")
    assert not_sent.value.sentence == "The name hooks.example.com was not found."


def test_the_answer_comes_back(hook: Receiver) -> None:
    hook.answer(404, b"no_service")
    hook.answer(429, b"slow down", Retry_After="7")
    assert outbound.post(hook.url, b'{"a": 1}') == outbound.Answer(404, None, "no_service")
    assert outbound.post(hook.url, b"{}") == outbound.Answer(429, 7.0, "")
    path, headers, body = hook.requests[0]
    assert (path, body) == ("/services/T000/B000/secret-part-9f3a", b'{"a": 1}')
    assert headers["Host"] == f"127.0.0.1:{hook.port}"
    assert headers["Content-Type"] == "application/json"


def test_a_redirect_is_not_followed(hook: Receiver) -> None:
    hook.answer(302, Location=hook.url)
    assert outbound.post(hook.url, b"{}").status == 302
    assert len(hook.requests) == 1


def test_an_endless_answer_is_not_read(hook: Receiver) -> None:
    hook.answer(200, b"a" * 5_000_000)
    assert outbound.post(hook.url, b"{}") == outbound.Answer(200, None, "")


def test_a_server_that_is_too_slow_may_have_taken_it(hook: Receiver) -> None:
    hook.answer(wait=LIMIT_S)
    with pytest.raises(outbound.InDoubt) as doubt:
        outbound.post(hook.url, b"{}", seconds=0.5)
    assert "secret-part" not in f"{doubt.value} {doubt.value.__context__!r} {doubt.value.__cause__!r}"


def test_a_server_that_breaks_off_may_have_taken_it(hook: Receiver) -> None:
    hook.answer(0)
    with pytest.raises(outbound.InDoubt):
        outbound.post(hook.url, b"{}")


def test_where_nobody_listens_nothing_was_sent(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings.WEBHOOK_ALLOWED_HOSTS = [("127.0.0.1", port)]
    with pytest.raises(outbound.NotSent):
        outbound.post(f"http://127.0.0.1:{port}/", b"{}", seconds=1)


@pytest.mark.parametrize(
    ("text", "seconds"), [("3", 3.0), ("0.5", 0.5), ("-4", 0.0), ("soon", None), ("", None), ("nan", None)]
)
def test_how_long_to_wait_is_read(text: str, seconds: float | None) -> None:
    assert outbound._retry_after(text) == seconds


def test_a_moment_to_wait_for_is_read() -> None:
    at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)
    assert outbound._retry_after(f"{at:%a, %d %b %Y %H:%M:%S} GMT") == pytest.approx(90, abs=LIMIT_S)


def test_the_connection_goes_to_the_address_that_was_checked_under_the_hosts_own_name(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate is that of the name, the server listens on loopback, and the name is asked for once."""
    asked: list[str] = []
    seen: list[str] = []
    authority, pem = _certificate("hooks.example.test", tmp_path)
    server = _tls_server(pem, seen)
    settings.WEBHOOK_ALLOWED_HOSTS = [("hooks.example.test", None)]
    monkeypatch.setattr(transport, "_tls_context", lambda: ssl.create_default_context(cadata=authority))
    monkeypatch.setattr(outbound, "resolve", lambda host, port: asked.append(host) or ["127.0.0.1"])
    port = server.server_address[1]
    try:
        assert outbound.post(f"https://hooks.example.test:{port}/x", b"{}").status == 200
        settings.WEBHOOK_ALLOWED_HOSTS = [("other.example.test", None)]
        with pytest.raises(outbound.NotSent):
            outbound.post(f"https://other.example.test:{port}/x", b"{}", seconds=LIMIT_S)
    finally:
        server.shutdown()
        server.server_close()
    assert asked == ["hooks.example.test", "other.example.test"]
    assert seen == [f"hooks.example.test:{port}", "hooks.example.test"]


def _tls_server(pem: Path, seen: list[str]) -> HTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.headers["Host"])
            seen.append(self.connection.named)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    def named(connection: Any, name: str, context: ssl.SSLContext) -> None:
        connection.named = name

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.sni_callback = named
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # the second client turns away in the middle of the handshake
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


def _certificate(name: str, folder: Path) -> tuple[str, Path]:
    """A certificate of its own authority: itself as PEM text, and a file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_text(text + private.decode())
    return text, path
