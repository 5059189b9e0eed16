"""Events are sealed one after the other, whoever seals."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
import uuid
from typing import Any

import pytest
from django.db import connection, transaction

from dispersed_web.events import chain, verify
from dispersed_web.events.models import ChainHead, Event
from dispersed_web.events.record import ENGINE, record
from dispersed_web.events.security import note_account
from tests import factories
from tests.jobs.test_races import at_once
from tests.waiting import LIMIT_S

NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
VALUES: dict[str, Any] = {
    "id": 7,
    "team_id": uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    "at": dt.datetime(2026, 11, 25, 13, 0, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    "kind": "team.frozen",
    "subject_type": "team",
    "subject_id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "actor_kind": "person",
    "actor_user_id": 3,
    "actor_label": "Ana",
    "sentence": "Ana froze the team’s launches.",
    "data": {"b": 1.5, "a": [None, True]},
    "audience": "",
    "ip_address": "203.0.113.9",
    "user_agent": "",
    "request_id": "",
}


def test_the_hash_is_the_one_that_the_documentation_describes() -> None:
    text = (
        '{"actor_kind":"person","actor_label":"Ana","actor_user_id":3,"at":"2026-11-25T12:00:00.000000+00:00",'
        '"audience":"","data":{"a":[null,true],"b":1.5},"id":7,"ip_address":"203.0.113.9","kind":"team.frozen",'
        '"number":1,"previous":"","request_id":"","sentence":"Ana froze the team\\u2019s launches.",'
        '"subject_id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","subject_type":"team",'
        '"team_id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","user_agent":""}'
    )
    assert chain.digest("", 1, VALUES) == hashlib.sha256(text.encode()).hexdigest()


def test_it_covers_every_column_that_is_written_once() -> None:
    later = {"fanned_out_at", "chain_number", "chain_hash"}
    assert set(chain.FIELDS) == {field.attname for field in Event._meta.concrete_fields} - later


@pytest.mark.django_db
def test_each_team_and_the_accounts_have_a_chain_of_their_own() -> None:
    team, other = factories.make_team(), factories.make_team()
    for one in (team, other, team):
        factories.make_event(one)
    note_account(factories.make_user(), "account.signed_in", "Ana signed in.", NOW)
    assert chain.seal_waiting() == 4
    assert chain.seal_waiting() == 0
    numbers = Event.objects.order_by("id").values_list("chain_number", flat=True)
    assert list(numbers) == [1, 1, 2, 1]
    assert dict(ChainHead.objects.values_list("scope", "number")) == {
        str(team.pk): 2,
        str(other.pk): 1,
        "accounts": 1,
    }
    assert [verify.check(one, NOW).fault for one in (team.pk, other.pk, None)] == ["", "", ""]


@pytest.mark.django_db
def test_what_is_too_much_for_one_batch_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "BATCH", 3)
    team = factories.make_team()
    for _ in range(8):
        factories.make_event(team)
    assert chain.seal_waiting() == 8
    assert verify.check(team.pk, NOW) == verify.Check(str(team.pk), 8, Event.objects.latest("id").chain_hash)


@pytest.mark.django_db
def test_a_chain_that_cannot_go_on_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = factories.make_team(), factories.make_team()
    factories.make_event(bad)
    chain.seal_waiting()
    ChainHead.objects.filter(pk=str(bad.pk)).update(number=0)
    factories.make_event(bad)
    factories.make_event(good)
    assert chain.seal_waiting() == 1
    assert Event.objects.get(team=good).chain_number == 1
    assert f"{bad.pk} cannot go on" in caplog.text


@pytest.mark.django_db
def test_nothing_to_seal_costs_one_query(django_assert_num_queries) -> None:
    factories.make_event(factories.make_team())
    chain.seal_waiting()
    with django_assert_num_queries(1):
        chain.seal_waiting()


# With real connections, every thread its own ------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_who_write_and_seal_at_once_make_one_whole_chain() -> None:
    team, other = factories.make_team(), factories.make_team()

    def write(one: Any) -> None:
        for _ in range(10):
            record(one.pk, ENGINE, "job.status", ("job", uuid.uuid4()), "It runs.", now=NOW, bump=False)
            chain.seal_waiting()

    faults = [one for one in at_once([lambda one=one: write(one) for one in (team, other) * 3]) if one]
    assert not faults, faults
    chain.seal_waiting()
    for one in (team, other):
        found = verify.check(one.pk, NOW)
        assert (found.number, found.fault) == (30, "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_an_event_whose_transaction_ends_later_comes_later_in_the_chain() -> None:
    team = factories.make_team()
    written, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            record(team.pk, ENGINE, "job.status", ("job", 1), "Slow.", now=NOW, bump=False)
            written.set()
            assert go_on.wait(LIMIT_S)

    thread = threading.Thread(target=lambda: (slow(), connection.close()))
    thread.start()
    assert written.wait(LIMIT_S)
    record(team.pk, ENGINE, "job.status", ("job", 2), "Quick.", now=NOW, bump=False)
    assert chain.seal_waiting() == 1
    go_on.set()
    thread.join()
    assert chain.seal_waiting() == 1
    in_order = Event.objects.order_by("chain_number").values_list("sentence", flat=True)
    assert list(in_order) == ["Quick.", "Slow."]
    assert Event.objects.order_by("id").first().sentence == "Slow."
    assert verify.check(team.pk, NOW).fault == ""
