"""Inviting people to a team: an offer for one e-mail address, in one role, for one use, good for three days.

The link's token exists only in the answer that made it; its digest is stored. An invitation is as good as its sender: it
is void once they left or could not give that role any more. It is accepted by somebody who is signed in with its address.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Audience
from dispersed_web.events.record import Actor, record
from dispersed_web.events.security import tell_owners
from dispersed_web.teams import installation, seats
from dispersed_web.teams.keeping import TeamRefused, hold, open_invitations
from dispersed_web.teams.models import Invitation, Membership, Team
from dispersed_web.teams.roles import RANK, Role, as_a, may_change_member

LIFETIME = dt.timedelta(hours=72)
TOKEN_BYTES = 32
LONGEST_TOKEN = 64
VOID = "This invitation does not hold: it was used or withdrawn, or it is too old. Ask whoever sent it for a new one."
MASK = "•••"
NO_MAIL = (
    "This is a copy of another installation’s database, so it mails no invitations: who gets one would take it for one to "
    "the original. Have the link shown to you, and pass it on."
)


@sensitive_variables("token")
def invite(
    team: Team, email: str, role: str, *, by_mail: bool, actor: Actor, now: dt.datetime
) -> tuple[Invitation, str]:
    """The stored invitation and its token, which exists only here. ``by_mail``: the caller sends it to the address and
    shows it to nobody, so that whoever has it reads that mailbox.

    Raises :class:`TeamRefused`: ``invalid``, ``not_allowed``, ``is_member``, ``is_invited``, and ``only_looks`` where
    nothing is mailed (:func:`may_mail`).
    """
    address = _clean(email)
    if by_mail and not may_mail():
        raise TeamRefused("only_looks", NO_MAIL)
    if role not in Role.__members__.values():
        raise TeamRefused("invalid", "Choose a role.", "role")
    with transaction.atomic():
        row = hold(team)
        _need(row, actor, role)
        if Membership.objects.filter(team=row, user__email__iexact=address).exists():
            raise TeamRefused("is_member", f"{address} is in the team already.", "email")
        same = open_invitations(row).filter(email__iexact=address)
        if same.filter(expires_at__gt=now).exists():
            sentence = f"{address} is invited already. Send that invitation again, or withdraw it first."
            raise TeamRefused("is_invited", sentence, "email")
        same.update(revoked_at=now)
        made, token = _make(row, address, role, by_mail, actor, now)
        way = "by e-mail" if by_mail else "by a link"
        sentence = f"{actor.label} invited {address} {as_a(role)}, {way}."
        _tell(made, actor, "invitation.made", sentence, now, Audience.OWNERS)
    return made, token


def may_mail() -> bool:
    """Whether invitations go out by mail here: not in a copy of another installation's database. One query."""
    return installation.may_act()


@sensitive_variables("token")
def send_again(
    team: Team, invitation_id: uuid.UUID, *, actor: Actor, now: dt.datetime
) -> tuple[Invitation, str]:
    """A new invitation in the place of one that was not accepted, and its token; the old link is dead. Where nothing is
    mailed it is one by link.

    Raises :class:`TeamRefused`, also for one that was accepted or withdrawn.
    """
    with transaction.atomic():
        row = hold(team)
        old = open_invitations(row).filter(pk=invitation_id).first()
        if old is None or not open_invitations(row).filter(pk=old.pk).update(revoked_at=now):
            raise TeamRefused("gone", "This invitation was accepted or withdrawn meanwhile.")
        _need(row, actor, old.role)
        made, token = _make(row, old.email, old.role, old.by_mail and may_mail(), actor, now)
        sentence = f"{actor.label} sent the invitation of {old.email} again; the old link is dead."
        _tell(made, actor, "invitation.sent_again", sentence, now)
    return made, token


