"""Adding, replacing, disabling credentials. A pair is tried against the cloud before it is stored."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, Value, When
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.clock import Clock
from dispersed_web.credentials import health, vault
from dispersed_web.credentials.clients import client_for, secret_place
from dispersed_web.credentials.models import MAX_CLOCK_OFFSET_MS, Credential, CredentialState
from dispersed_web.dispersed import AuthShapes, Client, DispersedError, KeyPair, Unauthorized
from dispersed_web.errors import DomainError
from dispersed_web.events.models import Audience
from dispersed_web.events.record import Actor, record
from dispersed_web.teams.models import Team

# What the owners hear of, whoever did it.
TOLD = ("credential.added", "credential.replaced")
PROBE_EVERY = dt.timedelta(days=7)
# New keys mend a broken credential; one that a person disabled stays so until a person enables it.
STILL_DISABLED_OR_ACTIVE = Case(
    When(state=CredentialState.DISABLED, then=Value(CredentialState.DISABLED)),
    default=Value(CredentialState.ACTIVE),
)
REPLACEABLE = (CredentialState.ACTIVE, CredentialState.BROKEN, CredentialState.DISABLED)
GONE_MEANWHILE = "This credential was replaced or deleted meanwhile. Look at the list again."


class CredentialRefused(DomainError):
    """The credential was neither stored nor changed."""


@dataclass(frozen=True)
class Trial:
    """What trying a pair taught: how the cloud refuses its stale and repeated requests, the clock's offset, and the
    account behind it (empty where the cloud does not say)."""

    shapes: AuthShapes
    offset_ms: int | None
    account: str


@sensitive_variables()
def add(
    team: Team,
    name: str,
    public_key: str,
    secret_key: str,
    *,
    user: User,
    actor: Actor,
    clock: Clock,
    expires_at: dt.datetime | None = None,
) -> Credential:
    """Tries the pair against the cloud, then stores it sealed. Raises :class:`CredentialRefused`."""
    began = clock()
    trial = try_pair(public_key, secret_key)
    credential = Credential(
        id=uuid.uuid4(),
        team=team,
        name=name,
        api_url=settings.DISPERSED_URL,
        public_key=public_key,
        account=trial.account,
        expires_at=expires_at,
        created_by=user,
        listed_at=began,
        clock_offset_ms=trial.offset_ms,
    )
    credential.secret_sealed = vault.seal(secret_key, secret_place(credential))
    try:
        with transaction.atomic():
            credential.save(force_insert=True)
            health.note_probe(credential, trial.shapes, began)
            _record(
                credential,
                actor,
                "credential.added",
                f"{actor.label} added the credential “{name}”.",
                clock(),
            )
    except IntegrityError:
        raise taken(team, name) from None
    return credential


@sensitive_variables()
def put_in_place(
    credential: Credential,
    pair: tuple[str, str],
    trial: Trial,
    *,
    actor: Actor,
    began: dt.datetime,
    now: dt.datetime,
    expires_at: dt.datetime | None = None,
) -> None:
    """The tried ``pair`` in the place of the old one, whose jobs follow it. Raises :class:`CredentialRefused`."""
    public_key, secret_key = pair
    try:
        with transaction.atomic():
            rows = Credential.objects.filter(pk=credential.pk, team=credential.team_id, state__in=REPLACEABLE)
            if not rows.update(
                public_key=public_key,
                secret_sealed=vault.seal(secret_key, secret_place(credential)),
                expires_at=expires_at,
                expiry_told_days=None,
                permissions={},
                state=STILL_DISABLED_OR_ACTIVE,
                failures=0,
                failure="",
                cancel_refused_at=None,
                refused_at=None,
                listed_at=began,
                clock_offset_ms=trial.offset_ms,
                account=trial.account,
                sync_due_at=None,
            ):
                raise CredentialRefused("gone", GONE_MEANWHILE)
            health.note_probe(credential, trial.shapes, began)
            what = (
                "stored the secret key anew" if public_key == credential.public_key else "replaced the keys"
            )
            sentence = f"{actor.label} {what} of the credential “{credential.name}”."
            _record(credential, actor, "credential.replaced", sentence, now)
    except IntegrityError:
        raise taken(credential.team, "") from None


def same_account(credential: Credential, public_key: str, trial: Trial) -> bool | None:
    """Whether the tried pair is of the account that the credential is of; ``None`` where the cloud does not say. A public
    key that is stored already is of its account whatever the cloud says. A pair is tried at the address of the settings:
    where the credential is for another one, it was never seen there, and is not to be sent there."""
    if credential.api_url != settings.DISPERSED_URL:
        return False
    if public_key == credential.public_key:
        return True
    if not credential.account or not trial.account:
        return None
    return credential.account == trial.account


def set_disabled(credential: Credential, disabled: bool, *, actor: Actor, now: dt.datetime) -> bool:
    """Disabled: no launches with it; its jobs are still watched and stopped. False when nothing changed."""
    before, after = CredentialState.ACTIVE, CredentialState.DISABLED
    if not disabled:
        before, after = after, before
    with transaction.atomic():
        changed = Credential.objects.filter(pk=credential.pk, state=before).update(state=after)
        if changed:
            word = "disabled" if disabled else "enabled"
            sentence = f"{actor.label} {word} the credential “{credential.name}”."
            _record(credential, actor, f"credential.{word}", sentence, now)
    return bool(changed)


@sensitive_variables()
def try_pair(public_key: str, secret_key: str) -> Trial:
    """Tries a pair with free calls.

    Raises :class:`CredentialRefused` with a sentence for: keys of the wrong kind, wrong key, clock off, cloud unreachable.
    """
    try:
        client = Client(
            KeyPair(public_key, secret_key), settings.DISPERSED_URL, simulated=settings.DISPERSED_SIMULATED
        )
    except ValueError as error:
        field = "secret_key" if "secret key" in str(error) else "public_key"
        raise CredentialRefused("invalid", str(error), field) from None
    with client:
        try:
            shapes = client.probe_auth()
        except DispersedError as error:
            raise CredentialRefused("not_accepted", _why(error, client.clock_offset_ms)) from None
        return Trial(shapes, client.clock_offset_ms, _account(client))


def _account(client: Client) -> str:
    """The account behind the key; empty when the key may not ask for it or the cloud has no answer."""
    try:
        return client.me().uuid
    except DispersedError:
        return ""


def probe_again(credential: Credential, clock: Clock) -> None:
    """Learns the cloud's refusals anew, once a week; a fault leaves what is known."""
    if credential.probed_at and clock() - credential.probed_at < PROBE_EVERY:
        return
    try:
        with client_for(credential, team_id=credential.team_id, purpose="probe") as client:
            health.note_probe(credential, client.probe_auth(), clock())
    except (DispersedError, vault.CannotOpen, ValueError):
        return


