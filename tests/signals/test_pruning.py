"""What was observed long ago is forgotten, and nothing else."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.autostop.models import VerdictChange
from dispersed_web.jobs.models import Job
from dispersed_web.signals import pruning
from dispersed_web.signals.models import KEPT, Bucket, LogWatch
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
HOUR = dt.timedelta(hours=1)


def make_run(**fields: Any) -> Any:
    job = factories.make_job(factories.make_team(), **fields)
    run = factories.make_run(job)
    Job.objects.filter(pk=job.pk).update(current_run=run)
    return run


def make_bucket(run: Any, start: dt.datetime, source: str = "log") -> Bucket:
    return Bucket.objects.create(run=run, source=source, start=start, first_at=start, last_at=start)


def make_verdict(run: Any, at: dt.datetime) -> VerdictChange:
    return VerdictChange.objects.create(job=run.job, run=run, at=at, state="quiet", confidence="high")


def test_samples_and_verdicts_of_more_than_sixty_days_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "database_now", lambda: NOW)
    run = make_run()
    old = [NOW - KEPT - number * HOUR for number in range(1, 4)]
    young = [NOW - KEPT, NOW - KEPT + HOUR, NOW, NOW + HOUR]
    for at in [*young[:2], *old, *young[2:]]:
        make_bucket(run, at)
        make_bucket(run, at, "heartbeat")
        make_verdict(run, at)

    tasks.sweep_pruning()

    assert sorted(Bucket.objects.filter(source="log").values_list("start", flat=True)) == young
    assert sorted(Bucket.objects.filter(source="heartbeat").values_list("start", flat=True)) == young
    assert sorted(VerdictChange.objects.values_list("at", flat=True)) == young
    assert Job.objects.filter(pk=run.job_id).exists()


def test_it_goes_in_small_batches_and_leaves_what_is_too_much(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 3)
    monkeypatch.setattr(pruning, "MOST_BATCHES", 2)
    run = make_run()
    for number in range(8):
        make_bucket(run, NOW - KEPT - (number + 1) * HOUR)
    old = Bucket.objects.filter(start__lt=NOW - KEPT)

    with django_assert_num_queries(4):
        assert pruning.forget(old) == 6
    assert pruning.forget(old) == 2
    assert pruning.forget(old) == 0


def test_watches_of_runs_that_are_over_go() -> None:
    kept = make_run()
    leased = make_run(status="COMPLETED")
    others = [make_run(status="COMPLETED"), factories.make_run(kept.job), make_run()]
    others[2].ended_at = NOW
    others[2].save()
    for run in (kept, *others):
        LogWatch.objects.create(run=run, lease_until=NOW - HOUR)
    LogWatch.objects.create(run=leased, lease_until=NOW + HOUR)
    unleased = make_run(status="FAILED")
    LogWatch.objects.create(run=unleased)

    assert pruning.prune(NOW) == 4

    assert set(LogWatch.objects.values_list("pk", flat=True)) == {kept.pk, leased.pk}
