"""New keys beside the old ones: a new credential takes the old one's name, rights and caps, and the old one retires.

For keys that are not proven to be of the same account while jobs of the old ones have not ended: with the new ones those
could neither be seen nor stopped. The retired ones go on listing and stopping until their last job has ended.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

from django.conf import settings
from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.credentials import health, vault
from dispersed_web.credentials.clients import secret_place
from dispersed_web.credentials.keeping import (
    GONE_MEANWHILE,
    REPLACEABLE,
    CredentialRefused,
    Trial,
    taken,
)
from dispersed_web.credentials.models import Credential, CredentialCaps, CredentialState, CredentialUser
from dispersed_web.credentials.retiring import retired_name
from dispersed_web.events.models import Audience
from dispersed_web.events.record import Actor, record

Follow = Callable[[Credential, Credential], None]


@sensitive_variables()
def succeed(
    old: Credential,
    pair: tuple[str, str],
    trial: Trial,
    *,
    user: User,
    actor: Actor,
    began: dt.datetime,
    now: dt.datetime,
    follow: Follow,
    expires_at: dt.datetime | None = None,
) -> Credential:
    """Stores the tried ``pair`` as the successor of ``old`` and gives it back. ``follow`` moves in the same transaction
    what named the old one. Raises :class:`CredentialRefused`."""
    public_key, secret_key = pair
    new = Credential(
        id=uuid.uuid4(),
        team=old.team,
        name=old.name,
        api_url=settings.DISPERSED_URL,
        public_key=public_key,
        account=trial.account,
        expires_at=expires_at,
        usable_by=old.usable_by,
        managed_by=old.managed_by,
        created_by=user,
        listed_at=began,
        clock_offset_ms=trial.offset_ms,
    )
    new.secret_sealed = vault.seal(secret_key, secret_place(new))
    try:
        with transaction.atomic():
            if Credential.objects.filter(pk=old.pk, state=CredentialState.DISABLED).exists():
                new.state = CredentialState.DISABLED  # until a person enables it
            _retire(old, now)
            new.save(force_insert=True)
            Credential.objects.filter(pk=old.pk).update(successor=new)
            _copy_rules(old, new)
            health.note_probe(new, trial.shapes, began)
            follow(old, new)
            _record(old, new, actor, now)
    except IntegrityError:
        raise taken(old.team, "") from None
    return new


def _retire(old: Credential, now: dt.datetime) -> None:
    names = set(Credential.objects.filter(team=old.team_id).values_list("name", flat=True))
    name = retired_name(old.name, now.date(), names)
    rows = Credential.objects.filter(pk=old.pk, state__in=REPLACEABLE)
    if not rows.update(state=CredentialState.RETIRED, retired_at=now, name=name):
        raise CredentialRefused("gone", GONE_MEANWHILE)


def _copy_rules(old: Credential, new: Credential) -> None:
    people = CredentialUser.objects.filter(credential=old).values_list("user", flat=True)
    CredentialUser.objects.bulk_create(CredentialUser(credential=new, user_id=user) for user in people)
    caps = CredentialCaps.objects.filter(credential=old).first()
    if caps:
        caps.pk = new.pk
        caps.save(force_insert=True)


def _record(old: Credential, new: Credential, actor: Actor, now: dt.datetime) -> None:
    sentence = (
        f"{actor.label} replaced the keys of the credential “{new.name}”. The old ones launch nothing any more; they watch "
        "and stop their jobs until the last has ended, and are destroyed then."
    )
    data = {"public_key": new.public_key_hint, "retired": old.public_key_hint, "retired_id": str(old.pk)}
    record(
        new.team_id,
        actor,
        "credential.rotated",
        ("credential", new.pk),
        sentence,
        now=now,
        data=data,
        audience=Audience.OWNERS,
    )
