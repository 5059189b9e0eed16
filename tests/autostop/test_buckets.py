"""How far back samples are read, and what is known of a source that has none of late."""

from __future__ import annotations

import pytest

from dispersed_web.autostop import facts
from dispersed_web.signals.models import Bucket, Source, bucket_start
from tests.autostop.watched import HOUR, NOW, beat, make_job, make_team

pytestmark = pytest.mark.django_db


def test_a_long_idle_limit_of_one_team_looks_no_further_back_at_others() -> None:
    long = make_job(make_team(high_idle_s=72 * 3600, high_idle_max_s=72 * 3600))
    chosen = make_job(make_team(high_idle_max_s=72 * 3600), idle_limit_s=24 * 3600)
    usual = make_job(make_team(high_idle_max_s=72 * 3600))
    at = NOW + 90 * HOUR
    for job in (long, chosen, usual):
        for hour in range(90):
            first_at = NOW + hour * HOUR
            Bucket.objects.create(
                run=job.current_run,
                source=Source.HEARTBEAT,
                start=bucket_start(first_at),
                first_at=first_at,
                last_at=first_at,
            )
    found = facts.gather([long, chosen, usual], at)
    seen = [len(found[job.pk][1].signals[0].samples) for job in (long, chosen, usual)]
    assert seen == [72, 24, 8]


def test_what_spoke_long_ago_is_known_to_be_silent_and_what_never_did_is_not() -> None:
    job = make_job(uses_logs=True)
    kept = {"start": bucket_start(NOW), "first_at": NOW, "last_at": NOW}
    Bucket.objects.create(run=job.current_run, source=Source.LOG, **kept)
    beat(job, NOW + 20 * HOUR)
    signals = {one.source: one for one in facts.of(job, NOW + 20 * HOUR)[1].signals}
    assert (signals["log"].last_at, signals["log"].samples) == (NOW, ())
    assert len(signals["heartbeat"].samples) == 1
    job.uses_logs = False
    assert [one.source for one in facts.of(job, NOW + 40 * HOUR)[1].signals] == ["heartbeat"]
