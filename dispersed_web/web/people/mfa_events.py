"""What is told when somebody's second factors change: to them always, to the owners of their teams when they have one now
and had none, or the other way round. Call inside the transaction of the change."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator

from dispersed_web.accounts import second_factor
from dispersed_web.accounts.models import User
from dispersed_web.events import security
from dispersed_web.events.record import Actor
from dispersed_web.teams.models import Membership
from dispersed_web.web.people.notices import NOT_YOU

CODES = Authenticator.Type.RECOVERY_CODES
MADE_OF_CODES = 10


@dataclass(frozen=True)
class Factors:
    """What somebody has: the words for each by id, and the id of their recovery codes."""

    words: dict[int, str]
    codes: int | None

    @classmethod
    def of(cls, user: User) -> Factors:
        rows = list(Authenticator.objects.filter(user=user))
        words = {one.pk: _words(one) for one in rows if one.type in second_factor.FACTORS}
        return cls(words, next((one.pk for one in rows if one.type == CODES), None))


def tell_change(
    user: User, before: Factors, after: Factors, now: dt.datetime, actor: Actor | None = None
) -> None:
    """Tells of every difference; ``actor`` where it was not the person."""
    by = actor or Actor.person(user)
    warning = "" if actor else f" {NOT_YOU}"
    for pk in after.words.keys() - before.words.keys():
        sentence = f"{_begun(after.words[pk])} was added to your account as a second factor.{warning}"
        security.tell_person(user, "account.mfa_added", sentence, now, actor=by)
    for pk in before.words.keys() - after.words.keys():
        sentence = f"{_begun(before.words[pk])} was removed from your account."
        sentence += ("" if after.words else " Now a password alone is enough to sign in.") + warning
        security.tell_person(user, "account.mfa_removed", sentence, now, actor=by)
    if after.codes not in (None, before.codes):
        sentence = (
            f"New recovery codes were made for your account. Earlier ones open nothing any more.{warning}"
        )
        security.tell_person(user, "account.recovery_codes", sentence, now, actor=by)
    if bool(before.words) != bool(after.words):
        _tell_teams(user, bool(after.words), by, now)


def recovery_code_used(codes: Authenticator, now: dt.datetime) -> None:
    """Somebody signed in, or confirmed who they are, with one of the codes; ``codes`` is the row of all of them."""
    codes.refresh_from_db(fields=["data"])
    left = codes_left(codes)
    rest = f"{left} of them are left." if left != 1 else "One of them is left."
    sentence = f"A recovery code of your account was used. {rest} {NOT_YOU}"
    security.tell_person(codes.user, "account.recovery_code_used", sentence, now, {"left": left})


def codes_left(codes: Authenticator) -> int:
    """How many of the codes were not used; needs no key, because what was used is no secret."""
    return MADE_OF_CODES - int(codes.data["used_mask"]).bit_count()


def _tell_teams(user: User, has_one: bool, actor: Actor, now: dt.datetime) -> None:
    sentence = f"{user} set up a second factor." if has_one else f"{user} has no second factor any more."
    data = {"email": user.email, "after": {"second_factor": has_one}}
    for team_id in Membership.objects.filter(user=user).order_by("team").values_list("team", flat=True):
        subject = ("team", team_id)
        security.tell_owners(team_id, actor, "member.mfa_changed", subject, sentence, now, data)


def _begun(words: str) -> str:
    """As the beginning of a sentence; the name of a key stays as it was typed."""
    return words[:1].upper() + words[1:]


def _words(one: Authenticator) -> str:
    if one.type == Authenticator.Type.TOTP:
        return "an authenticator app"
    name: Any = one.data.get("name", "")
    return f"the security key “{name}”"
