"""What a report becomes in the database."""

import datetime as dt
import threading

import pytest
from django.db import connection, connections

from dispersed_web.signals.beat import Beat
from dispersed_web.signals.models import Bucket, bucket_start
from dispersed_web.signals.receiver import Outcome, accept, changes_of
from tests import factories
from tests.signals.beating import NOW, buckets, make_beating_job

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
BUSY = Beat(gpu=87, cpu=1.5, net=2_000_000, ssh_open=1, key_age=dt.timedelta(seconds=12), busy=True)
QUIET = Beat(gpu=0, cpu=0.02, net=900, ssh_open=0)


def test_a_report_opens_the_bucket_of_its_run():
    job, token = make_beating_job()

    receipt = accept(token, BUSY, NOW)

    assert receipt.outcome == Outcome.TAKEN
    (bucket,) = buckets(job)
    assert (bucket.run, bucket.source, bucket.start) == (job.current_run, "heartbeat", bucket_start(NOW))
    assert (bucket.count, bucket.first_at, bucket.last_at, bucket.gap) == (1, NOW, NOW, dt.timedelta(0))
    assert (bucket.gpu_top, bucket.gpu_busy, bucket.gpu_at) == (87, 1, NOW)
    assert (bucket.cpu_top, bucket.cpu_at, bucket.net_top, bucket.net_at) == (1.5, NOW, 2_000_000, NOW)
    assert (bucket.ssh_open, bucket.key_at) == (1, NOW - dt.timedelta(seconds=12))
    assert bucket.busy_at == NOW


def test_the_next_reports_go_into_the_same_bucket():
    job, token = make_beating_job()

    for minute, beat in enumerate([BUSY, QUIET, Beat(gpu=40, ssh_open=2, phase="eval", note="n")]):
        accept(token, beat, NOW + minute * MINUTE * 0.9)

    (bucket,) = buckets(job)
    assert (bucket.count, bucket.gap, bucket.last_at) == (3, MINUTE * 0.9, NOW + MINUTE * 1.8)
    assert (bucket.gpu_top, bucket.gpu_busy, bucket.gpu_at) == (87, 2, NOW + MINUTE * 1.8)
    assert (bucket.cpu_top, bucket.cpu_at) == (1.5, NOW)
    assert (bucket.ssh_open, bucket.phase, bucket.note) == (2, "eval", "n")
    assert bucket.key_at == NOW - dt.timedelta(seconds=12)


def test_five_minutes_later_a_new_bucket_is_opened():
    job, token = make_beating_job()

    accept(token, BUSY, NOW)
    accept(token, QUIET, NOW + 5 * MINUTE)

    first, second = buckets(job)
    assert (first.gpu_top, second.gpu_top) == (87, 0)
    assert second.start - first.start == 5 * MINUTE


def test_a_quiet_report_leaves_no_sign_of_work():
    job, token = make_beating_job()

    accept(token, QUIET, NOW)

    (bucket,) = buckets(job)
    assert (bucket.gpu_top, bucket.cpu_top, bucket.net_top, bucket.ssh_open) == (0, 0.02, 900, 0)
    assert not any((bucket.gpu_at, bucket.cpu_at, bucket.net_at, bucket.key_at, bucket.busy_at))


def test_a_report_that_says_nothing_is_still_a_sign_of_life():
    job, token = make_beating_job()

    accept(token, Beat(), NOW)

    (bucket,) = buckets(job)
    assert (bucket.count, bucket.gpu_top, bucket.cpu_top, bucket.ssh_open) == (1, None, None, None)


def test_a_period_that_became_shorter_makes_no_gaps_of_those_before():
    assert changes_of({"period_s": 60, "last_at": NOW}, Beat(period_s=11), NOW)["period_s"] == 60


def test_other_jobs_are_not_touched():
    team = factories.make_team()
    _, token = make_beating_job(team)
    other, other_token = make_beating_job(team)
    accept(other_token, QUIET, NOW)
    before = Bucket.objects.filter(run__job=other).values().get()

    accept(token, BUSY, NOW + MINUTE)

    assert Bucket.objects.filter(run__job=other).values().get() == before


def test_a_report_counts_for_the_run_that_is_current_now():
    job, token = make_beating_job()
    accept(token, BUSY, NOW)
    job.current_run = factories.make_run(job)
    job.save()

    accept(token, QUIET, NOW + MINUTE)

    assert {bucket.run_id: bucket.gpu_top for bucket in buckets(job)}[job.current_run_id] == 0


def test_before_the_run_is_known_the_machine_is_answered_and_nothing_stored():
    job, token = make_beating_job(status="PENDING")
    job.current_run = None
    job.save()

    receipt = accept(token, BUSY, NOW)

    assert receipt.answer is not None
    assert (receipt.outcome, receipt.answer.state) == (Outcome.TAKEN, "starting")
    assert not buckets(job)


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED"])
def test_an_ended_job_takes_none(status):
    job, token = make_beating_job(status=status)

    assert accept(token, BUSY, NOW).outcome == Outcome.ENDED
    assert not buckets(job)


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "ü" * 43])
def test_an_address_of_no_job(token):
    factories.make_job(factories.make_team())

    assert accept(token, BUSY, NOW).outcome == Outcome.UNKNOWN


def test_six_reports_at_once_then_one_every_ten_seconds():
    job, token = make_beating_job()

    def outcomes(count, after_s):
        return [accept(token, QUIET, NOW + dt.timedelta(seconds=after_s)).outcome for _ in range(count)]

    assert outcomes(8, 0) == [Outcome.TAKEN] * 6 + [Outcome.TOO_OFTEN] * 2
    assert outcomes(1, 9) == [Outcome.TOO_OFTEN]
    assert outcomes(2, 10) == [Outcome.TAKEN, Outcome.TOO_OFTEN]
    assert buckets(job)[0].count == 7


def test_a_look_and_a_write(django_assert_num_queries):
    _, token = make_beating_job()
    with django_assert_num_queries(
        3
    ):  # opening a bucket takes another look: somebody else may have opened it
        accept(token, BUSY, NOW)
    with django_assert_num_queries(2):
        accept(token, QUIET, NOW + MINUTE)


def test_the_job_is_found_by_an_index():
    make_beating_job()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN SELECT 1 FROM jobs_job WHERE heartbeat_digest = 'x'")
        else:
            cursor.execute("EXPLAIN QUERY PLAN SELECT 1 FROM jobs_job WHERE heartbeat_digest = 'x'")
        plan = str(cursor.fetchall())
    assert "Index" in plan or "USING COVERING INDEX" in plan or "USING INDEX" in plan


@pytest.mark.django_db(transaction=True)
def test_two_reports_at_the_same_moment_are_not_both_counted_as_one_after_the_other():
    job, token = make_beating_job()
    together = threading.Barrier(4)
    outcomes = []

    def report():
        together.wait()
        outcomes.append(accept(token, BUSY, NOW).outcome)
        connections.close_all()

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(outcomes) <= {Outcome.TAKEN, Outcome.TOO_OFTEN}
    (bucket,) = buckets(job)
    assert 1 <= bucket.count <= outcomes.count(Outcome.TAKEN)
    assert bucket.gpu_busy == bucket.count
