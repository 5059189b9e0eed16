"""Whether the encryption keys that this process was given fit what is stored."""

from __future__ import annotations

from dispersed_web.credentials import vault
from dispersed_web.credentials.clients import secret_place
from dispersed_web.credentials.models import Credential


def keys_fit() -> bool:
    """Opens one stored secret of each encryption key and forgets it. True also when nothing is stored yet."""
    one_of_each = {vault.key_id_of(one.secret_sealed): one for one in Credential.objects.all()}
    for credential in one_of_each.values():
        try:
            vault.unseal(credential.secret_sealed, secret_place(credential))
        except vault.CannotOpen:
            return False
    return True
