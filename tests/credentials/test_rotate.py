"""Changing the encryption key: everything is sealed anew, beside writers, from wherever it was broken off."""

import threading
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from dispersed_web.credentials import canary, rotation, sealed, vault
from dispersed_web.credentials.clients import secret_place
from dispersed_web.credentials.models import Credential, KeyCanary
from dispersed_web.events.models import Event
from tests import factories as make
from tests.credentials.test_sealed import make_one_of_each
from tests.waiting import eventually

K1, K2 = ("k1", b"1" * 32), ("k2", b"2" * 32)


@pytest.fixture(autouse=True)
def _ring(settings):
    settings.KEYRING = [K1]


def manage(*arguments):
    out = StringIO()
    call_command("secrets", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_every_column_is_sealed_anew_and_opens_without_the_old_key(settings):
    make_one_of_each(make.make_team())
    canary.ensure()
    settings.KEYRING = [K2, K1]
    out = manage("rotate")
    assert f"{len(sealed.columns())} secrets sealed anew with key k2" in out
    assert "0 rows left under key k1" in out
    settings.KEYRING = [K2]
    for column in sealed.columns():
        row = column.rows().get()
        assert vault.key_id_of(column.sealed(row)) == "k2"
        assert vault.opens(column.sealed(row), column.place(row))
    assert "0 secrets sealed anew" in manage("rotate")
    assert [row.key_id for row in KeyCanary.objects.all()] == ["k2"], "nothing needs the old one any more"
    assert canary.troubles() == []


@pytest.mark.django_db
def test_each_team_concerned_has_it_in_its_log_once(settings):
    team, other = make.make_team(), make.make_team()
    count = len([column for column in sealed.columns() if column.team])
    make_one_of_each(team)
    settings.KEYRING = [K2, K1]
    make.make_credential(other)
    manage("rotate")
    manage("rotate")
    events = {event.team_id: event for event in Event.objects.filter(kind="team.secrets_rotated")}
    assert set(events) == {team.pk, None}, "and what belongs to persons"
    assert events[team.pk].sentence == (
        f"The operator sealed {count} stored secrets anew with the encryption key “k2”."
    )
    assert Event.objects.filter(kind="team.secrets_rotated").count() == 2


@pytest.mark.django_db
def test_what_cannot_be_opened_is_left_as_it_is_and_counted(settings):
    team = make.make_team()
    lost = make.make_credential(team)
    canary.ensure()
    before = lost.secret_sealed
    settings.KEYRING = [K2]
    make.make_credential(team)
    with pytest.raises(CommandError, match="Keep the others"):
        manage("rotate")
    lost.refresh_from_db()
    assert lost.secret_sealed == before
    settings.KEYRING = [K2, K1]
    assert "1 secrets sealed anew" in manage("rotate")


@pytest.mark.django_db
def test_a_rotation_that_was_killed_goes_on_where_it_was(settings, monkeypatch):
    team = make.make_team()
    for _ in range(6):
        make.make_credential(team)
    settings.KEYRING = [K2, K1]
    monkeypatch.setattr(sealed, "AT_ONCE", 2)
    calls = []

    def die(self, row, text):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(row.pk)
        return replace(self, row, text)

    replace = sealed.Column.replace
    monkeypatch.setattr(sealed.Column, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        manage("rotate")
    assert sealed.count_under("k1") == 3
    assert Event.objects.get(kind="team.secrets_rotated").data == {"key": "k2", "count": 3}
    assert rotation.check(timezone.now()).is_well, "broken off, everything can still be opened"
    monkeypatch.setattr(sealed.Column, "replace", replace)
    assert rotation.rotate().sealed_anew == 3
    assert sealed.count_under("k1") == 0


@pytest.mark.django_db(transaction=True)
def test_beside_writers_no_secret_is_lost_and_none_is_set_back(settings):
    team = make.make_team()
    keys = [make.make_credential(team) for _ in range(10)]
    canary.ensure()
    settings.KEYRING = [K2, K1]
    written = {}
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            key = keys[number % len(keys)]
            secret = f"sk_sim_written{number:06}"
            # As a process that was not restarted yet does: with the old key.
            text = vault.seal_with("k1", secret, secret_place(key))
            Credential.objects.filter(pk=key.pk).update(secret_sealed=text)
            written[key.pk] = secret
            number += 1
            stop.wait(0.001)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            rotation.rotate()
        eventually(lambda: len(written) == len(keys), "each is written once")
    finally:
        stop.set()
        writer.join()
    rotation.rotate()
    assert len(written) == len(keys)
    for key in Credential.objects.filter(pk__in=written):
        assert vault.key_id_of(key.secret_sealed) == "k2"
        assert vault.unseal(key.secret_sealed, secret_place(key)) == written[key.pk]
