"""Passwords that were stolen elsewhere, against a service that speaks HTTP."""

from __future__ import annotations

import hashlib
import http.server
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError

from dispersed_web import env
from dispersed_web.accounts import breached
from tests.waiting import LIMIT_S

STOLEN, GOOD = "correct horse battery staple", "violet tapir pocket lantern"


def digits(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


class Service(http.server.ThreadingHTTPServer):
    daemon_threads = True
    status, body = 200, ""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.released = threading.Event()
        self.released.set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *args: Any) -> None:
        """Whoever did not wait is gone."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers))
        self.server.released.wait(LIMIT_S)
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(self.server.body.encode())

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def service(settings: Any) -> Iterator[Service]:
    server = Service()
    server.body = f"{'0' * 35}:3\r\n{digits(STOLEN)[5:]}:1204\r\n{digits(GOOD)[5:]}:0\r\n"
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    settings.BREACHED_PASSWORDS_URL = f"http://127.0.0.1:{server.server_address[1]}/range"
    yield server
    server.shutdown()
    server.server_close()


def test_a_stolen_password_is_refused_and_five_digits_leave(service: Service) -> None:
    with pytest.raises(ValidationError, match="stolen elsewhere"):
        validate_password(STOLEN)
    ((path, headers),) = service.asked
    assert path == f"/range/{digits(STOLEN)[:5]}"
    assert headers["Add-Padding"] == "true"
    assert digits(STOLEN)[5:] not in str(headers)


def test_another_is_taken_and_padding_is_no_match(service: Service) -> None:
    validate_password(GOOD)
    validate_password("a lamp, a rope, a whale")
    assert len(service.asked) == 2


@pytest.mark.parametrize("status", [302, 404, 429, 503])
def test_a_service_that_gives_no_list_keeps_nobody_out_and_leads_nowhere(
    service: Service, caplog: Any, status: int
) -> None:
    service.status = status
    validate_password(STOLEN)
    assert len(service.asked) == 1
    assert f"status {status}. It was accepted." in caplog.text
    assert digits(STOLEN)[:5] not in caplog.text


def test_nor_does_one_that_takes_its_time_or_is_away(
    service: Service, settings: Any, caplog: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(breached, "SECONDS", 0.1)
    service.released.clear()
    began = time.monotonic()
    validate_password(STOLEN)
    assert time.monotonic() - began < LIMIT_S / 2
    service.released.set()
    settings.BREACHED_PASSWORDS_URL = "http://127.0.0.1:9/range"
    validate_password(STOLEN)
    warned = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert len(warned) == 2


def test_without_an_address_nobody_is_asked(service: Service, settings: Any) -> None:
    settings.BREACHED_PASSWORDS_URL = ""
    validate_password(STOLEN)
    assert service.asked == []


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("", True),
        ("https://api.example.com/range/", True),
        ("http://127.0.0.1:8080/range", True),
        ("http://api.example.com/range", False),
        ("https://name:word@api.example.com/range", False),
        ("https://api.example.com/range?key=1", False),
        ("ftp://api.example.com", False),
        ("api.example.com", False),
    ],
)
def test_the_address_is_https_or_this_machine(monkeypatch: Any, text: str, taken: bool) -> None:
    monkeypatch.setenv("DW_BREACHED_PASSWORDS_URL", text)
    if taken:
        assert env.service_url("DW_BREACHED_PASSWORDS_URL", "") == text.rstrip("/")
    else:
        with pytest.raises(ImproperlyConfigured, match="DW_BREACHED_PASSWORDS_URL") as refused:
            env.service_url("DW_BREACHED_PASSWORDS_URL", "")
        assert "word@" not in str(refused.value)
