"""Accounts that somebody made and whose address nobody ever confirmed. They would keep the address from its owner, and
whoever made one may not be its owner: they must not get in once the owner confirms it."""

from __future__ import annotations

import datetime as dt

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef

from dispersed_web.accounts.models import User

KEPT = dt.timedelta(days=7)
BATCH = 100


def is_unconfirmed(user: User) -> bool:
    """Whether nobody ever showed that they read mail at an address of the account."""
    return not EmailAddress.objects.filter(user=user, verified=True).exists()


def is_change(address: EmailAddress) -> bool:
    """Whether the address is to take the place of a confirmed one of its account."""
    others = EmailAddress.objects.filter(user=address.user_id, verified=True)
    return others.exclude(pk=address.pk).exists()


def disown(user: User) -> None:
    """Takes away all that lets in whoever made the account: password, links to a sign-in provider, sessions. Call it in
    the transaction that confirms the account for somebody who proved to read its mail, and nothing more."""
    user.set_unusable_password()
    user.save(update_fields=["password"])
    SocialAccount.objects.filter(user=user).delete()
    mine = UserSession.objects.filter(user=user)
    Session.objects.filter(session_key__in=list(mine.values_list("session_key", flat=True))).delete()
    mine.delete()


def drop_changes_to(email: str) -> int:
    """Ends what other accounts wait for: that this address, which was proved to be somebody else's, becomes theirs."""
    waiting = EmailAddress.objects.filter(email=email.lower(), verified=False)
    return int(waiting.exclude(user__email__iexact=email).delete()[0])


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
