"""Making teams, and deciding who belongs to them. Every act reads the actor's role afresh, behind the team's lock."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.text import slugify

from dispersed_web.accounts.models import User
from dispersed_web.errors import DomainError
from dispersed_web.events.changes import changes as told_changes
from dispersed_web.events.models import ActorKind
from dispersed_web.events.record import Actor, record
from dispersed_web.events.security import tell_owners, tell_person
from dispersed_web.teams import seats
from dispersed_web.teams.models import ApiToken, Invitation, Membership, Team
from dispersed_web.teams.models.installation import CROCKFORD
from dispersed_web.teams.roles import Action, Role, as_a, may, may_change_member

OPERATOR = Actor(ActorKind.ENGINE, "The operator")
LIMITS = (
    "default_lifetime_s",
    "max_lifetime_s",
    "warn_lead_s",
    "max_active_jobs",
    "max_hourly_usd",
    "launches_frozen",
)
SHORTEST_LIFETIME_S = 60
LONGEST_LIFETIME_S = 365 * 24 * 3600
SHORTEST_WARNING_S = 60


class TeamRefused(DomainError):
    """Nothing of the team was changed."""


def create_team(name: str, owner: User, *, actor: Actor, now: dt.datetime) -> Team:
    """A new team whose first owner is ``owner``; its slug is made of its name."""
    base = slugify(name)[:50].strip("-") or "team"
    for slug in (base, *(f"{base}-{_random(4)}" for _ in range(5))):
        try:
            with transaction.atomic():
                team = Team.objects.create(name=name, slug=slug)
                Membership.objects.create(team=team, user=owner, role=Role.OWNER)
                sentence = f"{actor.label} made the team, with {owner} as its owner."
                record(team.pk, actor, "team.created", ("team", team.pk), sentence, now=now)
        except IntegrityError:
            continue
        return team
    raise TeamRefused("name_taken", "Choose another name for the team.", "name")


def add_member(team: Team, user: User, role: str, *, actor: Actor, now: dt.datetime) -> Membership:
    """Raises :class:`TeamRefused` when the person is in the team already, or the actor may not give that role."""
    with transaction.atomic():
        hold(team)
        _need(team, actor, target=role, new=role)
        if Membership.objects.filter(team=team, user=user).exists():
            raise TeamRefused("is_member", f"{user} is in the team already.")
        membership = Membership.objects.create(team=team, user=user, role=role)
        open_invitations(team).filter(email__iexact=user.email).update(revoked_at=now)
        _tell(team, actor, "member.added", user, f"{actor.label} added {user} {as_a(role)}.", now, to=role)
    return membership


def change_role(team: Team, member: User, role: str, *, actor: Actor, now: dt.datetime) -> bool:
    """Gives a member another role; False when it is the same. Raises :class:`TeamRefused`."""
    with transaction.atomic():
        hold(team)
        membership = _membership(team, member)
        before = membership.role
        _need(team, actor, target=before, new=role)
        if before == role:
            return False
        _keep_an_owner(membership)
        Membership.objects.filter(pk=membership.pk).update(role=role)
        _end_invitations(team, member, role, now)
        sentence = f"{actor.label} changed the role of {member} from {before} to {role}."
        _tell(team, actor, "member.role_changed", member, sentence, now, before=before, to=role)
    return True


def remove_member(
    team: Team, member: User, *, actor: Actor, now: dt.datetime, from_outside: bool = False
) -> None:
    """The person is out at once, with their API tokens of this team and the invitations they sent; their jobs stay with
    the team: ``jobs/removal.py`` decides on those first. ``from_outside``: the actor need not be of the team, but must
    administer this installation.

    Raises :class:`TeamRefused`.
    """
    with transaction.atomic():
        hold(team)
        membership = _membership(team, member)
        if not (from_outside and _administers_the_site(actor)):
            _need(team, actor, target=membership.role, new=None)
        _take_out(membership, "member.removed", f"{actor.label} removed {member}.", actor, now)
        tell_person(
            member, "account.removed", f"{actor.label} removed you from the team {team}.", now, actor=actor
        )


def leave(team: Team, member: User, *, actor: Actor, now: dt.datetime) -> None:
    """As :func:`remove_member`, for oneself and in any role. Raises :class:`TeamRefused` for the last owner."""
    with transaction.atomic():
        hold(team)
        _take_out(_membership(team, member), "member.left", f"{member} left the team.", actor, now)


def set_limits(team: Team, limits: Mapping[str, Any], *, actor: Actor, now: dt.datetime) -> bool:
    """Sets some of ``LIMITS`` for jobs that are launched from now on; False when nothing changes.

    Raises :class:`TeamRefused`: for values that do not fit together, and for a person who may not set them. To raise or
    lift the limit of spending is for owners alone.
    """
    if unknown := set(limits) - set(LIMITS):
        raise KeyError(f"no limits: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        row = hold(team)
        changes = {name: value for name, value in limits.items() if getattr(row, name) != value}
        _check_limits({name: getattr(row, name) for name in LIMITS} | changes)
        _need_for_limits(row, changes, actor)
        if not changes:
            return False
        data = told_changes("teams.Team", {name: getattr(row, name) for name in changes}, changes)
        Team.objects.filter(pk=row.pk).update(**changes)
        kind, sentence = _limits_event(changes, actor)
        record(row.pk, actor, kind, ("team", row.pk), sentence, now=now, data=data)
    return True


def is_last_owner(membership: Membership) -> bool:
    """Whether the team would have no owner who can act without this member."""
    others = Membership.objects.filter(team=membership.team_id, role=Role.OWNER, user__is_active=True)
    return membership.role == Role.OWNER and not others.exclude(pk=membership.pk).exists()


def open_invitations(team: Team) -> QuerySet[Invitation]:
    """Those that were neither accepted nor withdrawn; some may have expired."""
    return Invitation.objects.filter(team=team, accepted_at=None, revoked_at=None)


def hold(team: Team) -> Team:
    """The team's row, held until the transaction ends: changes of who belongs to a team come one after the other. (On
    SQLite a transaction holds the whole database.) Raises :class:`TeamRefused` for a deleted team."""
    row = Team.objects.select_for_update().get(pk=team.pk)
    if row.deleted_at is not None:
        raise TeamRefused("deleted", "This team was deleted.")
    return row


def role_of(team: Team, actor: Actor) -> str | None:
    """The actor's role in the team now; the operator's counts as an owner's."""
    return Role.OWNER if actor == OPERATOR else seats.role_of_actor(team, actor)


