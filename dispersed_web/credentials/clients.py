"""The one door through which a stored secret leaves the database: as a client that signs with it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials import use_log, vault
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import Client, KeyPair, Secret
from dispersed_web.teams import installation

IMPATIENT_S = 6.0


class WrongTeam(ValueError):
    """A credential was about to be used for a row of another team. Nothing was sent. Whoever asks for a client takes it as
    one that cannot be had, so that a damaged row keeps nothing else from being done."""


def secret_place(credential: Credential) -> vault.Place:
    """What the sealed secret key of a credential is bound to."""
    return vault.Place("credential", credential.pk, credential.team_id, "secret_key")


@sensitive_variables()
def client_for(
    credential: Credential,
    *,
    team_id: uuid.UUID,
    purpose: str,
    user_id: int | None = None,
    patient: bool = True,
) -> Client:
    """A client that acts with ``credential`` for a row of ``team_id``; close it, or use it in a ``with``.

    ``purpose`` is one word for the log of uses: launch, stop, sync, logs, market, recipes, history or probe; ``user_id``
    the person who caused it, where one did. Somebody who waits for a page wants a client that is not ``patient``: a
    single try of at most 6 s. In a copy of another installation's database it sends nothing but GET: everything else
    raises :class:`dispersed.ReadOnly` before it leaves.

    Raises :class:`vault.CannotOpen` (also when the secret was destroyed), and ``ValueError``: :class:`WrongTeam`, or when
    a simulated key meets the real cloud or the other way round.
    """
    if credential.team_id != team_id:
        raise WrongTeam(f"The credential {credential.pk} does not belong to the team {team_id}.")
    if credential.state == CredentialState.GONE:
        raise vault.CannotOpen("", "The secret of this credential was destroyed.")
    try:
        secret = Secret(vault.unseal(credential.secret_sealed, secret_place(credential)))
    except vault.CannotOpen:
        use_log.note(team_id, "credential", credential.pk, purpose, user_id=user_id, failed=True)
        raise
    use_log.note(team_id, "credential", credential.pk, purpose, user_id=user_id)
    return Client(
        KeyPair(credential.public_key, secret),
        credential.api_url,
        simulated=settings.DISPERSED_SIMULATED,
        read_only="" if installation.may_act() else installation.ONLY_LOOKS,
        **({} if patient else {"backoff_s": (), "deadline_s": IMPATIENT_S}),
    )
