"""Who belongs to a team: a member's role, taking somebody out, inviting."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from dispersed_web.accounts import throttles
from dispersed_web.jobs.errors import JobError
from dispersed_web.notifications import invitation_mail
from dispersed_web.teams import invitations, keeping
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import Invitation, Membership
from dispersed_web.teams.roles import Action, Role, as_a, may_change_member
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.confirm import ConfirmedForm
from dispersed_web.web.forms.team import RoleForm
from dispersed_web.web.forms.team_people import InviteForm
from dispersed_web.web.people import departure
from dispersed_web.web.people.sudo import needs_sudo


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@needs_sudo
def member(request: HttpRequest, slug: str, membership_id: int) -> HttpResponse:
    """A member's role, and the way to take them out."""
    seat, membership = _member(request, slug, membership_id)
    form = RoleForm(request.POST or None, request=request, actor_role=seat.role, member_role=membership.role)
    if request.method == "POST" and form.is_valid():
        role = form.cleaned_data["role"]
        try:
            keeping.change_role(seat.team, membership.user, role, actor=seat.actor, now=timezone.now())
        except TeamRefused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, f"{membership.user} is in the team {as_a(role)} now.")
            return redirect("web:team", slug)
    context = {
        "team": seat.team,
        "member": membership,
        "form": form,
        "is_me": membership.user_id == seat.actor.user_id,
        "last_owner": keeping.is_last_owner(membership),
    }
    return render(request, "team/member.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@needs_sudo
def remove(request: HttpRequest, slug: str, membership_id: int) -> HttpResponse:
    """Asks what becomes of each of their running jobs, then takes them out."""
    seat, membership = _member(request, slug, membership_id)
    if membership.user_id == seat.actor.user_id:
        return redirect("web:team-leave", slug)
    who = departure.going(seat.team, membership.user, may_stop=seat.may(Action.STOP))
    form = who.form(request)
    if request.method == "POST" and form.is_valid():
        try:
            done = departure.carry_out(who, form, actor=seat.actor, now=timezone.now())
        except (TeamRefused, JobError) as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, f"{membership.user} is out of the team.{departure.outcome(done)}")
            _hint_at_keys(request, membership, done.keys)
            return redirect("web:team", slug)
    context = who.context(form, timezone.now()) | {
        "member": membership,
        "last_owner": keeping.is_last_owner(membership),
    }
    return render(request, "team/remove.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@needs_sudo
@sensitive_variables("token")
def invite(request: HttpRequest, slug: str) -> HttpResponse:
    """A new invitation; a link that is not mailed is shown in this answer alone."""
    seat = access.seat(request, slug, Action.MANAGE_MEMBERS)
    form = InviteForm(request.POST or None, request=request, actor_role=seat.role)
    if request.method == "POST" and form.is_valid():
        try:
            _count(seat)
            data = form.cleaned_data
            made, token = invitations.invite(
                seat.team,
                data["email"],
                data["role"],
                by_mail=form.by_mail,
                actor=seat.actor,
                now=timezone.now(),
            )
        except TeamRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            return _hand_out(request, seat, made, token)
    return render(
        request, "team/invite.html", {"team": seat.team, "form": form}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD"])
@needs_sudo
def invitation(request: HttpRequest, slug: str, invitation_id: uuid.UUID) -> HttpResponse:
    """One invitation: sending it again, withdrawing it."""
    seat, found = _invitation(request, slug, invitation_id)
    return _invitation_page(request, seat, found, ConfirmedForm(request=request))


@sensitive_post_parameters("password")
@require_POST
@sensitive_variables("token")
def invitation_again(request: HttpRequest, slug: str, invitation_id: uuid.UUID) -> HttpResponse:
    seat, found = _invitation(request, slug, invitation_id)
    form = ConfirmedForm(request.POST, request=request)
    if form.is_valid():
        try:
            _count(seat)
            made, token = invitations.send_again(seat.team, found.pk, actor=seat.actor, now=timezone.now())
        except TeamRefused as refused:
            form.add_error(None, refused.sentence)
        else:
            return _hand_out(request, seat, made, token)
    return _invitation_page(request, seat, found, form)


@require_POST
def invitation_withdraw(request: HttpRequest, slug: str, invitation_id: uuid.UUID) -> HttpResponse:
    """Asks for no password: it only takes away."""
    seat, found = _invitation(request, slug, invitation_id)
    try:
        changed = invitations.withdraw(seat.team, found.pk, actor=seat.actor, now=timezone.now())
    except TeamRefused as refused:
        raise PermissionDenied(refused.sentence) from None
    if changed:
        messages.success(request, f"The invitation of {found.email} is withdrawn; its link is dead.")
    return redirect("web:team", slug)


def _count(seat: Seat) -> None:
    """Nobody sends mails in bulk from here."""
    if wait_s := throttles.take("invite", seat.actor.user_id, timezone.now()):
        words = throttles.in_words(wait_s)
        raise TeamRefused("too_many", f"You sent many invitations lately. Send the next in {words}.")


@sensitive_variables()
def _hand_out(request: HttpRequest, seat: Seat, made: Invitation, token: str) -> HttpResponse:
    """By mail, or shown once on the page of the answer."""
    if not made.by_mail:
        context = {"team": seat.team, "made": made, "link": invitation_mail.link_of(token)}
        return render(request, "team/invited.html", context)
    try:
        invitation_mail.send(made, token)
    except invitation_mail.MailFault as fault:
        messages.error(
            request,
            f"The mail server did not take the invitation of {made.email} ({fault}). Send it again later.",
        )
    else:
        invitations.note_sent(made, timezone.now())
        messages.success(request, f"The invitation is on its way to {made.email}. It holds for 3 days.")
    return redirect("web:team", seat.team.slug)


def _member(request: HttpRequest, slug: str, membership_id: int) -> tuple[Seat, Membership]:
    """A membership of the team that the person may change; 403 where the role table says no. Programs are no members to
    look at: their tokens are."""
    seat = access.seat(request, slug)
    rows = Membership.objects.select_related("user", "team").filter(team=seat.team, user__is_service=False)
    membership = rows.filter(pk=membership_id).first()
    if membership is None:
        raise Http404
    seat.need(Action.MANAGE_MEMBERS)
    if not may_change_member(seat.role, membership.role, membership.role):
        raise PermissionDenied("This member ranks above you. Ask one of the team's owners.")
    return seat, membership


def _invitation(request: HttpRequest, slug: str, invitation_id: uuid.UUID) -> tuple[Seat, Invitation]:
    seat = access.seat(request, slug)
    rows = keeping.open_invitations(seat.team).select_related("invited_by")
    found = rows.filter(pk=invitation_id).first()
    if found is None:
        raise Http404
    seat.need(Action.MANAGE_MEMBERS)
    if Role(found.role) not in invitations.roles_to_give(seat.role):
        raise PermissionDenied("This invitation is to a role above yours. Ask one of the team's owners.")
    return seat, found


def _invitation_page(
    request: HttpRequest, seat: Seat, found: Invitation, form: ConfirmedForm
) -> HttpResponse:
    context = {
        "team": seat.team,
        "invitation": found,
        "form": form,
        "now": timezone.now(),
        "may_mail": invitations.may_mail(),
    }
    return render(request, "team/invitation.html", context, status=422 if form.errors else 200)


def _hint_at_keys(request: HttpRequest, membership: Membership, names: tuple[str, ...]) -> None:
    """Nobody reads a stored key here, but whoever typed it in may have kept it."""
    if names:
        listed = ", ".join(f"“{name}”" for name in names)
        messages.warning(request, f"{membership.user} added {listed} and may know the keys. Replace them.")
