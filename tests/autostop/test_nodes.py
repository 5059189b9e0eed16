"""Jobs of several machines: each is heard, and none makes another look idle."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connections

from dispersed_web.autostop import activity, facts, policy
from dispersed_web.autostop.activity import Use
from dispersed_web.autostop.buckets import together
from dispersed_web.autostop.samples import Samples
from dispersed_web.signals import receiver
from dispersed_web.signals.beat import Beat, parse
from dispersed_web.signals.models import Bucket
from dispersed_web.signals.receiver import Outcome
from tests.autostop.plain import MINUTE as A_MINUTE
from tests.autostop.plain import T0, at, heartbeat, quiet
from tests.autostop.watched import HOUR, MINUTE, NOW, make_job, see

NODES = 20


def tell(job: Any, at: dt.datetime, node: int | None, **said: Any) -> Outcome:
    name = "" if node is None else f"node{node}"
    return receiver.accept(job.token, Beat(**{"gpu": 0, "cpu": 0.01} | said, node=name), at).outcome


def use(job: Any, now: dt.datetime) -> activity.Activity:
    see(job, now)
    job.refresh_from_db()
    known = facts.of(job, now)[1]
    return activity.read(known.signals, floor=NOW, now=now)


@pytest.mark.django_db
def test_the_reports_of_many_machines_at_the_same_moment_are_all_heard() -> None:
    job = make_job()
    for minute in range(5):
        outcomes = [tell(job, NOW + minute * MINUTE, node) for node in range(NODES)]
        assert set(outcomes) == {Outcome.TAKEN}


@pytest.mark.django_db
@pytest.mark.parametrize("has_names", [True, False])
def test_one_that_works_among_many_that_do_not_keeps_the_job(has_names: bool) -> None:
    """The last to speak each minute, when the others have used up what one machine may say."""
    job = make_job()
    end = NOW + 2 * HOUR
    for minute in range(60, 121):
        for node in range(NODES):
            tell(
                job,
                NOW + minute * MINUTE + dt.timedelta(seconds=node / 10),
                node if has_names else None,
                gpu=90 if node == NODES - 1 else 0,
            )
    seen = use(job, end + MINUTE / 2)
    assert seen.use == Use.ACTIVE
    assert seen.last_active is not None
    assert seen.last_active.signal == "gpu"
    see(job, end)
    verdict = policy.decide(*facts.of(job, end), end)
    assert (verdict.stop, verdict.warn) == (False, False)


@pytest.mark.django_db
def test_one_that_fell_silent_makes_the_job_blind_and_never_quiet_until_it_is_given_up() -> None:
    job = make_job()
    for minute in range(60, 141):
        tell(job, NOW + minute * MINUTE, 1)
        if minute <= 120:
            tell(job, NOW + minute * MINUTE, 2)
    assert use(job, NOW + 120 * MINUTE).use == Use.QUIET
    assert use(job, NOW + 130 * MINUTE).use == Use.BLIND
    after = use(job, NOW + 140 * MINUTE)
    assert (after.use, after.quiet_since) == (Use.QUIET, NOW + 135 * MINUTE)


@pytest.mark.django_db
def test_what_is_turned_away_tells_of_no_work() -> None:
    job = make_job()
    assert [tell(job, NOW, 1) for _ in range(8)] == [Outcome.TAKEN] * 6 + [Outcome.TOO_OFTEN] * 2
    for said in ({"gpu": 60}, {"cpu": 3.0}, {"net": 10**8}, {"busy": True}, {"key_age": dt.timedelta(0)}):
        assert tell(job, NOW, 1, **said) == Outcome.TAKEN
        assert tell(job, NOW, 1, **said) == Outcome.TOO_OFTEN, "it is known"
    assert tell(job, NOW + receiver.PACE, 1, gpu=60) == Outcome.TAKEN


@pytest.mark.django_db
def test_what_one_job_can_cost_is_bounded_and_those_beyond_are_heard_together() -> None:
    job = make_job()
    for node in range(receiver.MOST_NODES + 5):
        tell(job, NOW, node)
    rows = Bucket.objects.filter(run=job.current_run)
    assert rows.count() == receiver.MOST_NODES + 1
    assert rows.get(node="").count == 5
    assert [tell(job, NOW, 1000 + node) for node in range(5)][-1] == Outcome.TOO_OFTEN
    assert tell(job, NOW, 2000, gpu=90) == Outcome.TAKEN
    assert use(job, NOW + MINUTE).use == Use.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_of_reports_without_a_name_at_the_same_moment_none_that_tells_of_work_is_lost() -> None:
    job = make_job()
    together_now, outcomes = threading.Barrier(4), []

    def report(number: int) -> None:
        together_now.wait()
        said = [{"gpu": 90}, {"cpu": 2.0}, {"net": 10**8}, {"busy": True}][number]
        outcomes.append(tell(job, NOW + dt.timedelta(microseconds=number), None, **said))
        connections.close_all()

    threads = [threading.Thread(target=report, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Outcome.TAKEN] * 4
    row = Bucket.objects.get()
    assert None not in (row.gpu_at, row.cpu_at, row.net_at, row.busy_at)


def test_of_a_machines_name_only_a_digest_is_kept() -> None:
    one, other = parse(b'{"node": "gpu-box-7"}').node, parse(b'{"node": "gpu-box-8"}').node
    assert len(one) == 12
    assert one != other
    assert "gpu" not in one
    assert [parse(body).node for body in (b"{}", b'{"node": 7}', b'{"node": ""}')] == ["", "", ""]


def test_the_evidence_of_several_is_told_once_a_lane() -> None:
    first, second = quiet(0, 60), heartbeat([*quiet_beats(60, gpu=3)])
    seen = activity.read([first, second], floor=at(0), now=at(60))
    gpu = [one for one in seen.evidence if one.signal == "gpu"]
    assert [one.value for one in gpu] == ["≤ 3 %"]
    silent = activity.read([first, quiet(0, 50)], floor=at(0), now=at(60))
    assert [one.value for one in silent.evidence if one.state == "blind"] == ["1 of 2 machines silent"]


def quiet_beats(end: float, **said: Any) -> list[Any]:
    from tests.autostop.plain import every

    return every(A_MINUTE, 0, end, **said)


def test_a_picture_shows_the_busiest_of_several() -> None:
    one = Samples(T0, T0 + A_MINUTE, 2, gpu_top=3, ssh_open=1)
    other = Samples(T0, T0 + 2 * A_MINUTE, 3, gpu_top=80, gpu_busy=2, gpu_at=T0, cpu_top=0.5)
    both = together([one, other])
    assert (both.last_at, both.gpu_top, both.gpu_at, both.cpu_top, both.ssh_open) == (
        T0 + 2 * A_MINUTE,
        80,
        T0,
        0.5,
        1,
    )
    assert together([one]) is one
