"""How often something may be tried: sign-ins, codes, password resets, invitations.

Counted in the database, so that it holds without Redis and across processes. A window begins with the first attempt and
is over after its time; nothing is ever locked for longer than that. Keys (addresses, accounts) are stored as keyed
digests only. Counting must survive what it counts: do not call this inside a transaction that may be rolled back.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from django.db.models import F
from django.utils.crypto import salted_hmac

from dispersed_web.accounts.models import Throttle

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """At most ``limit`` within ``window``."""

    limit: int
    window: dt.timedelta


# Every name that may be counted, with its figures. The key is what stands behind "per".
RULES: dict[str, Rule] = {
    "sign_in_address": Rule(20, HOUR),  # failed sign-ins per address
    "sign_in_known_address": Rule(100, HOUR),  # the same of people who signed in from there before
    "sign_in_account": Rule(10, HOUR),  # failed sign-ins per account
    "password_day": Rule(20, DAY),  # wrong passwords per account
    "sign_in_noted": Rule(100, HOUR),  # wrong passwords in the audit log, per account and of all unknown ones
    "code": Rule(10, HOUR),  # wrong codes of a second factor per account
    "code_used": Rule(1, dt.timedelta(minutes=10)),  # one code of one account: it opens once
    "reset": Rule(5, HOUR),  # e-mails about a forgotten password per account
    "reset_address": Rule(20, HOUR),  # the same per address that asks
    "confirm_mail": Rule(5, HOUR),  # e-mails that ask to confirm an address, per mailbox
    "invite": Rule(20, DAY),  # invitations per person who sends them
    "factor_announced": Rule(1, DAY),  # telling a team's members that it is going to need a second factor
    "sudo": Rule(10, DAY),  # failures to confirm who one is, per account
    "signup": Rule(20, HOUR),  # sign-ups per address
    "setup": Rule(10, HOUR),  # wrong codes for the first account per address
    "api_token": Rule(60, MINUTE),  # wrong API tokens per address
}
LONGEST = max(rule.window for rule in RULES.values())
BATCH = 500


def take(name: str, key: object, now: dt.datetime) -> int:
    """Counts one attempt. 0: go ahead. Else the whole seconds to wait, and nothing was counted.

    ``key`` is what is counted, such as a person's id or an address. Of many at once no more than the limit get 0.
    Raises :class:`KeyError` for a name that has no rule.
    """
    rule, digest = RULES[name], _digest(name, key)
    rows = Throttle.objects.filter(name=name, key_digest=digest)
    for _ in range(5):  # another process may begin or end the window in between
        open_rows = rows.filter(began_at__gt=now - rule.window)
        if open_rows.filter(taken__lt=rule.limit).update(taken=F("taken") + 1):
            return 0
        if rows.filter(began_at__lte=now - rule.window).update(began_at=now, taken=1):
            return 0
        row = rows.first()
        if row is None:
            fresh = Throttle(name=name, key_digest=digest, began_at=now, taken=0)
            Throttle.objects.bulk_create([fresh], ignore_conflicts=True)
        elif wait := _wait(row, rule, now):
            return wait
    return 1


def wait_for(name: str, key: object, now: dt.datetime) -> int:
    """The whole seconds until :func:`take` would go ahead; counts nothing."""
    row = Throttle.objects.filter(name=name, key_digest=_digest(name, key)).first()
    return _wait(row, RULES[name], now) if row else 0


def give_back(name: str, key: object) -> None:
    """Takes one attempt back: where only failures count, and this one was none."""
    rows = Throttle.objects.filter(name=name, key_digest=_digest(name, key), taken__gt=0)
    rows.update(taken=F("taken") - 1)


def prune(now: dt.datetime) -> int:
    """Deletes what no longer counts, a few rows at a time; says how many."""
    deleted = 0
    old = Throttle.objects.filter(began_at__lte=now - LONGEST)
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        # Asked again: the window may have begun anew in between.
        deleted += old.filter(pk__in=ids).delete()[0]
    return deleted


def in_words(wait_s: int) -> str:
    """A waiting time for people: "40 seconds", "12 minutes", "3 hours", rounded up."""
    for size, unit in ((3600, "hour"), (60, "minute")):
        if wait_s > size:
            count = math.ceil(wait_s / size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{wait_s} second{'s' if wait_s != 1 else ''}"


def _wait(row: Throttle, rule: Rule, now: dt.datetime) -> int:
    left = (row.began_at + rule.window - now).total_seconds()
    if row.taken < rule.limit or left <= 0:
        return 0
    return min(math.ceil(left), math.ceil(rule.window.total_seconds()))


def _digest(name: str, key: object) -> str:
    """Neither an address nor a short code can be found again from this without the installation's secret."""
    return salted_hmac(f"throttle.{name}", str(key), algorithm="sha256").hexdigest()
