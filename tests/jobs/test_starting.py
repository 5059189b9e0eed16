"""What a process does first: of several that start at once one ends what a restored backup had queued."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.credentials.models import KeyCanary
from dispersed_web.jobs import starting, sweeps
from dispersed_web.jobs.models import Job, Sweep
from tests import factories as make

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _this_process_as_it_was() -> Iterator[None]:
    yield
    starting._left.clear()
    sweeps.hold_notes(False)


def away() -> dt.datetime:
    raise DatabaseError("away")


def queued(minutes_since_last_pass: float) -> Job:
    Sweep.objects.create(name="launches", finished_at=timezone.now() - minutes_since_last_pass * MINUTE)
    return make.make_job(make.make_team(), "QUEUED")


@pytest.mark.django_db
def test_after_a_gap_what_is_queued_ends_and_its_owner_is_told() -> None:
    job = queued(11)
    assert starting.expire_after_gap(timezone.now()) == 1
    job.refresh_from_db()
    assert (job.status, job.reason) == ("FAILED", "expired")
    assert "backup" in job.reason_text
    assert job.team.events.filter(kind="job.not_launched", audience="job_owner").count() == 1


@pytest.mark.django_db
def test_after_a_quick_restart_it_is_still_sent() -> None:
    job = queued(9)
    assert starting.expire_after_gap(timezone.now()) == 0
    job.refresh_from_db()
    assert job.status == "QUEUED"


@pytest.mark.django_db
def test_what_is_queued_after_the_first_process_started_stays_when_the_next_one_starts() -> None:
    queued(11)
    starting.expire_after_gap(timezone.now())
    job = make.make_job(make.make_team(), "QUEUED")
    assert starting.expire_after_gap(timezone.now()) == 0
    job.refresh_from_db()
    assert job.status == "QUEUED"


@pytest.mark.django_db(transaction=True)
def test_of_many_that_start_at_once_one_does_it() -> None:
    queued(11)
    barrier, results = threading.Barrier(6), []

    def start() -> None:
        barrier.wait()
        results.append(starting.expire_after_gap(timezone.now()))
        connection.close()

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 0, 0, 0, 0, 1]


@pytest.mark.django_db
def test_it_marks_a_new_key(settings: Any) -> None:
    starting.begin(timezone.now)
    assert [one.key_id for one in KeyCanary.objects.all()] == ["test"]
    settings.KEYRING = [("new", bytes(32)), *settings.KEYRING]
    starting.begin(timezone.now)
    assert KeyCanary.objects.count() == 2


@pytest.mark.django_db
def test_a_database_that_does_not_answer_keeps_no_process_from_starting(caplog: Any) -> None:
    with caplog.at_level(logging.WARNING):
        starting.begin(away)
    assert "could not be asked at the start" in caplog.text


@pytest.mark.django_db
def test_a_fault_at_the_start_keeps_no_process_from_starting_and_nothing_restored_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd, job = queued(11), make.make_job(make.make_team(), "QUEUED")
    expire = starting.sending.expire_queued

    def fail_for_one(row: Job, *rest: Any) -> bool:
        return 1 / 0 if row.pk == odd.pk else expire(row, *rest)

    monkeypatch.setattr(starting.sending, "expire_queued", fail_for_one)
    monkeypatch.setattr(starting.canary, "ensure", lambda: 1 / 0)
    starting.begin(timezone.now)
    job.refresh_from_db()
    assert (job.status, job.reason) == ("FAILED", "expired")


@pytest.mark.django_db
def test_what_a_database_that_was_away_kept_from_being_done_is_caught_up_when_it_answers(caplog: Any) -> None:
    job = queued(11)
    starting.begin(away)
    assert not starting.catch_up(away)
    assert not KeyCanary.objects.exists()

    assert starting.catch_up(timezone.now)

    job.refresh_from_db()
    assert (job.status, job.reason) == ("FAILED", "expired")
    assert KeyCanary.objects.exists()


@pytest.mark.django_db
def test_until_then_nothing_is_launched_and_no_pass_hides_that_the_work_had_stood_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = queued(11)
    starting.begin(away)
    sent: list[Any] = []
    monkeypatch.setattr(tasks.sending, "send", lambda job_id, _: sent.append(job_id))
    with monkeypatch.context() as still_away:
        still_away.setattr(tasks.starting, "expire_after_gap", lambda _: away())
        tasks.sweep_launches_with(sent.append, sent.append)
        tasks.send_launch(str(job.pk))
        tasks.sweep_stops_with(lambda *_: None)  # the database answers again in the midst of a pass
    assert sent == []

    tasks.sweep_launches_with(sent.append, sent.append)

    job.refresh_from_db()
    assert (job.status, job.reason, sent) == ("FAILED", "expired", [])
    assert sweeps.last_finished()["launches"] > timezone.now() - MINUTE


@pytest.mark.django_db
def test_stops_go_on_while_the_start_cannot_be_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    job = make.make_job(
        make.make_team(), "RUNNING", stop_requested_at=timezone.now(), stop_next_at=timezone.now()
    )
    starting.begin(away)
    pursued: list[Any] = []
    monkeypatch.setattr(tasks.starting, "expire_after_gap", lambda _: away())

    tasks.sweep_stops_with(lambda job_id, _: pursued.append(job_id))

    assert pursued == [job.pk]


@pytest.mark.django_db
def test_once_all_is_done_catching_up_asks_nothing(django_assert_num_queries: Any) -> None:
    starting.begin(timezone.now)
    with django_assert_num_queries(0):
        assert starting.catch_up(timezone.now)
