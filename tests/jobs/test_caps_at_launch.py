"""Caps and rights of a credential where they count: when a launch is asked for, and in the claim before it is sent."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.credentials.models import Credential, CredentialCaps, CredentialUser
from dispersed_web.jobs import cap_facts
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.launch import StopChoices
from dispersed_web.jobs.models import Job, Market
from dispersed_web.jobs.states import Status
from dispersed_web.teams.models import Membership, Team
from tests import factories
from tests.jobs.world import World

pytestmark = pytest.mark.django_db


def cap(world: World, **caps: Any) -> None:
    CredentialCaps.objects.update_or_create(credential=world.credential, defaults=caps)


def refused(world: World, **overrides: Any) -> str:
    with pytest.raises(LaunchRefused) as found:
        world.request(**overrides)
    assert not Job.objects.filter(status=Status.QUEUED).exists()
    return found.value.code


@pytest.mark.parametrize(
    ("caps", "code"),
    [
        ({"max_active_jobs": 0}, "cap_jobs"),
        ({"max_hourly_usd": "0.68"}, "cap_hourly"),
        ({"task": "BATCH"}, "cap_task"),
        ({"gpu_models": ["H100"]}, "cap_gpu"),
        ({"max_gpu_count": 0}, "cap_gpu_count"),
        ({"regions": ["us-west-2"]}, "cap_regions"),
        ({"images": ["lab/*"]}, "cap_image"),
        ({"max_lifetime_s": 3599}, "cap_lifetime"),
    ],
)
def test_each_cap_is_held_when_a_launch_is_asked_for(world: World, caps: dict[str, Any], code: str) -> None:
    cap(world, **caps)
    assert refused(world) == code


@pytest.mark.parametrize(
    ("caps", "code"),
    [
        ({"max_active_jobs": 0}, "at once"),
        ({"max_hourly_usd": "0.68"}, "burn"),
        ({"gpu_models": ["H100"]}, "GPUs"),
        ({"images": ["lab/*"]}, "not allowed"),
        ({"max_lifetime_s": 3599}, "may last"),
    ],
)
def test_a_cap_set_while_a_launch_waits_holds_in_the_claim(
    world: World, caps: dict[str, Any], code: str
) -> None:
    job = world.request()
    cap(world, **caps)
    world.send(job)
    assert job.status == Status.FAILED
    assert code in job.reason_text
    assert not world.in_ledger(job)


def test_within_its_caps_it_goes(world: World) -> None:
    cap(
        world,
        max_active_jobs=1,
        max_hourly_usd="0.69",
        max_day_usd="0.01",
        max_month_usd="0.01",
        task="PERSISTENT",
        gpu_models=["NVIDIA rtx 5090"],
        max_gpu_count=1,
        images=["dispersednetwork/base:latest"],
        max_lifetime_s=3600,
    )
    assert world.send(world.request()).status == Status.PENDING


def test_a_gpu_by_its_number_is_known_by_the_market(world: World) -> None:
    cap(world, gpu_models=["RTX 5090"])
    order = world.order(gpu_name="", gpu_registry_uuid="0198ac1c-7063-4be8-bb94-57a5bd83548e")
    assert refused(world, order=order) == "cap_gpu"
    gpus = [{"uuid": order.spec.gpu_registry_uuid, "name": "NVIDIA RTX 5090", "vram_gb": 32}]
    Market.objects.create(credential=world.credential, gpus=gpus)
    world.request(order)


def test_a_job_counts_at_its_price_else_its_quote_else_what_its_launcher_allows(world: World) -> None:
    cap(world, max_hourly_usd="5.00")
    job = factories.make_job(
        world.team,
        "RUNNING",
        credential=world.credential,
        hourly_rate_usd="4.32",
        quoted_usd="1",
        created_by=world.user,
    )
    assert refused(world) == "cap_hourly"
    Job.objects.filter(pk=job.pk).update(hourly_rate_usd=None, quoted_usd="4.31", rate_cap_usd="9")
    queued = world.request()
    Job.objects.filter(pk=queued.pk).delete()
    Job.objects.filter(pk=job.pk).update(quoted_usd=None, rate_cap_usd="4.32")
    assert refused(world) == "cap_hourly"
    Job.objects.filter(pk=job.pk).update(rate_cap_usd=None)
    assert refused(world) == "cap_price_unknown"
    no_quote = replace(world.order(), quoted_usd=None)
    Job.objects.filter(pk=job.pk).update(rate_cap_usd="1")
    assert refused(world, order=no_quote) == "cap_price_unknown"
    world.request(replace(no_quote, choices=StopChoices(rate_cap_usd=Decimal(4))))


def test_what_it_spent_today_and_this_month_is_counted_to_the_cent(world: World) -> None:
    now = world.clock.now
    job = factories.make_job(world.team, "COMPLETED", credential=world.credential, now=now)
    start = max(now.replace(hour=0, minute=0, second=0, microsecond=0), now - dt.timedelta(seconds=36))
    seconds = Decimal((now - start).total_seconds())
    factories.make_run(job, started_at=start, ended_at=now, hourly_rate_usd=Decimal(1000))
    spent = (seconds * 1000 / 3600).quantize(Decimal("0.01"))
    cap(world, max_day_usd=spent + Decimal("0.01"))
    Job.objects.filter(pk=world.request().pk).delete()
    cap(world, max_day_usd=spent)
    assert refused(world) == "cap_spent"
    cap(world, max_day_usd=None, max_month_usd=spent)
    assert refused(world) == "cap_spent"


def test_what_was_launched_with_the_keys_before_counts_too(world: World) -> None:
    old = factories.make_credential(world.team, state="retired", successor=world.credential)
    older = factories.make_credential(world.team, state="gone", successor=old)
    factories.make_job(world.team, "RUNNING", credential=older)
    assert cap_facts.lineage(world.credential) == [world.credential.pk, old.pk, older.pk]
    cap(world, max_active_jobs=1)
    assert refused(world) == "cap_jobs"


def test_other_credentials_do_not_count(world: World) -> None:
    factories.make_job(world.team, "RUNNING", credential=factories.make_credential(world.team))
    cap(world, max_active_jobs=1)
    world.request()


def test_no_extension_passes_the_longest_lifetime_of_the_credential(world: World) -> None:
    assert world.request(same_again=True).ceiling_s == world.team.max_lifetime_s
    cap(world, max_lifetime_s=7200)
    assert world.request(same_again=True).ceiling_s == 7200


# Who may use it -------------------------------------------------------------------------------------------------------


def test_a_credential_for_chosen_members_is_for_them_alone(world: World) -> None:
    Credential.objects.update(usable_by="chosen")
    assert refused(world) == "credential_not_for_you"
    CredentialUser.objects.create(credential=world.credential, user=world.user)
    world.request()


def test_a_credential_for_admins_is_not_for_members(world: World) -> None:
    Credential.objects.update(usable_by="admins")
    assert refused(world) == "credential_not_for_you"
    Membership.objects.filter(user=world.user).update(role="admin")
    world.request()


def test_who_loses_the_right_between_asking_and_the_claim_launches_nothing(world: World) -> None:
    Credential.objects.update(usable_by="chosen")
    choice = CredentialUser.objects.create(credential=world.credential, user=world.user)
    job = world.request()
    choice.delete()
    world.send(job)
    assert job.status == Status.FAILED
    assert "not for you" in job.reason_text
    assert not world.in_ledger(job)


@pytest.mark.parametrize("state", ["retired", "gone", "disabled"])
def test_what_is_retired_gone_or_disabled_launches_nothing(world: World, state: str) -> None:
    job = world.request()
    Credential.objects.filter(pk=world.credential.pk).update(state=state)
    world.send(job)
    assert job.status == Status.FAILED
    assert not world.in_ledger(job)


def test_the_teams_turn_is_taken_before_anything_is_counted(world: World) -> None:
    """Two launches of one credential are of one team, so its row, locked first, puts them one after the other."""
    job = world.request()
    Team.objects.filter(pk=world.team.pk).update(launch_seq=7)
    world.send(job)
    assert Team.objects.get(pk=world.team.pk).launch_seq == 8
