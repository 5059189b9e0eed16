"""Notices by e-mail: plain text always, beside it the same as simple HTML."""

from __future__ import annotations

import contextlib
import smtplib
import time
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.clock import Clock
from dispersed_web.notifications import deliveries, links
from dispersed_web.notifications.links import Link
from dispersed_web.notifications.models import Delivery, Way
from dispersed_web.notifications.notice import Notice, Words, compose, exact, spoken

PASS_S = 40.0
AWAY = "The mail server cannot be reached ({why})."
REFUSED = "The mail server did not take it ({why})."
# Printed in a terminal, HTML would only be in the way.
AS_TEXT_ONLY = "django.core.mail.backends.console.EmailBackend"
COLOURS = {"green": "#1a7f4b", "amber": "#b26a00", "red": "#c62828", "blue": "#2459c4", "grey": "#5b6472"}


def send_due(clock: Clock) -> None:
    """Sends what is due, for some time at most. Once the server was away, the rest is put back without asking again."""
    ends_at = time.monotonic() + PASS_S
    away = ""
    for delivery in deliveries.due(Way.EMAIL, clock())[: deliveries.BATCH]:
        if time.monotonic() > ends_at:
            return
        if not deliveries.claim(delivery, clock()):
            continue
        if away:
            deliveries.put_back(delivery, away, clock())
            continue
        with deliveries.alone(delivery, clock()):
            away = send(delivery, clock)


@sensitive_variables()
def send(delivery: Delivery, clock: Clock) -> str:
    """Sends one claimed delivery over a connection of its own and notes what became of it. Returns, as a sentence, why
    the mail server cannot be reached or lets nobody in; empty when it does."""
    connection = get_connection()
    try:
        connection.open()
    except OSError as error:  # smtplib's errors are OSErrors too
        why = AWAY.format(why=type(error).__name__)
        deliveries.put_back(delivery, why, clock())
        return why
    message = mail_of(delivery, clock)
    message.connection = connection
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        _not_taken(delivery, error, clock, for_good=all(code >= 500 for code, _ in error.recipients.values()))
    except (smtplib.SMTPResponseException, smtplib.SMTPNotSupportedError) as error:
        _not_taken(delivery, error, clock)
    except OSError:
        why = "The connection to the mail server broke off: it may have taken the message, so it is not sent again."
        deliveries.fail(delivery, why, clock())
    else:
        deliveries.note_sent(delivery, clock())
    finally:
        _close(connection)
    return ""


def _not_taken(delivery: Delivery, error: Exception, clock: Clock, *, for_good: bool = False) -> None:
    """The server said no, so a further try cannot be a second message."""
    why = REFUSED.format(why=type(error).__name__)
    if for_good:
        deliveries.fail(delivery, why, clock())
    else:
        deliveries.put_back(delivery, why, clock())


def _close(connection: Any) -> None:
    with contextlib.suppress(OSError):
        connection.close()


@sensitive_variables()
def mail_of(delivery: Delivery, clock: Clock) -> EmailMultiAlternatives:
    """The e-mail of a delivery, with new links that act for its reader."""
    user = delivery.user
    notice = compose(delivery.event)
    made = links.make(delivery, notice, clock())
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    if notice.job:
        # Mail programs show what refers to the same message as one conversation.
        headers["References"] = f"<job.{notice.job.pk}@{settings.PUBLIC_HOST}>"
    message = EmailMultiAlternatives(
        said(notice.subject, user, notice),
        text(notice, user, made),
        settings.DEFAULT_FROM_EMAIL,
        [user.email],
        headers=headers,
    )
    if settings.EMAIL_BACKEND != AS_TEXT_ONLY:
        message.attach_alternative(html(notice, user, made), "text/html")
    return message


def said(words: Words, user: User, notice: Notice) -> str:
    """Words for one reader, moments short."""
    near = notice.event.at
    return "".join(word if isinstance(word, str) else spoken(word, user.zone, near) for word in words)


def facts(notice: Notice, user: User) -> list[tuple[str, str]]:
    return [
        (label, "".join(word if isinstance(word, str) else exact(word, user.zone) for word in words))
        for label, words in notice.facts
    ]


@sensitive_variables()
def text(notice: Notice, user: User, made: tuple[Link, ...]) -> str:
    """The message as plain text."""
    lines = [notice.sentence, "", *(f"{label}: {value}" for label, value in facts(notice, user))]
    if notice.calls_off:
        lines += ["", notice.calls_off]
    if made:
        lines += ["", *(f"{link.label}: {link.url}" for link in made)]
    lines += ["", f"{notice.page_label}: {notice.page}"]
    if notice.again:
        lines += [f"Launch the same again: {notice.again}"]
    if made:
        lines += ["", LINKS_WORDS]
    lines += ["", f"Sent by Dispersed Web at {settings.PUBLIC_URL}."]
    return "\n".join(lines)


LINKS_WORDS = (
    "Each link works once and asks before it does anything. Whoever has this message can use them, "
    "so do not pass it on."
)


@sensitive_variables()
def html(notice: Notice, user: User, made: tuple[Link, ...]) -> str:
    """The same as HTML, without anything that would have to be loaded."""
    context = {
        "notice": notice,
        "subject": said(notice.subject, user, notice),
        "facts": facts(notice, user),
        "links": made,
        "links_words": LINKS_WORDS if made else "",
        "colour": COLOURS[notice.tone],
        "address": settings.PUBLIC_URL,
    }
    return render_to_string("email/notice.html", context)
