"""A team's rule that its members need a second factor: who decides on it, and how its members hear of it in time."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from dispersed_web.accounts import second_factor, throttles
from dispersed_web.accounts.models import User
from dispersed_web.events.record import Actor, record
from dispersed_web.events.security import tell_owners, tell_person
from dispersed_web.teams.keeping import OPERATOR, TeamRefused, hold, role_of
from dispersed_web.teams.models import Membership, Team
from dispersed_web.teams.roles import Action, may

HOW = "Set one up under Profile and security, Second factor."


def people_without(team: Team) -> list[User]:
    """The members who would be out by the rule, or are; programs are never asked for one."""
    rows = Membership.objects.filter(team=team, user__is_service=False).select_related("user")
    people = {one.user_id: one.user for one in rows.order_by("user_id")}
    have = second_factor.who_has_one(people)
    return [person for pk, person in people.items() if pk not in have]


def set_rule(team: Team, on: bool, actor: Actor, now: dt.datetime) -> bool:
    """Whether members need a second factor to reach the team from now on; False when that is so already. Members who have
    none are told; of the end of the rule the owners are.

    Raises :class:`TeamRefused` for a person who may not manage the team, and for one who would lock themselves out.
    """
    with transaction.atomic():
        row = _held(team, actor)
        if row.require_mfa == on:
            return False
        if on and actor != OPERATOR and not second_factor.has_one(actor.user_id):
            raise TeamRefused("no_factor", "Set up a second factor for yourself first.", "require_mfa")
        Team.objects.filter(pk=row.pk).update(require_mfa=on)
        data = {"before": {"require_mfa": row.require_mfa}, "after": {"require_mfa": on}}
        about = ("team", row.pk)
        if on:
            sentence = f"{actor.label} decided that the team needs a second factor of its members."
            record(row.pk, actor, "team.mfa_required", about, sentence, now=now, data=data)
            _tell_those_without(row, actor, "account.factor_needed", NEEDED, now)
        else:
            sentence = f"{actor.label} decided that the team no longer needs a second factor of its members."
            tell_owners(row.pk, actor, "team.mfa_optional", about, sentence, now, data)
    return True


def announce(team: Team, actor: Actor, now: dt.datetime) -> int:
    """Tells the members who have no second factor that the team is going to need one, so that they are not kept out on the
    day. Says how many were told. Raises :class:`TeamRefused`, also for the second time within a day."""
    if not may(role_of(team, actor), Action.MANAGE_TEAM):
        raise TeamRefused("not_allowed", "Your role in this team does not allow that.")
    if team.require_mfa:
        raise TeamRefused("is_so", "The team needs a second factor already.")
    if wait_s := throttles.take("factor_announced", team.pk, now):
        words = throttles.in_words(wait_s)
        raise TeamRefused("too_many", f"They were told lately. Tell them again in {words}.")
    with transaction.atomic():
        row = _held(team, actor)
        told = _tell_those_without(row, actor, "account.factor_announced", ANNOUNCED, now)
        sentence = (
            f"{actor.label} told {_members(told)} without a second factor that the team is going to need one."
        )
        record(row.pk, actor, "team.mfa_announced", ("team", row.pk), sentence, now=now, data={"told": told})
    return told


NEEDED = (
    "{actor} decided that the team {team} needs a second factor, and you have none. {how} Until then the team’s pages are "
    "closed to you, and your own API tokens for it are refused."
)
ANNOUNCED = (
    "The team {team} is going to need a second factor of its members, {actor} says, and you have none. {how} It takes two "
    "minutes, and you are not kept out on the day."
)


def _held(team: Team, actor: Actor) -> Team:
    row = hold(team)
    if not may(role_of(row, actor), Action.MANAGE_TEAM):
        raise TeamRefused("not_allowed", "Your role in this team does not allow that.")
    return row


def _tell_those_without(team: Team, actor: Actor, kind: str, words: str, now: dt.datetime) -> int:
    people = people_without(team)
    sentence = words.format(actor=actor.label, team=team, how=HOW)
    for person in people:
        tell_person(person, kind, sentence, now, {"team": str(team.pk)}, actor=actor)
    return len(people)


def _members(count: int) -> str:
    return "1 member" if count == 1 else f"{count} members"
