"""The database itself keeps events as they were written, whoever asks it to change or remove one."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from dispersed_web.events import append_only, chain
from dispersed_web.events.models import Event
from dispersed_web.notifications import outbox
from tests import factories

pytestmark = pytest.mark.django_db
COLUMNS = [field.column for field in Event._meta.concrete_fields]


@pytest.fixture
def event(db) -> Event:
    append_only.install(connection, COLUMNS)
    owner = factories.make_user()
    team = factories.make_team(owner=owner)
    return factories.make_event(team, audience="admins")


def refused(act) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        act()


OTHER = {
    "id": 10_000,
    "team_id": None,
    "at": "2020-01-01T00:00:00Z",
    "data": {"other": 1},
    "ip_address": "203.0.113.9",
    "actor_user_id": 1,
}


@pytest.mark.parametrize("name", sorted(set(chain.FIELDS) | set(COLUMNS) - set(append_only.LATER)))
def test_nothing_that_was_written_changes(event: Event, name: str) -> None:
    refused(lambda: Event.objects.filter(pk=event.pk).update(**{name: OTHER.get(name, "other")}))


def test_nothing_is_deleted(event: Event) -> None:
    refused(Event.objects.all().delete)
    refused(lambda: Event.objects.filter(pk=event.pk)._raw_delete("default"))
    assert Event.objects.filter(pk=event.pk).exists()


def test_nor_with_its_team(event: Event) -> None:
    refused(event.team.delete)


def test_nor_by_emptying_the_table_or_putting_another_in_its_place(event: Event) -> None:
    def replace() -> None:
        columns = ", ".join(COLUMNS)
        fresh = ", ".join("'x'" if name == "sentence" else name for name in COLUMNS)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT OR REPLACE INTO events_event ({columns}) SELECT {fresh} FROM events_event"
            )

    def truncate() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("TRUNCATE events_event CASCADE")

    refused(truncate if connection.vendor == "postgresql" else replace)


def test_its_notices_are_noted_once(event: Event) -> None:
    outbox.fan_out(timezone.now())
    assert Event.objects.get(pk=event.pk).fanned_out_at is not None
    refused(lambda: Event.objects.filter(pk=event.pk).update(fanned_out_at=None))


def test_its_place_in_the_chain_is_noted_once(event: Event) -> None:
    assert chain.seal_waiting() == 1
    refused(lambda: Event.objects.filter(pk=event.pk).update(chain_number=2))
    refused(lambda: Event.objects.filter(pk=event.pk).update(chain_hash="0" * 64))
    refused(lambda: Event.objects.filter(pk=event.pk).update(chain_number=None, chain_hash=""))


def test_new_ones_are_written_as_ever(event: Event) -> None:
    factories.make_event(event.team)
    assert Event.objects.count() == 2


def test_whether_it_is_so_can_be_asked(event: Event) -> None:
    assert append_only.is_installed(connection)
    append_only.remove(connection)
    assert not append_only.is_installed(connection)
    assert Event.objects.all().delete()[0]
