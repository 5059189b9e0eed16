"""Past jobs of a credential: each brought in once, whatever happens on the way, and none of them counted or warned of."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.autostop import engine, savings
from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Event
from dispersed_web.jobs import figures, history, past, queries, spending
from dispersed_web.jobs.models import HistoryImport, Job, JobRun, Origin
from dispersed_web.jobs.queries import JobFilter
from dispersed_web.teams.models import AutostopPolicy
from tests import factories
from tests.jobs.world import World


def ended(world: World, count: int, age_s: float = 3600) -> list[str]:
    """Jobs that ran on the key and ended, as the cloud keeps them."""
    keys = [world.credential.public_key]
    uuids = world.control.seed_jobs(count, keys=keys, title="old run", age_s=age_s)
    for uuid in uuids:
        world.control.finish_job(uuid)
    return [str(uuid) for uuid in uuids]


def ask(world: World) -> HistoryImport:
    return history.request(world.credential, user=world.user, actor=world.actor, now=world.clock.now)


def go_on(world: World, row: HistoryImport) -> HistoryImport:
    while row.pk in history.due(world.clock.now):
        history.step(row.pk, world.clock)
    row.refresh_from_db()
    return row


def test_ended_jobs_come_in_with_their_times_and_cost(world: World) -> None:
    uuids = ended(world, 3)
    row = go_on(world, ask(world))
    assert (row.state, row.seen, row.brought_in, row.priced) == ("done", 3, 3, 3)
    for job in Job.objects.all():
        seen = world.control.job(job.remote_uuid)
        (billed,) = world.control.billing(job.remote_uuid)
        assert job.remote_uuid in uuids
        assert (job.origin, job.owner, job.created_by, job.lifetime_s) == (Origin.IMPORTED, None, None, None)
        assert job.created_at.timestamp() == pytest.approx(seen["created_ms"] / 1000, abs=1)
        assert (job.status, job.ended_at is not None) == ("COMPLETED", True)
        assert float(job.spent_usd) == pytest.approx(billed["billed_usd"], abs=0.02)
        assert job.spec_secrets_sealed == ""


def test_a_second_import_brings_in_nothing_twice(world: World) -> None:
    ended(world, 3)
    go_on(world, ask(world))
    ended(world, 2)
    row = go_on(world, ask(world))
    assert (row.seen, row.brought_in) == (5, 2)
    assert (Job.objects.count(), JobRun.objects.count()) == (5, 5)


def test_asking_twice_is_one_import(world: World) -> None:
    assert ask(world).pk == ask(world).pk
    assert Event.objects.filter(kind="credential.history_asked").count() == 1


def test_it_is_killed_half_way_and_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(world, 120)
    row = ask(world)
    assert history.step(row.pk, world.clock)
    row.refresh_from_db()
    assert (row.next_page, row.brought_in, Job.objects.count()) == (2, 50, 50)

    def killed(*_: Any, **__: Any) -> None:
        raise SystemExit  # nothing catches it, as nothing catches a kill

    with monkeypatch.context() as patch:
        patch.setattr(history, "_go_on", killed)
        with pytest.raises(SystemExit):
            history.step(row.pk, world.clock)
    row.refresh_from_db()
    assert (row.next_page, Job.objects.count()) == (2, 50)
    # Its lease runs out, as nobody gives it back.
    assert history.due(world.clock.now) == []
    world.clock.advance(125)
    row = go_on(world, row)
    assert (row.state, row.brought_in, Job.objects.count()) == ("done", 120, 120)
    assert JobRun.objects.count() == 120


def test_what_was_launched_or_runs_is_left_alone(world: World) -> None:
    mine = world.launched()
    world.control.seed_jobs(1, keys=[world.credential.public_key], title="live")
    world.control.advance(60)
    world.control.finish_job(mine.remote_uuid)
    row = go_on(world, ask(world))
    assert (row.brought_in, Job.objects.count()) == (0, 1)


def test_another_teams_past_jobs_stay_theirs(world: World) -> None:
    world.control.add_key("pk_sim_theirs000000", "sk_sim_theirs000000", world.sandbox.keys[0][2])
    theirs = factories.make_credential(
        factories.make_team(), world.sandbox, "pk_sim_theirs000000", "sk_sim_theirs000000"
    )
    mine = world.launched()
    world.control.advance(60)
    world.control.finish_job(mine.remote_uuid)
    lost = world.launched()
    world.control.advance(60)
    world.control.finish_job(lost.remote_uuid)
    lost.delete()  # nobody can tell whose it was
    row = history.request(theirs, user=world.user, actor=world.actor, now=world.clock.now)
    assert go_on(world, row).brought_in == 0
    assert list(Job.objects.all()) == [mine]


def test_older_jobs_than_ninety_days_are_left_out(world: World) -> None:
    ended(world, 4, age_s=dt.timedelta(days=150).total_seconds())
    row = go_on(world, ask(world))
    assert (row.state, row.seen) == ("done", Job.objects.count())
    assert 0 < row.seen < 4
    oldest = Job.objects.earliest("created_at").created_at
    assert oldest > world.clock.now - dt.timedelta(days=90)


def test_it_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(world, 120)
    monkeypatch.setattr(history, "MOST_JOBS", 100)
    row = go_on(world, ask(world))
    assert (row.state, row.brought_in, row.is_cut) == ("done", 100, True)


def test_a_fault_is_told_and_tried_again_and_given_up_at_last(world: World) -> None:
    ended(world, 1)
    row = ask(world)
    world.control.add_fault("GET /v1/jobs", "status", status=500)
    history.step(row.pk, world.clock)
    row.refresh_from_db()
    assert (row.state, row.failures, bool(row.failure)) == ("jobs", 1, True)
    world.control.clear_faults()
    world.clock.advance(60)
    assert go_on(world, row).state == "done"
    again = ask(world)
    HistoryImport.objects.filter(pk=again.pk).update(failures=7)
    world.control.add_fault("GET /v1/jobs", "status", status=500)
    history.step(again.pk, world.clock)
    again.refresh_from_db()
    assert (again.state, again.finished_at is not None) == ("failed", True)


def test_history_counts_in_no_figure_and_is_never_warned_of(world: World) -> None:
    ended(world, 2)
    Credential.objects.filter(pk=world.credential.pk).update(account="")
    AutostopPolicy.objects.filter(pk=world.team.pk).delete()
    policy = AutostopPolicy.of(world.team.pk)
    policy.team_day_usd = Decimal(5)
    go_on(world, ask(world))
    Job.objects.update(reason="idle")
    now = world.clock.now
    (account,) = spending.accounts(spending.limits(policy, now), now)
    assert account.budget.spent_usd == 0
    assert figures.spent_since(world.team.pk, now - dt.timedelta(days=1), now) == 0
    assert savings.of_team(world.team.pk, now - dt.timedelta(days=90)) == []
    assert engine.evaluate_due(now) == []
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert kinds == {"credential.history_asked", "credential.history_brought"}
    page = queries.page(world.team.pk, JobFilter(show="all"), now)
    assert len(page.jobs) == 2
    assert queries.page(world.team.pk, JobFilter(), now).jobs == []


def test_an_imported_job_that_the_cloud_shows_alive_is_alive(world: World) -> None:
    (uuid,) = world.control.seed_jobs(1, keys=[world.credential.public_key], title="back again")
    world.sync()
    job = Job.objects.none()
    with_remote = {"remote_uuid": uuid, "origin": Origin.IMPORTED, "lifetime_s": None, "ceiling_s": None}
    job = factories.make_job(world.team, "COMPLETED", credential=world.credential, **with_remote)
    world.clock.advance(5)
    assert world.sync()
    job.refresh_from_db()
    assert job.is_active
    assert Event.objects.get(kind="job.back").audience == "admins"
    # It bills and nobody ever chose its limits, so it gets the team's from now on.
    ends_at = job.launched_at + dt.timedelta(seconds=job.lifetime_s or 0)
    assert abs((ends_at - world.clock.now).total_seconds() - world.team.default_lifetime_s) < 10
    assert (job.ceiling_s or 0) - (job.lifetime_s or 0) == 86400 - 3600


def test_nothing_secret_of_a_past_job_is_kept(world: World) -> None:
    job = world.launched(env={"HF_TOKEN": "canary-token-value"})
    world.control.advance(60)
    world.control.finish_job(job.remote_uuid)
    job.delete()
    Credential.objects.exclude(pk=world.credential.pk).delete()
    assert go_on(world, ask(world)).brought_in == 1
    kept = Job.objects.values().get()
    assert "canary" not in str(kept)
    assert [one["name"] for one in kept["spec"]["env"]] == ["HF_TOKEN"]
    assert past.price(world.credential, [], world.clock.now) == 0
