"""Writing events. Call inside the transaction of the change they tell of."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from dispersed_web.accounts.models import User
from dispersed_web.events import context
from dispersed_web.events.models import ActorKind, Audience, Event
from dispersed_web.teams.models import Team


@dataclass(frozen=True)
class Actor:
    """Who acts: a person in the browser, a person's API token, the engine itself, or the cloud. ``at_most`` is the role
    that bounds theirs: what the scope of a token is worth (``teams/seats.py``). ``token_id`` is the token itself, for what
    is carried out later."""

    kind: str
    label: str
    user_id: int | None = None
    at_most: str | None = None
    token_id: uuid.UUID | None = None

    @classmethod
    def person(cls, user: User) -> Actor:
        return cls(ActorKind.PERSON, str(user), user.pk)

    @classmethod
    def token(cls, user: User, token_name: str, *, at_most: str, token_id: uuid.UUID | None = None) -> Actor:
        label = f"{user} by the API token “{token_name}”"
        return cls(ActorKind.TOKEN, label, user.pk, at_most, token_id)


ENGINE = Actor(ActorKind.ENGINE, "Auto-stop")
LAUNCHER = Actor(ActorKind.ENGINE, "Dispersed Web")
CLOUD = Actor(ActorKind.CLOUD, "Dispersed")


def record(
    team_id: uuid.UUID | None,
    actor: Actor,
    kind: str,
    subject: tuple[str, object],
    sentence: str,
    *,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
    audience: str = Audience.NOBODY,
    bump: bool = True,
) -> Event:
    """Writes the event and moves the team's version, so that live pages show it.

    A transaction locks the team's row after all others, or PostgreSQL would end one of two that meet: without ``bump``
    the caller changes more rows, and moves the version itself when it is done.
    ``subject`` is a pair such as ``("job", job.id)``; ``data`` holds plain values without secrets. Without a team it is
    an event of one person's account. Where it came from is taken from the request that is being answered.
    """
    facts = context.current()
    event = Event.objects.create(
        team_id=team_id,
        at=now,
        kind=kind,
        subject_type=subject[0],
        subject_id=str(subject[1]),
        actor_kind=actor.kind,
        actor_user_id=actor.user_id,
        actor_label=actor.label[:120],
        sentence=sentence,
        data=data or {},
        audience=audience,
        ip_address=facts.address,
        user_agent=facts.user_agent,
        request_id=facts.request_id,
    )
    if bump and team_id is not None:
        Team.bump(team_id)
    return event