def _why(error: DispersedError, offset_ms: int | None) -> str:
    if isinstance(error, Unauthorized) and offset_ms is not None and abs(offset_ms) > MAX_CLOCK_OFFSET_MS:
        seconds = abs(offset_ms) // 1000
        return (
            f"This server's clock differs from Dispersed's by {seconds} s, and Dispersed refuses requests signed with a "
            "wrong time. Set the server's clock, then try again."
        )
    return error.sentence


def taken(team: Team, name: str) -> CredentialRefused:
    """Why a pair could not be stored under ``name``; empty where the name is not new."""
    named = Credential.objects.filter(team=team, name=name).exclude(state=CredentialState.GONE)
    if name and named.exists():
        return CredentialRefused("name_taken", "The team has a credential of this name.", "name")
    return CredentialRefused(
        "known",
        "This key is stored already. A key belongs to one team, so that nobody acts with another team's.",
        "public_key",
    )


def _record(credential: Credential, actor: Actor, kind: str, sentence: str, now: dt.datetime) -> None:
    record(
        credential.team_id,
        actor,
        kind,
        ("credential", credential.pk),
        sentence,
        now=now,
        data={"public_key": credential.public_key_hint},
        audience=Audience.OWNERS if kind in TOLD else Audience.NOBODY,
    )
