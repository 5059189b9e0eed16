"""The first account of an installation. Whoever makes it owns everything that follows, so it takes a code that only those
can read who run the server: it stands in the log when an installation without accounts starts, and ``manage.py
setup_code`` prints it. The code is derived, so it is stored nowhere, and worth nothing once there is an account."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts import addresses
from dispersed_web.accounts.models import User
from dispersed_web.events import security
from dispersed_web.events.record import LAUNCHER, record
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import Installation
from dispersed_web.teams.models.installation import CROCKFORD

GROUPS, GROUP = 4, 4  # 16 characters of 5 bits each


def is_empty() -> bool:
    """Whether nobody has an account yet."""
    return not User.objects.exists()


def setup_code() -> str:
    """The code of this installation, in groups that people can copy from a terminal."""
    digest = salted_hmac("first_run.setup_code", str(Installation.get().uuid), algorithm="sha256").digest()
    number = int.from_bytes(digest, "big")
    letters = [CROCKFORD[(number >> (5 * place)) & 31] for place in range(GROUPS * GROUP)]
    return "-".join("".join(letters[start : start + GROUP]) for start in range(0, len(letters), GROUP))


def note_code_printed(now: dt.datetime) -> None:
    """Whoever reads where it was printed can make the first account."""
    sentence = "The code for the first account was printed where the server runs."
    with transaction.atomic():
        record(None, LAUNCHER, "installation.setup_code", ("installation", ""), sentence, now=now)


@sensitive_variables()
def is_code(typed: str) -> bool:
    """Whether this is the code, however it is spaced and whatever its case."""
    return constant_time_compare(_plain(typed), _plain(setup_code()))


@sensitive_variables()
def make_owner(email: str, name: str, password: str, now: dt.datetime, *, time_zone: str = "UTC") -> User:
    """The first account. Of two that are made at once one wins. Raises :class:`TeamRefused` when there is one already."""
    with transaction.atomic():
        # The row that every installation has exactly once: whoever holds it looks alone whether there is an account.
        Installation.get()
        Installation.objects.select_for_update().get()
        if not is_empty():
            raise TeamRefused(
                "taken", "This installation has an owner already. Sign in, or ask for an invitation."
            )
        user = User.objects.create_user(email, password, name=name, time_zone=time_zone)
        addresses.vouch(user)
        sentence = f"{user} made the first account of this installation, with the code from the server's log."
        security.note_account(user, "account.first", sentence, now)
    return user


def _plain(code: str) -> bytes:
    letters = "".join(one for one in code.lower() if one.isalnum())
    return letters.encode()
