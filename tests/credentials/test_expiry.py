"""Warnings that a key expires."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from dispersed_web.credentials import health
from dispersed_web.credentials.expiry import warning_due
from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Audience, Event
from tests import factories as make

NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("days_left", "told", "due"),
    [
        (14.01, None, None),
        (14, None, 14),
        (13, 14, None),
        (3.01, 14, None),
        (3, 14, 3),
        (2, 3, None),
        (1, 3, 1),
        (0.5, 1, None),
        (0, 1, 0),
        (-5, 0, None),
        # What comes late gets the nearest one alone.
        (2, None, 3),
        (0.2, 14, 1),
        (-1, 14, 0),
    ],
)
def test_warnings_come_once_each(days_left: float, told: int | None, due: int | None) -> None:
    assert warning_due(NOW + dt.timedelta(days=days_left), told, NOW) == due


def test_a_key_without_an_expiry_is_never_warned_of() -> None:
    assert warning_due(None, None, NOW) is None


@pytest.mark.django_db
def test_admins_are_told_at_each_step_and_again_after_a_rotation() -> None:
    now = timezone.now()
    row = make.make_credential(make.make_team(), expires_at=now + dt.timedelta(days=15))
    for day in range(17):
        for _ in range(2):
            row.refresh_from_db()
            health.warn_of_expiry(row, now + dt.timedelta(days=day))
    told = list(Event.objects.order_by("id").values_list("kind", "audience"))
    assert told == [("credential.expires", Audience.ADMINS)] * 3 + [("credential.expired", Audience.ADMINS)]
    Credential.objects.update(expires_at=now + dt.timedelta(days=20), expiry_told_days=None)
    row.refresh_from_db()
    assert health.warn_of_expiry(row, now + dt.timedelta(days=6))


@pytest.mark.django_db
def test_two_sweeps_at_once_tell_once() -> None:
    now = timezone.now()
    make.make_credential(make.make_team(), expires_at=now + dt.timedelta(days=2))
    first, second = Credential.objects.get(), Credential.objects.get()
    assert [health.warn_of_expiry(row, now) for row in (first, second)] == [True, False]
