"""What machines ask without signing in."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from dispersed_web.jobs import sweeps
from tests import factories as make

pytestmark = pytest.mark.django_db
ADDRESSES = ["/healthz", "/healthz/sweep", "/readyz"]


def finish(*names, at=None):
    for name in names or sweeps.NEEDED:
        sweeps.note_finished(name, at or timezone.now())


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_signs_in_and_nobody_posts(client, address):
    answer = client.get(address)
    assert answer.status_code in (200, 503)
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]
    assert client.post(address).status_code == 405


def test_the_database_answers(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": "ok"})


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_broken_database_is_said_without_details(client, address, monkeypatch):
    def broken(*_):
        raise DatabaseError("password authentication failed for user dispersed at 10.1.2.3")

    monkeypatch.setattr(connections["default"], "cursor", broken)
    answer = client.get(address)
    assert answer.status_code == 503
    assert answer.json()["database"] == "failing"
    assert "10.1.2.3" not in answer.content.decode()


def test_late_passes_are_named(client):
    finish()
    answer = client.get("/healthz/sweep").json()
    assert answer.pop("autostop_age_seconds") in (0, 1)
    assert answer == {"status": "ok", "late": [], "stops_stuck": 0, "oldest_stuck_seconds": 0}
    finish("autostop", at=timezone.now() - dt.timedelta(seconds=61))
    answer = client.get("/healthz/sweep")
    assert (answer.status_code, answer.json()["status"], answer.json()["late"]) == (503, "late", ["autostop"])
    assert answer.json()["autostop_age_seconds"] in (61, 62)


def test_stops_that_hang_are_counted_and_degrade_the_answer(client):
    finish()
    team, now = make.make_team(), timezone.now()
    make.make_job(team, stop_requested_at=now - dt.timedelta(minutes=2))
    make.make_job(team, "CANCELLED", stop_requested_at=now - dt.timedelta(minutes=9))
    assert client.get("/healthz/sweep").json()["stops_stuck"] == 0
    make.make_job(team, stop_requested_at=now - dt.timedelta(minutes=4))
    make.make_job(make.make_team(), stop_requested_at=now - dt.timedelta(minutes=10))
    answer = client.get("/healthz/sweep")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["stops_stuck"] == 2
    assert 600 <= answer.json()["oldest_stuck_seconds"] <= 602


def test_a_pass_that_never_ran_is_late(client):
    finish("launches", "stops", "sync")
    assert client.get("/healthz/sweep").json()["late"] == ["autostop"]


def test_ready_with_a_broker(client, redis_server):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": "ok",
        "migrations": "ok",
        "keys": "ok",
        "installation": "ok",
        "broker": "ok",
    }


def failing(answer):
    return {name for name, word in answer.json().items() if word == "failing"} - {"status"}


def test_not_ready_without_a_broker(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert failing(answer) == {"broker"}


def test_not_ready_with_the_wrong_keys(client, redis_server, settings):
    make.make_credential(make.make_team())
    assert client.get("/readyz").status_code == 200
    settings.KEYRING = [("other", b"x" * 32)]
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert failing(answer) == {"keys"}


def test_not_ready_with_a_migration_to_come(client, redis_server):
    MigrationRecorder(connection).migration_qs.filter(app="teams").delete()
    assert failing(client.get("/readyz")) == {"migrations"}


def test_a_wrong_password_of_the_broker_is_not_told(client, settings):
    settings.REDIS_URL = "redis://user:pa55word@127.0.0.1:9/0"
    answer = client.get("/readyz")
    assert failing(answer) == {"broker"}
    assert "pa55word" not in answer.content.decode()
