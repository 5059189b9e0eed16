"""Events of accounts and of who may do what, told to whom they concern: in the inbox, and always by mail. Call inside
the transaction of the change, as :func:`dispersed_web.events.record.record`."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Audience, Event
from dispersed_web.events.record import Actor, record


def tell_person(
    user: User,
    kind: str,
    sentence: str,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
    *,
    actor: Actor | None = None,
) -> Event:
    """An event of one person's account, which belongs to no team; the person is told. Without ``actor`` it is the person
    who acted. A service account's is kept, and told to nobody."""
    return _of_account(user, kind, sentence, now, data, actor, Audience.PERSON)


def note_account(
    user: User,
    kind: str,
    sentence: str,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
    *,
    actor: Actor | None = None,
) -> Event:
    """As :func:`tell_person`, of something that needs no message: it stands under Security of the person."""
    return _of_account(user, kind, sentence, now, data, actor, Audience.NOBODY)


def tell_owners(
    team_id: uuid.UUID,
    actor: Actor,
    kind: str,
    subject: tuple[str, object],
    sentence: str,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
    *,
    bump: bool = True,
) -> Event:
    """An event of the team, told to its owners, and to the person it is about: that is ``subject`` where it is
    ``("user", id)``, or those whom ``data["concerns"]`` names. ``bump`` as for ``record``."""
    return record(
        team_id, actor, kind, subject, sentence, now=now, data=data, audience=Audience.OWNERS, bump=bump
    )


def may_tell_whence(event: Event) -> bool:
    """Whether the person whom an account's event is about may read from which address and browser it was done: their own,
    and that of somebody unknown who tried; never that of another person, such as the admin who removed them."""
    return event.actor_user_id is None or str(event.actor_user_id) == event.subject_id


def _of_account(
    user: User,
    kind: str,
    sentence: str,
    now: dt.datetime,
    data: dict[str, Any] | None,
    actor: Actor | None,
    audience: str,
) -> Event:
    subject = ("user", user.pk)
    return record(
        None, actor or Actor.person(user), kind, subject, sentence, now=now, data=data, audience=audience
    )
