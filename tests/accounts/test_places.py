"""From where people signed in before."""

from __future__ import annotations

import datetime as dt

import pytest

from dispersed_web.accounts import places
from dispersed_web.accounts.models import SignInPlace
from tests import factories as make

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


@pytest.mark.django_db
def test_the_first_place_is_no_news_and_each_other_is_once() -> None:
    user = make.make_user()
    assert not places.note(user, "192.0.2.1", "Firefox", NOW)
    assert not places.note(user, "192.0.2.1", "Firefox", NOW)
    assert places.note(user, "192.0.2.2", "Firefox", NOW)
    assert places.note(user, "192.0.2.2", "Chrome", NOW)
    assert not places.note(user, "192.0.2.1", "Chrome", NOW)
    assert places.is_known(user.pk, "192.0.2.1")
    assert not places.is_known(user.pk, "192.0.2.9")
    assert not places.is_known(make.make_user().pk, "192.0.2.1")
    assert not places.is_known(None, "192.0.2.1")


@pytest.mark.django_db
def test_a_place_that_was_not_used_for_long_is_forgotten() -> None:
    places.note(make.make_user(), "192.0.2.1", "Firefox", NOW)
    places.note(make.make_user(), "192.0.2.1", "Firefox", NOW + dt.timedelta(days=1))
    assert places.prune(NOW + places.KEPT + dt.timedelta(seconds=1)) == 2
    assert SignInPlace.objects.count() == 2


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("somewhere", ""),
    ],
)
def test_a_home_is_one_place(address: str, network: str) -> None:
    assert places.network_of(address) == network
