"""Accounts that nobody confirmed are forgotten, and no others."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone

from dispersed_web.accounts import unconfirmed
from dispersed_web.accounts.models import User
from dispersed_web.events import append_only, security
from dispersed_web.events.models import Event
from tests import factories as make

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def test_an_account_that_an_event_names_stays() -> None:
    now = timezone.now()
    user = User.objects.create_user("named@example.org", "x", date_joined=now - 8 * DAY)
    security.note_account(user, "account.password_changed", "Your password was changed.", now)
    append_only.install(connection, [field.column for field in Event._meta.concrete_fields])
    assert unconfirmed.prune(now) == 0
    assert User.objects.filter(pk=user.pk).exists()


def test_only_what_was_made_long_ago_and_never_used_goes() -> None:
    now = timezone.now()
    old = now - 8 * DAY
    gone = User.objects.create_user("gone@example.org", "x", date_joined=old)
    kept = [
        User.objects.create_user("young@example.org", "x", date_joined=now - 6 * DAY),
        User.objects.create_user("used@example.org", "x", date_joined=old, last_login=old),
        User.objects.create_user("bot@service.invalid", None, date_joined=old, is_service=True),
        User.objects.create_user("runs@example.org", "x", date_joined=old, is_site_admin=True),
        make.make_user("confirmed@example.org", date_joined=old),
        User.objects.create_user("member@example.org", "x", date_joined=old),
    ]
    make.make_member(make.make_team(), user=kept[-1])
    assert unconfirmed.prune(now) == 1
    assert not User.objects.filter(pk=gone.pk).exists()
    assert User.objects.filter(pk__in=[one.pk for one in kept]).count() == len(kept)
    assert unconfirmed.prune(now) == 0
