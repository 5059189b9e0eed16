"""Two engines look at the same job: what one has said or done since, the other does not say or take back."""

from __future__ import annotations

import pytest

from dispersed_web.autostop import engine
from dispersed_web.autostop.models import VerdictChange
from dispersed_web.jobs import queries
from dispersed_web.jobs.models import Job
from tests.autostop.watched import MINUTE, NOW, beats, make_job, see

pytestmark = pytest.mark.django_db


def test_two_engines_remember_a_verdict_once() -> None:
    job = make_job()
    beats(job, NOW, NOW + 10 * MINUTE)
    seen_by_both = [list(queries.to_evaluate(NOW + 10 * MINUTE)) for _ in range(2)]
    for rows in seen_by_both:
        engine.evaluate(rows, NOW + 10 * MINUTE)
    assert VerdictChange.objects.filter(job=job).count() == 1


def test_an_engine_that_comes_late_says_nothing_of_a_job_that_another_one_warned_of() -> None:
    job = make_job()
    beats(job, NOW, NOW + 46 * MINUTE)
    see(job, NOW + 46 * MINUTE)
    late = list(queries.to_evaluate(NOW + 40 * MINUTE))
    engine.evaluate_due(NOW + 46 * MINUTE)
    engine.evaluate(late, NOW + 40 * MINUTE)
    row = Job.objects.get(pk=job.pk)
    assert row.warned_for is not None
    assert row.verdict_state == "warned"
