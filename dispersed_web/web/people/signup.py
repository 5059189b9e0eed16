"""Who may make an account: anybody, who holds an invitation to a team, or nobody (``DW_SIGNUP``)."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from dispersed_web.teams import invitations
from dispersed_web.teams.models import Invitation

# The page of an invitation writes the id here once its token was right.
SESSION_KEY = "invitation"


def may_sign_up(request: HttpRequest) -> bool:
    """Whether the sign-up form is there for this browser. By a setting that is not ``open`` it takes an invitation whose
    link this browser followed; ``closed`` also closes it to those."""
    if settings.SIGNUP == "open":
        return True
    return settings.SIGNUP == "invitation" and invitation_of(request) is not None


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The invitation whose link this browser followed, while it holds."""
    return invitations.get(request.session.get(SESSION_KEY, ""), timezone.now())


def is_proved(request: HttpRequest, email: str) -> bool:
    """Whether whoever asks proved to read mail at the address, because the invitation's link went there and nowhere
    else."""
    invitation = invitation_of(request)
    return invitation is not None and invitation.by_mail and invitation.email.lower() == email.lower()
