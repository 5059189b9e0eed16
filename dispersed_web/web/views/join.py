"""The page behind an invitation's link. Opening it changes nothing; joining and declining are buttons for whoever is
signed in with the address that was invited.

The link leads to a page without the token in its address: the browser's session keeps which invitation it opened, while
its person signs in or makes an account.
"""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from dispersed_web.teams import invitations
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import Invitation
from dispersed_web.web.people import role_words, signup
from dispersed_web.web.secret_addresses import kept_nowhere


@login_not_required
@kept_nowhere("strict-origin")
@require_safe
@sensitive_variables("token")
def link(request: HttpRequest, token: str) -> HttpResponse:
    """What an e-mail or a message leads to."""
    invitation = invitations.find(token, timezone.now())
    if invitation is None:
        return _void(request)
    request.session[signup.SESSION_KEY] = str(invitation.pk)
    return redirect("web:join")


@login_not_required
@kept_nowhere("strict-origin")
@require_safe
def join(request: HttpRequest) -> HttpResponse:
    """Says who invites to what; asks whoever may answer, and leads all others to signing in."""
    invitation = _opened(request)
    return _void(request) if invitation is None else _page(request, invitation)


@kept_nowhere("strict-origin")
@require_POST
def accept(request: HttpRequest) -> HttpResponse:
    invitation = _opened(request)
    if invitation is None:
        return _void(request)
    try:
        invitations.accept(invitation, request.user, now=timezone.now())
    except TeamRefused as refused:
        return _refused(request, invitation, refused)
    del request.session[signup.SESSION_KEY]
    messages.success(request, f"You are in {invitation.team} now, {role_words.as_a(invitation.role)}.")
    return redirect("web:team-home", invitation.team.slug)


@kept_nowhere("strict-origin")
@require_POST
def decline(request: HttpRequest) -> HttpResponse:
    invitation = _opened(request)
    if invitation is None:
        return _void(request)
    try:
        invitations.decline(invitation, request.user, now=timezone.now())
    except TeamRefused as refused:
        return _refused(request, invitation, refused)
    del request.session[signup.SESSION_KEY]
    messages.success(request, f"You declined. {invitation.invited_by} was told.")
    return redirect("web:home")


def _opened(request: HttpRequest) -> Invitation | None:
    return invitations.get(request.session.get(signup.SESSION_KEY, ""), timezone.now())


def _page(
    request: HttpRequest, invitation: Invitation, *, fault: str = "", status: int = 200
) -> HttpResponse:
    signed_in = request.user.is_authenticated
    matches = signed_in and invitations.is_for(invitation, request.user)
    context = {
        "invitation": invitation,
        "team": invitation.team,
        "meaning": role_words.meaning(invitation.role),
        "as_role": role_words.as_a(invitation.role),
        "expected": invitation.email if matches else invitations.masked(invitation.email),
        "matches": matches,
        "may_sign_up": not signed_in and signup.may_sign_up(request),
        "fault": fault,
    }
    return render(request, "join/join.html", context, status=status)


def _refused(request: HttpRequest, invitation: Invitation, refused: TeamRefused) -> HttpResponse:
    if refused.code == "void":
        return _void(request)
    return _page(
        request, invitation, fault=refused.sentence, status=403 if refused.code == "wrong_address" else 409
    )


def _void(request: HttpRequest) -> HttpResponse:
    """The same for an unknown, used, withdrawn or expired one."""
    return render(request, "join/void.html", {"why": invitations.VOID}, status=404)
