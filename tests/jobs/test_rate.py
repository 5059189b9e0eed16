"""A run that costs more than was allowed at launch: told at once, stopped after five minutes, unless somebody accepts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web import tasks
from dispersed_web.autostop import choices, engine
from dispersed_web.autostop.extend import accept_rate, extend
from dispersed_web.credentials.models import CredentialCaps
from dispersed_web.events.models import Event
from dispersed_web.jobs import rate
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.launch import Order, StopChoices
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.notifications.readers import readers
from tests import factories
from tests.jobs.world import World

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
CAP = Decimal("1.38")


# What is allowed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "quoted", "cap"),
    [
        (None, "0.69", "1.38"),
        ("1.00", "0.69", "1.00"),
        ("9.00", None, "9.00"),
        (None, None, None),
        (None, "0", None),
        (None, "600000", "999999"),
    ],
)
def test_the_cap_is_what_was_chosen_or_twice_what_was_quoted(
    chosen: str | None, quoted: str | None, cap: str | None
) -> None:
    values = [Decimal(text) if text else None for text in (chosen, quoted)]
    assert rate.cap(*values) == (Decimal(cap) if cap else None)


# The alarm, decided on plain rows ------------------------------------------------------------------------------------


def job_with(**fields: Any) -> Job:
    return Job(rate_cap_usd=CAP, **fields)


def run_at(usd: str | None, minutes: int = 0) -> JobRun:
    return JobRun(hourly_rate_usd=Decimal(usd) if usd else None, first_seen_at=NOW + minutes * MINUTE)


def change(job: Job, *live: JobRun) -> str:
    values = rate.changes(job, live, NOW + 9 * MINUTE)
    if not values:
        return "nothing"
    assert values["rate_accepted_at"] is None
    return "alarm" if values["rate_exceeded_at"] == NOW + 9 * MINUTE else "withdrawn"


def test_only_a_price_above_the_cap_alarms() -> None:
    assert change(job_with(), run_at("1.38")) == "nothing"
    assert change(job_with(), run_at("1.3801")) == "alarm"
    assert change(job_with(), run_at(None)) == "nothing"
    assert change(job_with()) == "nothing"
    assert change(Job(), run_at("99")) == "nothing"


def test_runs_on_several_nodes_count_together() -> None:
    assert change(job_with(), run_at("0.69"), run_at("0.69")) == "nothing"
    assert change(job_with(), run_at("0.69"), run_at("0.69"), run_at("0.69")) == "alarm"


def test_a_run_alarms_once_and_after_an_acceptance_a_later_one_alarms_again() -> None:
    job = job_with(rate_exceeded_at=NOW + MINUTE, rate_accepted_at=NOW + 2 * MINUTE)
    assert change(job, run_at("4.14")) == "nothing"
    assert change(job, run_at("4.14", minutes=3)) == "alarm"
    assert change(job, run_at("4.14"), run_at(None, minutes=3)) == "nothing"
    assert change(job, run_at("4.14"), run_at("1.00", minutes=3)) == "alarm"


def test_runs_that_crash_and_begin_anew_do_not_begin_the_five_minutes_anew() -> None:
    job = job_with(rate_exceeded_at=NOW)
    assert change(job, run_at("4.14")) == "nothing"
    assert change(job) == "nothing"
    assert change(job, run_at("4.14", minutes=4)) == "nothing"


def test_a_price_that_falls_withdraws_the_alarm_and_an_unknown_one_does_not() -> None:
    job = job_with(rate_exceeded_at=NOW)
    assert change(job, run_at("1.38")) == "withdrawn"
    assert change(job, run_at(None)) == "nothing"
    assert change(Job(rate_exceeded_at=NOW), run_at("4.14")) == "withdrawn"


def test_a_job_that_is_being_stopped_alarms_no_more() -> None:
    assert change(job_with(stop_requested_at=NOW), run_at("4.14")) == "nothing"


# Against the simulated cloud -----------------------------------------------------------------------------------------


@pytest.fixture
def surprised(world: World) -> Job:
    """A job for one GPU, quoted at 0.69, that came to a node with six of them."""
    world.control.add_fault("POST /v1/jobs", "six_gpu_node", times=1)
    job = world.launched()
    tick(world, 40)
    tick(world, 5)
    return job


def tick(world: World, seconds: float) -> None:
    """Time passes for us and the cloud, we look, and the engine comes by."""
    world.clock.advance(seconds)
    world.control.advance(seconds)
    assert world.sync()
    for job_id in engine.evaluate_due(world.clock.now):
        tasks.pursue(job_id, world.clock)


def events(job: Job, kind: str) -> list[Event]:
    return list(Event.objects.filter(subject_id=str(job.pk), kind=kind).order_by("id"))


def test_a_six_gpu_node_alarms_the_owner_and_the_admins_at_once(world: World, surprised: Job) -> None:
    surprised.refresh_from_db()
    assert surprised.rate_cap_usd == CAP
    assert surprised.rate_exceeded_at is not None
    (alarm,) = events(surprised, "job.rate_exceeded")
    cost = f"{surprised.hourly_rate_usd:.2f}"
    assert alarm.sentence == (
        f"It costs ${cost} per hour, and at most $1.38 was allowed at launch. Accept the price within 5 minutes, or the "
        "job is stopped."
    )
    assert Decimal(alarm.data["rate_usd"]) == surprised.hourly_rate_usd
    assert Decimal(alarm.data["cap_usd"]) == CAP
    assert readers(alarm) == {world.user.pk, factories.owner_of(world.team).pk}
    for _ in range(3):
        tick(world, 10)
    assert len(events(surprised, "job.rate_exceeded")) == 1


def test_without_an_answer_it_is_stopped_after_five_minutes(world: World, surprised: Job) -> None:
    surprised.refresh_from_db()
    exceeded_at = surprised.rate_exceeded_at
    assert exceeded_at is not None
    while world.clock.now < exceeded_at + 5 * MINUTE - dt.timedelta(seconds=15):
        tick(world, 15)
        surprised.refresh_from_db()
        assert surprised.stop_requested_at is None
    tick(world, 20)
    tick(world, 5)
    surprised.refresh_from_db()
    assert surprised.stop_reason == Reason.RATE
    assert surprised.stop_evidence["sentence"] == (
        f"It costs more than was allowed at launch: ${surprised.hourly_rate_usd or 0:.2f} per hour instead of at most $1.38."
    )
    (warning,) = events(surprised, "job.warned")
    assert warning.data["rule"] == "rate"
    (row,) = world.in_ledger(surprised)
    assert row["status"] == "CANCELLED"


def test_an_accepted_price_stands(world: World, surprised: Job) -> None:
    tick(world, 60)
    surprised.refresh_from_db()
    accept_rate(surprised, actor=world.actor, now=world.clock.now)
    for _ in range(12):
        tick(world, 60)
    surprised.refresh_from_db()
    assert (surprised.stop_requested_at, surprised.warned_for) == (None, None)
    (accepted,) = events(surprised, "job.rate_accepted")
    assert accepted.sentence.endswith("/h. The announced stop is called off.")
    assert not events(surprised, "job.called_off")
    with pytest.raises(JobError, match="no price to accept"):
        accept_rate(surprised, actor=world.actor, now=world.clock.now)


def test_no_price_is_accepted_past_the_cap_of_the_credential(world: World, surprised: Job) -> None:
    """Else naming a GPU without a known price, with a low highest price, would be a way around the cap."""
    surprised.refresh_from_db()
    held = CredentialCaps.objects.create(credential=surprised.credential, max_hourly_usd=CAP)
    with pytest.raises(JobError, match=r"may burn \$1\.38/h") as refused:
        accept_rate(surprised, actor=world.actor, now=world.clock.now)
    assert refused.value.code == "cap_hourly"
    Job.objects.filter(pk=surprised.pk).update(quoted_usd=None)
    surprised.refresh_from_db()
    for usd in (None, Decimal("1.39")):
        allowed = replace(choices.of(surprised), rate_cap_usd=usd)
        with pytest.raises(JobError, match="may burn"):
            choices.change(
                surprised,
                allowed,
                actor=world.actor,
                now=world.clock.now,
                seen_version=surprised.limits_version,
            )
    held.max_hourly_usd = surprised.hourly_rate_usd
    held.save()
    accept_rate(surprised, actor=world.actor, now=world.clock.now)


def test_an_extension_does_not_accept_a_price(world: World, surprised: Job) -> None:
    tick(world, 15)
    surprised.refresh_from_db()
    until = world.clock.now + dt.timedelta(hours=3)
    with pytest.raises(JobError, match="It costs more than was allowed at launch"):
        extend(
            surprised,
            until=until,
            actor=world.actor,
            now=world.clock.now,
            seen_version=surprised.limits_version,
        )


def test_a_price_that_falls_calls_the_stop_off(world: World, surprised: Job) -> None:
    tick(world, 15)
    Job.objects.update(rate_cap_usd=99)  # as if it fell: the cloud's ledger knows one price for each run
    tick(world, 15)
    tick(world, 15)
    surprised.refresh_from_db()
    assert (surprised.rate_exceeded_at, surprised.warned_for) == (None, None)
    (called_off,) = events(surprised, "job.called_off")
    assert called_off.sentence == "The stop is called off, because its price is no longer too high."


def test_a_later_dear_run_alarms_again_although_a_price_was_accepted(world: World, surprised: Job) -> None:
    surprised.refresh_from_db()
    first = surprised.rate_exceeded_at
    accept_rate(surprised, actor=world.actor, now=world.clock.now)
    page = surprised.limits_version + 1
    # The node is lost, and the cloud's next try comes to another dear one.
    old = surprised.runs.get()
    JobRun.objects.filter(pk=old.pk).update(remote_uuid="lost", status="FAILED", ended_at=world.clock.now)
    tick(world, 15)
    surprised.refresh_from_db()
    assert surprised.rate_exceeded_at is not None
    assert first is not None
    assert surprised.rate_exceeded_at > first
    assert surprised.rate_accepted_at is None
    assert len(events(surprised, "job.rate_exceeded")) == 2
    with pytest.raises(JobError, match="changed this job's limits"):
        accept_rate(surprised, actor=world.actor, now=world.clock.now, seen_version=page)


def test_it_is_too_late_to_accept_once_the_stop_was_asked_for(world: World, surprised: Job) -> None:
    for _ in range(11):
        tick(world, 30)
    surprised.refresh_from_db()
    with pytest.raises(TooLate):
        accept_rate(surprised, actor=world.actor, now=world.clock.now)


def test_an_alarm_while_the_job_is_judged_voids_that_verdict(world: World, surprised: Job) -> None:
    """The engine read the job before the alarm; what it stores afterwards must not put the look at it off."""
    surprised.refresh_from_db()
    Job.objects.update(rate_exceeded_at=None, evaluate_at=world.clock.now, warned_for=None, warned_at=None)
    seen = Job.objects.get()
    assert world.sync()
    engine.evaluate([seen], world.clock.now)
    surprised.refresh_from_db()
    assert surprised.rate_exceeded_at is not None
    assert surprised.evaluate_at <= world.clock.now


def test_what_was_ordered_is_stored_with_its_cap(world: World) -> None:
    order = world.order()
    with_own = Order(
        order.title, order.spec, frozenset(), 3600, "", factories.RATE_USD, StopChoices(rate_cap_usd=CAP / 2)
    )
    without_quote = Order(order.title, order.spec, frozenset(), 3600)
    caps = [world.request(one, same_again=True).rate_cap_usd for one in (order, with_own, without_quote)]
    assert caps == [CAP, CAP / 2, None]


def test_without_a_cap_any_price_is_accepted(world: World) -> None:
    world.control.add_fault("POST /v1/jobs", "six_gpu_node", times=1)
    order = world.order()
    job = world.send(world.request(Order(order.title, order.spec, frozenset(), 3600)))
    for _ in range(3):
        tick(world, 20)
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    assert (job.rate_cap_usd, job.rate_exceeded_at) == (None, None)
    assert not events(job, "job.rate_exceeded")
