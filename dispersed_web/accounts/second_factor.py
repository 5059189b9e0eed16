"""Whether people have a second factor: an authenticator app or a security key. Recovery codes alone are none."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def of(user_id: int | None) -> QuerySet[Authenticator]:
    """The person's second factors."""
    return Authenticator.objects.filter(user=user_id, type__in=FACTORS)


def has_one(user_id: int | None) -> bool:
    """Whether the person signs in with more than a password."""
    return of(user_id).exists()


def who_has_one(user_ids: Iterable[int]) -> set[int]:
    """Those of these people who have one, in one query."""
    found = Authenticator.objects.filter(user__in=list(user_ids), type__in=FACTORS)
    return set(found.values_list("user_id", flat=True))


def kinds(user_id: int | None) -> set[str]:
    """Which of :data:`FACTORS` the person has."""
    return set(of(user_id).values_list("type", flat=True).distinct())
