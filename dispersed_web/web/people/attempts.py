"""Counting wrong passwords: per address, per account and hour, per account and day.

An account that does not exist is counted and answered like one that does, with the same queries. Nothing is locked: a
wait ends by itself, and whoever signed in from their address before is counted there apart from all others, so that a
stranger who tries passwords does not keep them out, neither from elsewhere nor from behind the same address.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from dispersed_web.accounts import places, throttles
from dispersed_web.accounts.models import User
from dispersed_web.accounts.places import network_of
from dispersed_web.web.client_address import client_address

OF_ADDRESSES = ("sign_in_address", "sign_in_known_address")


def account_of(email: str) -> int | None:
    """The id of the account with this address, confirmed or not."""
    email = email.strip().lower()
    same = Q(email=email) | Q(emailaddress__email=email)
    return User.objects.filter(same).order_by("pk").values_list("pk", flat=True).first()


def key_of(email: str) -> str:
    """What attempts on the account with this address are counted under, whether there is one or not."""
    user_id = account_of(email)
    return str(user_id) if user_id else email.strip().lower()


@dataclass(frozen=True)
class Attempt:
    """One password that is about to be checked, for the account ``user_id`` if there is one; ``wait_s`` above 0 when it
    may not be yet."""

    taken: tuple[tuple[str, str], ...]
    user_id: int | None = None
    wait_s: int = 0

    def was_right(self) -> None:
        """It does not count."""
        for name, key in self.taken:
            throttles.give_back(name, key)

    def was_last(self, now: dt.datetime) -> bool:
        """Whether the next one on this account has to wait."""
        return any(throttles.wait_for(name, key, now) for name, key in self.taken if name not in OF_ADDRESSES)


def begin(request: HttpRequest, email: str) -> Attempt:
    """Counts a password for the account with this address; what could not be counted is given back."""
    now, network = timezone.now(), network_of(client_address(request))
    user_id = account_of(email)
    account, whence = str(user_id) if user_id else email.strip().lower(), "sign_in_address"
    if places.is_known(user_id, network):
        account, whence = f"{account} at {network}", "sign_in_known_address"
    keys = ((whence, network), ("sign_in_account", account), ("password_day", account))
    for number, (name, key) in enumerate(keys):
        if wait_s := throttles.take(name, key, now):
            Attempt(keys[:number]).was_right()
            return Attempt((), user_id, wait_s)
    return Attempt(keys, user_id)