def _membership(team: Team, member: User) -> Membership:
    membership = Membership.objects.filter(team=team, user=member).first()
    if membership is None:
        raise TeamRefused("no_member", f"{member} is not in the team any more.")
    return membership


def _need(team: Team, actor: Actor, *, target: str, new: str | None) -> None:
    role = role_of(team, actor)
    if role is None or not may_change_member(role, target, new):
        raise TeamRefused("not_allowed", "Your role in this team does not allow that.")


def _need_for_limits(row: Team, changes: Mapping[str, Any], actor: Actor) -> None:
    role = role_of(row, actor)
    if not may(role, Action.MANAGE_LIMITS):
        raise TeamRefused("not_allowed", "Your role in this team does not allow that.")
    if "max_hourly_usd" in changes and not may(role, Action.RAISE_SPENDING):
        before, after = row.max_hourly_usd, changes["max_hourly_usd"]
        if before is not None and (after is None or after > before):
            raise TeamRefused(
                "not_allowed", "Only an owner may raise or lift the limit of spending.", "max_hourly_usd"
            )


def _administers_the_site(actor: Actor) -> bool:
    return User.objects.filter(pk=actor.user_id, is_site_admin=True, is_active=True).exists()


def _end_invitations(team: Team, sender: User, role: str | None, now: dt.datetime) -> int:
    """Withdraws what the person invited to and, in ``role`` (``None``: out of the team), could not any more."""
    sent = open_invitations(team).filter(invited_by=sender)
    kept = [one.value for one in Role if role and may_change_member(role, one, one)]
    return sent.exclude(role__in=kept).update(revoked_at=now)


def _keep_an_owner(membership: Membership) -> None:
    if is_last_owner(membership):
        raise TeamRefused("last_owner", "A team needs an owner: make somebody else an owner first.")


def _take_out(membership: Membership, kind: str, sentence: str, actor: Actor, now: dt.datetime) -> None:
    team, member = membership.team, membership.user
    _keep_an_owner(membership)
    tokens = ApiToken.objects.filter(team=team, user=member, revoked_at=None)
    data = {
        "before": membership.role,
        "revoked_tokens": tokens.update(revoked_at=now),
        "revoked_invitations": _end_invitations(team, member, None, now),
    }
    membership.delete()
    _tell(team, actor, kind, member, sentence, now, **data)


def _tell(
    team: Team, actor: Actor, kind: str, member: User, sentence: str, now: dt.datetime, **data: Any
) -> None:
    tell_owners(team.pk, actor, kind, ("user", member.pk), sentence, now, {"email": member.email, **data})


def _check_limits(limits: Mapping[str, Any]) -> None:
    shortest, longest = limits["default_lifetime_s"], limits["max_lifetime_s"]
    if not SHORTEST_LIFETIME_S <= shortest <= LONGEST_LIFETIME_S:
        raise TeamRefused("invalid", "Choose between 1 minute and 365 days.", "default_lifetime_s")
    if longest > LONGEST_LIFETIME_S:
        raise TeamRefused("invalid", "Choose 365 days or less.", "max_lifetime_s")
    if longest < shortest:
        raise TeamRefused("invalid", "This must be at least the usual lifetime.", "max_lifetime_s")
    if limits["warn_lead_s"] < SHORTEST_WARNING_S:
        raise TeamRefused("invalid", "Warn at least 1 minute before.", "warn_lead_s")
    if limits["warn_lead_s"] > longest:
        raise TeamRefused("invalid", "This must be shorter than the longest lifetime.", "warn_lead_s")


def _limits_event(changes: Mapping[str, Any], actor: Actor) -> tuple[str, str]:
    if set(changes) == {"launches_frozen"}:
        frozen = changes["launches_frozen"]
        word = "froze" if frozen else "allowed"
        return ("team.frozen" if frozen else "team.unfrozen", f"{actor.label} {word} the team's launches.")
    words = ", ".join(_LIMIT_WORDS[name] for name in LIMITS if name in changes)
    return "team.limits_changed", f"{actor.label} changed the team's limits: {words}."


_LIMIT_WORDS = {
    "default_lifetime_s": "usual lifetime",
    "max_lifetime_s": "longest lifetime",
    "warn_lead_s": "time of the warning",
    "max_active_jobs": "jobs at once",
    "max_hourly_usd": "spending per hour",
    "launches_frozen": "freeze",
}


def _random(length: int) -> str:
    return "".join(secrets.choice(CROCKFORD) for _ in range(length))
