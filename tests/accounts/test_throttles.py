"""How often something may be tried, counted in the database."""

from __future__ import annotations

import datetime as dt
import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from dispersed_web import tasks
from dispersed_web.accounts import throttles
from dispersed_web.accounts.models import Throttle

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def take_all(name: str, key: object, now: dt.datetime = NOW) -> None:
    for _ in range(throttles.RULES[name].limit):
        assert throttles.take(name, key, now) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("name", throttles.RULES)
def test_as_many_as_the_rule_says_go_ahead_and_no_more(name: str) -> None:
    rule = throttles.RULES[name]
    take_all(name, "somebody")
    assert throttles.take(name, "somebody", NOW) == rule.window.total_seconds()
    assert throttles.take(name, "somebody else", NOW) == 0
    assert throttles.take(name, "somebody", NOW + rule.window) == 0


@pytest.mark.django_db
def test_refused_attempts_do_not_make_the_wait_longer() -> None:
    take_all("reset", 7)
    assert throttles.take("reset", 7, NOW + 20 * MINUTE) == 40 * 60
    assert throttles.take("reset", 7, NOW + 50 * MINUTE) == 10 * 60
    assert throttles.wait_for("reset", 7, NOW + 50 * MINUTE) == 10 * 60
    assert throttles.take("reset", 7, NOW + 60 * MINUTE) == 0


@pytest.mark.django_db
def test_what_is_given_back_counts_no_more() -> None:
    throttles.give_back("sudo", 7)
    take_all("sudo", 7)
    throttles.give_back("sudo", 7)
    assert throttles.take("sudo", 7, NOW) == 0
    assert throttles.take("sudo", 7, NOW)


@pytest.mark.django_db
def test_the_rows_say_neither_address_nor_account() -> None:
    throttles.take("sign_in_address", "203.0.113.9", NOW)
    throttles.take("sign_in_account", "203.0.113.9", NOW)
    digests = Throttle.objects.values_list("key_digest", flat=True)
    assert len(set(digests)) == 2
    assert hashlib.sha256(b"203.0.113.9").hexdigest() not in digests


@pytest.mark.django_db
def test_a_name_without_a_rule_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        throttles.take("sing_in", 7, NOW)


@pytest.mark.django_db
def test_old_rows_are_deleted_and_what_counts_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttles, "BATCH", 2)
    for key in range(5):
        throttles.take("invite", key, NOW)
    throttles.take("invite", "late", NOW + MINUTE)
    assert throttles.prune(NOW + throttles.LONGEST) == 5
    assert Throttle.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", ["nothing", "an old window"])
def test_of_many_at_once_no_more_than_the_limit_go_ahead(before: str) -> None:
    if before == "an old window":
        take_all("reset", 7, NOW - throttles.HOUR)

    def attempt(_: int) -> int:
        try:
            return throttles.take("reset", 7, NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(attempt, range(24)))
    assert waits.count(0) == throttles.RULES["reset"].limit


@pytest.mark.parametrize(
    ("wait_s", "words"),
    [(1, "1 second"), (60, "60 seconds"), (61, "2 minutes"), (3600, "60 minutes"), (3601, "2 hours")],
)
def test_a_wait_is_told_in_words_rounded_up(wait_s: int, words: str) -> None:
    assert throttles.in_words(wait_s) == words


@pytest.mark.django_db
def test_the_pruning_sweep_deletes_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "database_now", lambda: NOW)
    throttles.take("invite", 7, NOW - throttles.LONGEST)
    throttles.take("invite", 8, NOW)
    tasks.sweep_pruning()
    assert Throttle.objects.count() == 1
