"""Whether the encryption keys that this process was given fit what is stored. Nothing here changes a stored secret.

For each key that was ever in use a known text is kept, sealed with it: that tells a key that is missing from one that
bears the right name and is another.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials import sealed, vault
from dispersed_web.credentials.models import Credential, KeyCanary

TEXT = "a canary of Dispersed Web"
MISSING, WRONG = "missing", "wrong"
LOOKED_AT = 20


@dataclass(frozen=True)
class KeyTrouble:
    """A key that stored secrets need: ``fault`` is that it is missing or that another one has its name. ``rows`` is how
    many secrets were sealed with it when they were last counted, None when they never were."""

    key_id: str
    fault: str
    rows: int | None = None

    @property
    def sentence(self) -> str:
        many = "Stored secrets" if self.rows is None else _secrets(self.rows)
        if self.fault == MISSING:
            return f"The encryption key “{self.key_id}” is missing. {many} cannot be opened without it."
        return f"The encryption key “{self.key_id}” is not the one of that name that was in use. {many} cannot be opened."


def _secrets(count: int) -> str:
    return "1 stored secret" if count == 1 else f"{count:,} stored secrets"


def place_of(key_id: str) -> vault.Place:
    """What the canary of a key is bound to."""
    return vault.Place("canary", key_id, "", "sealed")


@sensitive_variables()
def ensure() -> list[str]:
    """Makes the canary of each given key that has none; their ids. A key that does not open what was sealed under its
    name gets none: it is another one. Of keys that are not given and seal nothing, such as one that was only tried, the
    canary is removed: nobody misses them."""
    known = set(KeyCanary.objects.values_list("key_id", flat=True))
    for key_id in known:
        forget_unused(key_id)
    made = []
    for key_id, _ in settings.KEYRING:
        if key_id in known or not _fits_what_is_stored(key_id):
            continue
        text = vault.seal_with(key_id, TEXT, place_of(key_id))
        made += (
            [key_id] if KeyCanary.objects.get_or_create(key_id=key_id, defaults={"sealed": text})[1] else []
        )
    return made


def _fits_what_is_stored(key_id: str) -> bool:
    """Whether one of a few rows opens: a single damaged one says nothing of the key."""
    for column in sealed.columns():
        rows = list(column.rows().filter(column.under(key_id))[:LOOKED_AT])
        if rows:
            return any(vault.opens(column.sealed(row), column.place(row)) for row in rows)
    return True


def troubles() -> list[KeyTrouble]:
    """The keys that are missing or wrong in this process. One query, and no look at the secrets themselves; where the last
    count found none it is counted anew, because that may have been a day ago. A missing key that nothing needs is none."""
    found = []
    for row in KeyCanary.objects.order_by("key_id"):
        if vault.opens(row.sealed, place_of(row.key_id)):
            continue
        fault = WRONG if vault.has_key(row.key_id) else MISSING
        rows = sealed.count_under(row.key_id) if row.rows == 0 else row.rows
        if rows != 0 or fault == WRONG:
            found.append(KeyTrouble(row.key_id, fault, rows or None))
    return found


@dataclass(frozen=True)
class KeyState:
    """A key that is or was in use: ``fault`` is empty, missing or wrong; ``rows`` and ``unreadable`` are what the check
    at ``checked_at`` counted, None where there was none yet. With ``is_first`` new secrets are sealed with it."""

    key_id: str
    is_first: bool
    fault: str
    rows: int | None
    unreadable: int
    checked_at: dt.datetime | None


def overview() -> list[KeyState]:
    """Every key of which something is known, the first one first."""
    bad = {one.key_id: one.fault for one in troubles()}
    first = vault.first_key_id()
    rows = sorted(KeyCanary.objects.all(), key=lambda row: (row.key_id != first, row.key_id))
    return [
        KeyState(
            row.key_id,
            row.key_id == first,
            bad.get(row.key_id, ""),
            row.rows,
            row.unreadable,
            row.checked_at,
        )
        for row in rows
    ]


def keys_fit() -> bool:
    """Opens the canary and one credential of each key and forgets them. True also when nothing is stored yet."""
    stored = Credential.objects.exclude(secret_sealed="")
    one_of_each = {vault.key_id_of(one.secret_sealed): one for one in stored}
    column = next(one for one in sealed.columns() if one.model == "credentials.Credential")
    opened = (vault.opens(row.secret_sealed, column.place(row)) for row in one_of_each.values())
    return all(opened) and not troubles()


def note_count(key_id: str, rows: int, unreadable: int, now: dt.datetime) -> None:
    """What a check found of the secrets under this key."""
    KeyCanary.objects.filter(pk=key_id).update(rows=rows, unreadable=unreadable, checked_at=now)


def forget_unused(key_id: str) -> bool:
    """Removes the canary of a key under which nothing is stored any more, once the key was taken out of the ring."""
    if vault.has_key(key_id) or sealed.count_under(key_id):
        return False
    return bool(KeyCanary.objects.filter(pk=key_id).delete()[0])
