"""A mail server that lets nobody in."""

from __future__ import annotations

import smtplib

import pytest

from dispersed_web.notifications.smtp import EmailBackend
from tests.canaries.mail_server import mail_server


def test_the_line_is_hung_up_when_the_password_is_refused() -> None:
    with mail_server() as server:
        server.refuses = True
        way = EmailBackend("127.0.0.1", server.port, "mailer", "wrong", use_tls=False, timeout=60)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            way.open()
        assert server.hung_up.wait(60)


def test_a_server_that_is_away_is_told_as_such() -> None:
    way = EmailBackend("127.0.0.1", 9, "mailer", "wrong", use_tls=False, timeout=60)
    with pytest.raises(ConnectionRefusedError):
        way.open()
