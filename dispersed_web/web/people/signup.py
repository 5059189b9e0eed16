"""Who may make an account: anybody, who holds an invitation to a team, or nobody (``DW_SIGNUP``)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

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
    """The open invitation whose link this browser followed."""
    try:
        wanted = uuid.UUID(str(request.session.get(SESSION_KEY, "")))
    except ValueError:
        return None
    still_open = Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
    return still_open.filter(pk=wanted, team__deleted_at=None).select_related("team").first()


def is_proved(request: HttpRequest, email: str) -> bool:
    """Whether whoever asks proved to read mail at the address, because the invitation's link went there and nowhere
    else."""
    invitation = invitation_of(request)
    return invitation is not None and invitation.by_mail and invitation.email.lower() == email.lower()