def withdraw(team: Team, invitation_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> bool:
    """The link is dead; False when it was accepted or withdrawn before. Raises :class:`TeamRefused`."""
    with transaction.atomic():
        row = hold(team)
        found = open_invitations(row).filter(pk=invitation_id).first()
        if found is None:
            return False
        _need(row, actor, found.role)
        changed = open_invitations(row).filter(pk=found.pk).update(revoked_at=now)
        sentence = f"{actor.label} withdrew the invitation of {found.email}."
        _tell(found, actor, "invitation.withdrawn", sentence, now)
    return bool(changed)


@sensitive_variables()
def find(token: str, now: dt.datetime) -> Invitation | None:
    """The invitation of this token while it holds; ``None`` for every other text."""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    return _that_holds(now, digest=_digest(token))


def get(invitation_id: object, now: dt.datetime) -> Invitation | None:
    """The invitation with this id (as a session keeps it, for whoever opened its link) while it holds."""
    try:
        return _that_holds(now, pk=uuid.UUID(str(invitation_id)))
    except ValueError:
        return None


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether the person signs in with the address that was invited."""
    return invitation.email.lower() == user.email.lower()


def masked(email: str) -> str:
    """Enough of an address for whoever it belongs to, such as ``a•••@e•••.org``."""
    name, _, host = email.partition("@")
    first, _, rest = host.rpartition(".")
    return f"{name[:1]}{MASK}@{first[:1]}{MASK}.{rest}"


def accept(invitation: Invitation, user: User, *, now: dt.datetime) -> Membership:
    """The person is in the team. Of two who accept at once, one is.

    Raises :class:`TeamRefused`: ``wrong_address``, ``is_member``, and ``void`` when it does not hold any more.
    """
    _need_address(invitation, user)
    with transaction.atomic():
        team = hold_or_void(invitation.team)
        if get(invitation.pk, now) is None:
            raise TeamRefused("void", VOID)
        if Membership.objects.filter(team=team, user=user).exists():
            raise TeamRefused("is_member", "You are in this team already.")
        if not open_invitations(team).filter(pk=invitation.pk).update(accepted_at=now, accepted_by=user):
            raise TeamRefused("void", VOID)
        membership = Membership.objects.create(team=team, user=user, role=invitation.role)
        sentence = f"{user} joined {as_a(invitation.role)}, invited by {invitation.invited_by}."
        data = {"email": user.email, "role": invitation.role, "invitation": str(invitation.pk)}
        tell_owners(team.pk, Actor.person(user), "member.joined", ("user", user.pk), sentence, now, data)
    return membership


def decline(invitation: Invitation, user: User, *, now: dt.datetime) -> bool:
    """The invitation is over; False when it was before. Raises :class:`TeamRefused` for another address's."""
    _need_address(invitation, user)
    with transaction.atomic():
        team = hold_or_void(invitation.team)
        changed = open_invitations(team).filter(pk=invitation.pk).update(revoked_at=now)
        if changed:
            sentence = f"{user} declined the invitation."
            _tell(invitation, Actor.person(user), "invitation.declined", sentence, now, Audience.PERSON)
    return bool(changed)


def note_sent(invitation: Invitation, now: dt.datetime) -> None:
    """The mail server took it."""
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=now)


def waiting(team: Team) -> list[Invitation]:
    """What was neither accepted nor withdrawn, the newest first; some may have expired."""
    return list(open_invitations(team).select_related("invited_by").order_by("-created_at"))


def roles_to_give(role: str | None) -> list[Role]:
    """The roles to which a member with ``role`` may invite, the lowest first."""
    return sorted((one for one in Role if role and may_change_member(role, one, one)), key=RANK.__getitem__)


def hold_or_void(team: Team) -> Team:
    """The team's row, held. Raises :class:`TeamRefused` in the words for an invitation when the team is gone."""
    try:
        return hold(team)
    except TeamRefused:
        raise TeamRefused("void", VOID) from None


def _that_holds(now: dt.datetime, **key: Any) -> Invitation | None:
    rows = Invitation.objects.filter(
        accepted_at=None, revoked_at=None, expires_at__gt=now, team__deleted_at=None, **key
    )
    found = rows.select_related("team", "invited_by").first()
    if found is None or found.role not in roles_to_give(seats.role_of(found.team, found.invited_by_id)):
        return None
    return found


@sensitive_variables("token")
def _make(
    team: Team, email: str, role: str, by_mail: bool, actor: Actor, now: dt.datetime
) -> tuple[Invitation, str]:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    made = Invitation.objects.create(
        team=team,
        email=email,
        role=role,
        digest=_digest(token),
        by_mail=by_mail,
        invited_by_id=actor.user_id,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return made, token


def _clean(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise TeamRefused("invalid", "This is no e-mail address.", "email") from None
    if address.endswith(".invalid"):  # those of programs
        raise TeamRefused("invalid", "This is no e-mail address.", "email")
    return address


def _need(team: Team, actor: Actor, role: str) -> None:
    if role not in roles_to_give(seats.role_of_actor(team, actor)):
        raise TeamRefused("not_allowed", "Your role in this team does not allow that.", "role")


def _need_address(invitation: Invitation, user: User) -> None:
    if not is_for(invitation, user):
        sentence = (
            f"This invitation is for {masked(invitation.email)}, and you are signed in as {user.email}. "
            "Sign out, then sign in with the other address."
        )
        raise TeamRefused("wrong_address", sentence)


def _tell(
    invitation: Invitation,
    actor: Actor,
    kind: str,
    sentence: str,
    now: dt.datetime,
    audience: str = Audience.NOBODY,
) -> None:
    """An answer is told to who sent it, a new one to the owners."""
    data = {
        "email": invitation.email,
        "role": invitation.role,
        "by_mail": invitation.by_mail,
        "expires_at": invitation.expires_at.isoformat(),
    }
    if audience == Audience.PERSON:
        data["concerns"] = [invitation.invited_by_id]
    about = ("invitation", invitation.pk)
    record(invitation.team_id, actor, kind, about, sentence, now=now, data=data, audience=audience)


@sensitive_variables()
def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
