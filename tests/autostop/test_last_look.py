"""The last look before a stop for idleness is sent, where the log or the look itself fails."""

from __future__ import annotations

from typing import Any

import pytest

from dispersed_web.autostop import engine, facts
from dispersed_web.autostop.last_look import last_look
from dispersed_web.jobs.models import Job
from dispersed_web.signals import logs
from dispersed_web.signals.models import Bucket, Source, bucket_start
from tests.autostop.watched import MINUTE, NOW, beat, kinds, make_job, see

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_log_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "read_now", lambda *_: False)


def live(job: Job, begin: int, end: int, log_until: int = 0) -> Job:
    """Minute by minute quiet, until the engine asks for the stop."""
    for minute in range(begin, end):
        at = NOW + minute * MINUTE
        see(job, at)
        beat(job, at)
        if minute < log_until and minute % 5 == 0:
            Bucket.objects.create(
                run=job.current_run,
                source=Source.LOG,
                start=bucket_start(at),
                first_at=at,
                last_at=at,
                period_s=300,
            )
        engine.evaluate_due(at)
        Job.objects.filter(warning_delivered_at=None, warned_at__isnull=False).update(warning_delivered_at=at)
        job.refresh_from_db()
        if job.stop_requested_at is not None:
            return job
    raise AssertionError(f"no stop was asked for; {job.verdict_state}")


def test_a_log_that_decides_and_cannot_be_read_calls_the_stop_off() -> None:
    job = live(make_job(uses_logs=True), 0, 70, log_until=70)
    assert not last_look(job, lambda: job.stop_requested_at)
    assert kinds(job)[-1] == "job.called_off"


@pytest.mark.parametrize("log_until", [0, 20])
def test_a_log_that_never_spoke_or_was_given_up_keeps_no_idle_job_running(log_until: int) -> None:
    job = live(make_job(uses_logs=True), 0, 130, log_until)
    assert last_look(job, lambda: job.stop_requested_at)
    assert kinds(job)[-1] == "job.stop_requested"


def test_a_look_that_fails_leaves_the_job_to_its_hard_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    job = live(make_job(), 0, 70)

    def broken(*_: Any) -> None:
        raise ArithmeticError

    with monkeypatch.context() as patched:
        patched.setattr(facts, "of", broken)
        assert not last_look(job, lambda: job.stop_requested_at)
    row = Job.objects.get(pk=job.pk)
    assert (row.stop_requested_at, row.stop_next_at) == (None, None)
    assert row.evaluate_at == job.stop_requested_at
    assert kinds(job)[-1] == "job.called_off"
