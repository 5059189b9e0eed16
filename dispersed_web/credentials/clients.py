"""The one door through which a stored secret leaves the database: as a client that signs with it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials import vault
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import Client, KeyPair


class WrongTeam(Exception):
    """A credential was about to be used for a row of another team. Nothing was sent."""


def secret_place(credential: Credential) -> vault.Place:
    return vault.Place("credential", credential.pk, credential.team_id, "secret_key")


@sensitive_variables()
def client_for(credential: Credential, *, team_id: uuid.UUID, patient: bool = True) -> Client:
    """A client that acts with ``credential`` for a row of ``team_id``; close it, or use it in a ``with``.

    Somebody who waits for a page wants one that is not ``patient``: a single try of at most 6 s.

    Raises :class:`WrongTeam`, :class:`vault.CannotOpen`, and ``ValueError`` when a simulated key meets the real cloud
    or the other way round.
    """
    if credential.team_id != team_id:
        raise WrongTeam(f"The credential {credential.pk} does not belong to the team {team_id}.")
    secret = vault.unseal(credential.secret_sealed, secret_place(credential))
    return Client(
        KeyPair(credential.public_key, secret),
        credential.api_url,
        simulated=settings.DISPERSED_SIMULATED,
        **({} if patient else {"backoff_s": (), "deadline_s": 6.0}),
    )
