"""E-mail addresses that count as confirmed although no link in a mail was followed."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import transaction

from dispersed_web.accounts.models import User


@transaction.atomic
def vouch(user: User) -> None:
    """The person's address is theirs: an operator says so, or they proved it otherwise. Without this nobody signs in."""
    mine = EmailAddress.objects.filter(user=user)
    mine.exclude(email=user.email).filter(primary=True).update(primary=False)
    mine.update_or_create(
        email=user.email.lower(), defaults={"user": user, "verified": True, "primary": True}
    )
