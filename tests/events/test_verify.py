"""Whatever is done to sealed events is found, and the first thing that is wrong is named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from dispersed_web.events import append_only, chain, verify
from dispersed_web.events.models import ChainHead, Event
from dispersed_web.teams.models import Team
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
OTHER = {
    "team_id": None,
    "at": NOW + dt.timedelta(microseconds=1),
    "data": {"rule": "idle", "n": 2},
    "actor_user_id": None,
    "ip_address": "203.0.113.10",
}


@pytest.fixture
def team(db) -> Team:
    team = factories.make_team("Vision Lab", slug="vision")
    for number in range(1, 6):
        factories.make_event(team, sentence=f"Event {number}.", now=NOW, data={"rule": "idle", "n": number})
    Event.objects.update(actor_user=factories.owner_of(team), ip_address="203.0.113.9")
    chain.seal_waiting()
    return team


def fault(team: Team) -> tuple[int, str]:
    found = verify.check(team.pk, NOW)
    return found.number, found.fault


def at(team: Team, number: int):
    return Event.objects.filter(team=team, chain_number=number)


def test_a_chain_that_nobody_touched_is_whole(team: Team) -> None:
    head = ChainHead.objects.get(pk=str(team.pk))
    assert verify.check(team.pk, NOW) == verify.Check(str(team.pk), 5, head.hash)


@pytest.mark.parametrize("name", sorted(set(chain.FIELDS) - {"id", "team_id", "data"}))
def test_a_changed_field_is_found(team: Team, name: str) -> None:
    at(team, 3).update(**{name: OTHER.get(name, "other")})
    sound, words = fault(team)
    assert sound == 2
    assert "Number 3" in words
    assert "not as it was sealed" in words


def test_so_is_a_changed_number_inside_its_data(team: Team) -> None:
    at(team, 3).update(data={"rule": "idle", "n": 3.5})
    assert fault(team)[0] == 2


def delete(team: Team) -> None:
    at(team, 3)._raw_delete("default")


def delete_and_close_the_gap(team: Team) -> None:
    delete(team)
    for number in (4, 5):
        at(team, number).update(chain_number=F("chain_number") - 1)
    ChainHead.objects.update(number=4)


def delete_the_first(team: Team) -> None:
    at(team, 1)._raw_delete("default")


def swap(team: Team) -> None:
    at(team, 2).update(chain_number=9)
    at(team, 3).update(chain_number=2)
    at(team, 9).update(chain_number=3)


def move_to_another_team(team: Team) -> None:
    at(team, 3).update(team=factories.make_team())


def insert(team: Team) -> None:
    """In the place of another that goes to the end."""
    at(team, 3).update(chain_number=6)
    factories.make_event(team, sentence="Never was.")
    Event.objects.filter(sentence="Never was.").update(chain_number=3, chain_hash="0" * 64)
    ChainHead.objects.update(number=6)


@pytest.mark.parametrize(
    ("act", "sound", "words"),
    [
        (delete, 2, "Number 3 is missing"),
        (delete_and_close_the_gap, 2, "Number 3 (event"),
        (delete_the_first, 0, "Number 1 is missing"),
        (swap, 1, "Number 2 (event"),
        (move_to_another_team, 2, "Number 3 is missing"),
        (insert, 2, "Number 3 (event"),
        (lambda team: at(team, 5)._raw_delete("default"), 4, "ends at number 4 instead of 5"),
        (lambda team: ChainHead.objects.update(hash="0" * 64), 5, "not the one noted as the end"),
        (lambda team: ChainHead.objects.update(number=4), 4, "not the one noted as the end"),
    ],
)
def test_removing_moving_and_inserting_are_found(
    team: Team, act: Callable[[Team], object], sound: int, words: str
) -> None:
    act(team)
    found = fault(team)
    assert found[0] == sound
    assert words in found[1]


def test_an_event_put_behind_the_end_is_found(team: Team) -> None:
    last = at(team, 5).get()
    forged = factories.make_event(team, sentence="Never was.", now=NOW)
    values = Event.objects.filter(pk=forged.pk).values(*chain.FIELDS).get()
    Event.objects.filter(pk=forged.pk).update(
        chain_number=6, chain_hash=chain.digest(last.chain_hash, 6, values)
    )
    assert "behind the end" in fault(team)[1]


def test_an_event_twice_in_the_chain_of_accounts_is_found() -> None:
    for number in (1, 1):
        Event.objects.create(
            at=NOW, kind="account.x", subject_type="user", subject_id="1", chain_number=number
        )
    head = ChainHead(scope="accounts", number=1)
    rows = [
        {name: getattr(one, name) for name in (*chain.FIELDS, "chain_number", "chain_hash")}
        for one in Event.objects.order_by("id")
    ]
    rows[0]["chain_hash"] = chain.digest("", 1, rows[0])
    assert "Number 1 is there twice" in verify.walk(rows, head)[2]


def test_what_was_never_sealed_is_counted_once_it_is_old(team: Team) -> None:
    factories.make_event(team, now=NOW)
    assert verify.check(team.pk, NOW + dt.timedelta(minutes=9)).waiting == 0
    assert verify.check(team.pk, NOW + dt.timedelta(minutes=11)).waiting == 1


def test_a_chain_is_checked_once_a_day_and_its_break_told_once(team: Team) -> None:
    verify.check_due(NOW)
    head = ChainHead.objects.get(pk=str(team.pk))
    assert (head.checked_at, head.checked_number, head.fault) == (NOW, 5, "")
    at(team, 3).update(sentence="Nothing happened.")
    verify.check_due(NOW + dt.timedelta(hours=23))
    assert not Event.objects.filter(kind="audit.broken").exists()
    for day in (1, 2, 3):
        verify.check_due(NOW + dt.timedelta(days=day, hours=1))
    head.refresh_from_db()
    assert (head.checked_number, "Number 3" in head.fault) == (2, True)
    told = Event.objects.get(kind="audit.broken")
    assert (told.team_id, told.audience) == (team.pk, "owners")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("audit", "verify", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def guarded(db) -> None:
    append_only.install(connection, [field.column for field in Event._meta.concrete_fields])


def test_the_command_says_how_far_each_chain_is_whole(team: Team, guarded: None) -> None:
    factories.make_event(team)
    assert run() == f"vision: whole, 6 events, ends with {at(team, 6).get().chain_hash}.\n"
    assert run("--team", "vision").startswith("vision: whole, 6 events")


def test_the_command_names_the_first_break_and_fails(team: Team) -> None:
    at(team, 3).update(sentence="Nothing happened.")
    append_only.install(connection, [field.column for field in Event._meta.concrete_fields])
    out = StringIO()
    with pytest.raises(CommandError, match="1 broken"):
        call_command("audit", "verify", stdout=out)
    assert (
        f"vision: BROKEN. Number 3 (event {at(team, 3).get().pk}) is not as it was sealed." in out.getvalue()
    )
    assert "Whole up to number 2." in out.getvalue()


def test_the_command_fails_where_the_database_would_let_events_be_changed(team: Team) -> None:
    with pytest.raises(CommandError, match="triggers are gone"):
        run()
