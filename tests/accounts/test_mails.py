"""E-mails about accounts: their links lead to this installation, whatever the request pretended to ask."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests import factories


@pytest.mark.django_db
def test_links_in_mails_never_follow_the_host_header(
    client: Client, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.PUBLIC_URL = "https://jobs.example.com"
    known = factories.make_user()
    for email in (known.email, "nobody@example.org"):
        client.post("/account/password/reset/", {"email": email}, HTTP_HOST="evil.example:1337")
    assert mailoutbox
    for mail in mailoutbox:
        assert "evil.example" not in f"{mail.subject} {mail.body}"
    assert "https://jobs.example.com/account/password/reset/key/" in mailoutbox[0].body
