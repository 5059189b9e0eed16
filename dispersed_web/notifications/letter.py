"""What all e-mails of the product have in common: the sender, a subject without a prefix (the sender's name says from whom
it is, and a phone shows few words), plain text beside the same as simple HTML, and a foot that says who gets the message
and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.views.decorators.debug import sensitive_variables

# Printed in a terminal, HTML would only be in the way.
AS_TEXT_ONLY = "django.core.mail.backends.console.EmailBackend"
COLOURS = {"green": "#1a7f4b", "amber": "#b26a00", "red": "#c62828", "blue": "#2459c4", "grey": "#5b6472"}
# No answers by machines, such as notes of absence
HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


@dataclass(frozen=True)
class Piece:
    """A paragraph; with a ``label`` an address behind a button."""

    text: str
    label: str = ""


def foot(to: str, why: str, more: str = "") -> str:
    """The last lines of a message. ``why`` follows a "because"; ``more`` is a sentence of its own. Pure but for the
    address of the installation."""
    said = f"Sent to {to} by Dispersed Web at {settings.PUBLIC_URL}, because {why}."
    return f"{said} {more}" if more else said


@sensitive_variables()
def write(
    to: str,
    subject: str,
    lines: Iterable[str],
    template: str,
    context: Mapping[str, Any],
    *,
    foot: str,
    tone: str = "blue",
    headers: Mapping[str, str] | None = None,
) -> EmailMultiAlternatives:
    """The message: ``lines`` as plain text, ``template`` with ``context`` as HTML, neither with anything to be loaded."""
    message = EmailMultiAlternatives(
        subject,
        "\n".join([*lines, "", "-- ", foot]),
        settings.DEFAULT_FROM_EMAIL,
        [to],
        headers=HEADERS | dict(headers or {}),
    )
    if settings.EMAIL_BACKEND != AS_TEXT_ONLY:
        around = {"subject": subject, "colour": COLOURS[tone], "foot": foot}
        message.attach_alternative(render_to_string(template, around | dict(context)), "text/html")
    return message


@sensitive_variables()
def pieces(text: str, labels: Mapping[str, str]) -> list[Piece]:
    """The paragraphs of a plain text for HTML; a line that is one of the addresses in ``labels`` becomes a button with
    its label. Pure."""
    found: list[Piece] = []
    for paragraph in text.strip().split("\n\n"):
        words: list[str] = []
        for line in (one.strip() for one in paragraph.splitlines()):
            if line not in labels:
                words.append(line)
                continue
            found += [Piece(" ".join(words)), Piece(line, labels[line])]
            words = []
        if words:
            found.append(Piece(" ".join(words)))
    return [piece for piece in found if piece.text]
