"""What the commands about people share: finding the person and the team that the operator named."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction
from django.urls import reverse

from dispersed_web import commands
from dispersed_web.accounts import addresses, unconfirmed
from dispersed_web.accounts.models import User
from dispersed_web.teams.models import Team


def find_user(email: str) -> User:
    """The account of the address, whatever the case. Raises :class:`CommandError` with what to do."""
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        command = commands.named(f"add_member {email} TEAM")
        raise CommandError(f"Nobody has an account for {email}. Make one: {command}")
    return user


def make_sure_of(user: User) -> None:
    """The operator says whose the account is. Where nobody ever confirmed its address, somebody else may have made it: the
    password that they chose opens it no more."""
    if EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists():
        return
    with transaction.atomic():
        unconfirmed.disown(user)
        addresses.vouch(user)


def find_team(slug: str) -> Team:
    """The team of the slug. Raises :class:`CommandError` with what there is."""
    team = Team.objects.filter(slug=slug, deleted_at=None).first()
    if team is None:
        known = ", ".join(
            Team.objects.filter(deleted_at=None).order_by("slug").values_list("slug", flat=True)[:10]
        )
        raise CommandError(
            f"There is no team {slug!r}. " + (f"There are: {known}." if known else "There is none yet.")
        )
    return team


def set_password_link(user: User) -> str:
    """An address where the person chooses a password; it works once, and for an hour."""
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), key])
    return f"{settings.PUBLIC_URL}{path}"
