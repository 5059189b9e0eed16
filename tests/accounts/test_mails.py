"""E-mails about accounts: their links lead to this installation, whatever the request pretended to ask, and they look like
all other mails of the product."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db


def test_links_in_mails_never_follow_the_host_header(
    client: Client, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.PUBLIC_URL = "https://jobs.example.com"
    known = factories.make_user()
    for email in (known.email, "nobody@example.org"):
        client.post("/account/password/reset/", {"email": email}, HTTP_HOST="evil.example:1337")
    assert mailoutbox
    for mail in mailoutbox:
        assert "evil.example" not in f"{mail.subject} {mail.body} {mail.alternatives[0].content}"
    assert "https://jobs.example.com/account/password/reset/key/" in mailoutbox[0].body


def test_the_same_words_stand_in_both_parts_with_the_link_as_a_button(
    client: Client, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.PUBLIC_URL = "https://jobs.example.com"
    user = factories.make_user("o'hara@example.org")
    client.post("/account/password/reset/", {"email": user.email})
    (mail,) = mailoutbox
    assert mail.subject == "Choose a new password"
    foot = "by Dispersed Web at https://jobs.example.com, because this address was given there."
    assert f"Sent to o'hara@example.org {foot}" in mail.body
    html = mail.alternatives[0].content
    assert foot in html
    assert "o&#x27;hara@example.org" in html
    link = next(line for line in mail.body.splitlines() if line.startswith("https://"))
    assert f'href="{link}"' in html
    assert ">Choose a password</a>" in html
