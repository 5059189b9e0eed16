"""Accounts that somebody made and whose address nobody ever confirmed. They would keep the address from its owner."""

from __future__ import annotations

import datetime as dt

from allauth.account.models import EmailAddress
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef

from dispersed_web.accounts.models import User

KEPT = dt.timedelta(days=7)
BATCH = 100


def prune(now: dt.datetime) -> int:
    """Deletes accounts that were made more than a week ago, never signed in, and have no confirmed address and no team;
    says how many."""
    confirmed = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    forgotten = User.objects.filter(
        ~Exists(confirmed),
        last_login=None,
        is_service=False,
        is_site_admin=False,
        memberships=None,
        date_joined__lt=now - KEPT,
    )
    return sum(_delete(user) for user in forgotten.order_by("?")[:BATCH])


def _delete(user: User) -> bool:
    """False where a recorded event names the account: events cannot be changed, so it stays."""
    try:
        with transaction.atomic():
            return bool(User.objects.filter(pk=user.pk, last_login=None).delete()[0])
    except DatabaseError:
        return False
