"""What all e-mails have in common."""

from __future__ import annotations

from typing import Any

from dispersed_web.notifications import letter
from dispersed_web.notifications.letter import Piece

URL = "https://jobs.example.com/account/confirm-email/x/"


def test_the_foot_says_who_gets_it_from_where_and_why(settings: Any) -> None:
    settings.PUBLIC_URL = "https://jobs.example.com"
    foot = letter.foot("ana@example.org", "you asked for it", "Nothing more comes.")
    message = letter.write("ana@example.org", "A test", ["Hello."], "email/account.html", {}, foot=foot)
    said = f"Sent to ana@example.org by Dispersed Web at {URL[:24]}, because you asked for it. Nothing more comes."
    assert message.body == f"Hello.\n\n-- \n{said}"
    assert said in message.alternatives[0].content
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"


def test_in_a_terminal_there_is_only_text(settings: Any) -> None:
    settings.EMAIL_BACKEND = letter.AS_TEXT_ONLY
    assert not letter.write(
        "a@example.org", "A test", ["Hello."], "email/account.html", {}, foot="x"
    ).alternatives


def test_a_known_address_on_its_own_line_becomes_a_button_and_no_other_text_does() -> None:
    text = f"Confirm it\nhere:\n{URL}\n\nNot {URL}\nhttps://evil.example/\n"
    assert letter.pieces(text, {URL: "Confirm"}) == [
        Piece("Confirm it here:"),
        Piece(URL, "Confirm"),
        Piece(f"Not {URL} https://evil.example/"),
    ]
