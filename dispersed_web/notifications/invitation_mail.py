"""The e-mail that carries an invitation's link. It is sent while its sender waits, because its token is stored nowhere."""

from __future__ import annotations

import smtplib

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from dispersed_web.notifications import letter
from dispersed_web.notifications.notice import exact, one_line
from dispersed_web.teams.models import Invitation
from dispersed_web.teams.roles import as_a

LONGEST_NAME = 80


class MailFault(Exception):
    """The mail server did not take it."""


@sensitive_variables()
def link_of(token: str) -> str:
    """The whole address that an invitation's token opens."""
    return settings.PUBLIC_URL + reverse("web:join-link", args=[token])


@sensitive_variables()
def send(invitation: Invitation, token: str) -> None:
    """Raises :class:`MailFault`."""
    message = mail_of(invitation, link_of(token))
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        raise MailFault(type(error).__name__) from None


@sensitive_variables()
def mail_of(invitation: Invitation, url: str) -> EmailMultiAlternatives:
    """Plain text, and beside it the same as simple HTML."""
    team, sender = (
        one_line(invitation.team.name, LONGEST_NAME),
        one_line(str(invitation.invited_by), LONGEST_NAME),
    )
    subject = f"Invitation to {team}"
    sentence = f"{sender} invites you to the team {team} on Dispersed Web, {as_a(invitation.role)}."
    until = exact(invitation.expires_at, invitation.invited_by.zone)
    facts = [("Team", team), ("Role", invitation.role), ("Invited by", sender), ("Holds until", until)]
    factor = FACTOR if invitation.team.require_mfa else ""
    lines = [sentence, "", *(f"{label}: {value}" for label, value in facts)]
    lines += ["", f"Look at the invitation: {url}", "", *([factor, ""] if factor else []), NOTE]
    return letter.write(
        invitation.email,
        subject,
        lines,
        "email/invitation.html",
        {"sentence": sentence, "facts": facts, "url": url, "factor": factor, "pass_on": NOTE},
        foot=letter.foot(invitation.email, f"{sender} invited this address"),
    )


NOTE = "The link works once, and only for whoever signs in with this e-mail address. If you did not expect it, do nothing."
FACTOR = (
    "The team needs a second factor of its members: an authenticator app or a security key. You set it up after joining, "
    "which takes two minutes; the team’s pages open then."
)
