"""Notices by e-mail: plain text always, beside it the same as simple HTML."""

from __future__ import annotations

import contextlib
import smtplib
import time
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.clock import Clock
from dispersed_web.notifications import deliveries, letter, links
from dispersed_web.notifications.links import Link
from dispersed_web.notifications.models import Delivery, Way
from dispersed_web.notifications.notice import LONGEST_TITLE, Notice, Words, compose, exact, one_line, spoken
from dispersed_web.notifications.readers import OF_SECURITY

PASS_S = 40.0
AWAY = "The mail server cannot be reached ({why})."
REFUSED = "The mail server did not take it ({why})."


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
    # Mail programs show what refers to the same message as one conversation.
    about = {"References": f"<job.{notice.job.pk}@{settings.PUBLIC_HOST}>"} if notice.job else {}
    message = written(notice, user, made)
    message.extra_headers |= about
    return message


@sensitive_variables()
def written(notice: Notice, user: User, made: tuple[Link, ...]) -> EmailMultiAlternatives:
    """The message for one reader, with these links that act."""
    return letter.write(
        user.email,
        said(notice.subject, user, notice),
        text(notice, user, made),
        "email/notice.html",
        {
            "notice": notice,
            "facts": facts(notice, user),
            "links": made,
            "links_words": LINKS_WORDS if made else "",
        },
        foot=letter.foot(user.email, _why(notice), _chosen(notice)),
        tone=notice.tone,
    )


def _why(notice: Notice) -> str:
    team = notice.event.team
    return (
        f"you are in the team {one_line(team.name, LONGEST_TITLE)}"
        if team
        else "it is about your account there"
    )


def _chosen(notice: Notice) -> str:
    """What the reader may choose about such messages."""
    if notice.event.audience in OF_SECURITY:
        return "It concerns security, so it is always sent."
    return SET_UNDER.format(url=settings.PUBLIC_URL)


SET_UNDER = "What is sent to you is set under Profile and security: {url}/me/"


def said(words: Words, user: User, notice: Notice) -> str:
    """Words for one reader, moments short."""
    near = notice.event.at
    return "".join(word if isinstance(word, str) else spoken(word, user.zone, near) for word in words)


def facts(notice: Notice, user: User) -> list[tuple[str, str]]:
    """What stands beside the sentence, with moments in the reader's zone."""
    return [
        (label, "".join(word if isinstance(word, str) else exact(word, user.zone) for word in words))
        for label, words in notice.facts
    ]


@sensitive_variables()
def text(notice: Notice, user: User, made: tuple[Link, ...]) -> list[str]:
    """The lines of the message as plain text."""
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
    return lines


LINKS_WORDS = (
    "Each link works once and asks before it does anything. Whoever has this message can use them, "
    "so do not pass it on."
)
