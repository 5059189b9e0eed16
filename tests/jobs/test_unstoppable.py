"""A running job that nobody can stop from here is named, whatever became of its key."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.credentials import health
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import Outcome, Unauthorized
from dispersed_web.jobs import unstoppable
from dispersed_web.jobs.states import ENDED, Status
from dispersed_web.jobs.unstoppable import Fault, Key, fault_of, out_of_reach
from tests import factories as make

CLOUD = "https://cloud.test"
OWN = Key(uuid.uuid4(), "Own", CLOUD, "account", CredentialState.ACTIVE)
OTHER = replace(OWN, id=uuid.uuid4(), name="Other")
NEVER_NAMED = {Status.QUEUED, *ENDED}


@pytest.mark.parametrize(
    ("state", "opens", "refused", "stops_refused"),
    list(itertools.product(CredentialState, [True, False], [True, False], [True, False])),
)
def test_a_job_is_named_just_when_it_may_run_and_its_key_stops_nothing(
    state: str, opens: bool, refused: bool, stops_refused: bool
) -> None:
    own = replace(OWN, state=state, opens=opens, is_refused=refused, stops_are_refused=stops_refused)
    works = state in ("active", "disabled", "retired") and opens and not refused and not stops_refused
    for status in Status:
        told = out_of_reach(status, own, [own])
        assert (told is None) == (works or status in NEVER_NAMED), status
        assert told is None or told == (fault_of(own), "")


@pytest.mark.parametrize("status", sorted(set(Status) - NEVER_NAMED))
@pytest.mark.parametrize("state", CredentialState)
@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({}, None),
        ({"state": "disabled"}, None),
        ({"state": "retired"}, None),
        ({"account": ""}, "Other"),
        ({"account": "another"}, ""),
        ({"cloud": "https://other.test"}, ""),
        ({"state": "gone"}, ""),
        ({"state": "broken"}, ""),
        ({"opens": False}, ""),
        ({"is_refused": True}, ""),
        ({"stops_are_refused": True}, ""),
    ],
)
def test_another_key_helps_that_works_and_is_of_the_same_account(
    status: str, state: str, other: dict[str, Any], told: str | None
) -> None:
    own = replace(OWN, state=state, is_refused=state != "gone")
    found = out_of_reach(status, own, [own, replace(OTHER, **other)])
    assert (found and found[1]) == told


def test_whose_own_account_is_not_known_has_no_proven_heir() -> None:
    own = replace(OWN, account="", state="gone")
    assert out_of_reach("RUNNING", own, [own, OTHER]) == (Fault.DESTROYED, "Other")
    assert out_of_reach("RUNNING", own, [own, replace(OTHER, account="")]) == (Fault.DESTROYED, "Other")


@pytest.mark.django_db
def test_a_team_whose_keys_are_all_gone_is_found_with_its_cost() -> None:
    team, other = make.make_team(), make.make_team()
    make.make_job(team, title="Left alone", hourly_rate_usd="1.50")
    make.make_job(team, "COMPLETED")
    make.make_job(other)
    team.credentials.update(state="gone", secret_sealed="")
    for lost in (None, []):
        assert [(one.title, one.fault) for one in unstoppable.find(lost=lost)] == [
            ("Left alone", "destroyed")
        ]
    assert unstoppable.rate_usd(unstoppable.find(team.pk)) == 1.5
    assert unstoppable.find(other.pk) == []


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["active", "disabled", "retired"])
def test_a_key_that_the_cloud_refuses_is_found_in_every_state_until_it_works(state: str) -> None:
    team, now = make.make_team(), timezone.now()
    make.make_job(team)
    team.credentials.update(state=state)
    row = Credential.objects.get()
    health.note_failure(row, Unauthorized("Revoked.", status=401, outcome=Outcome.REFUSED), now)
    assert [one.fault for one in unstoppable.find(team.pk, [])] == ["refused"]
    health.note_success(row, now, now)
    assert unstoppable.find(team.pk, []) == []


@pytest.mark.django_db
def test_jobs_are_read_only_where_a_key_stops_nothing(django_assert_num_queries: Any) -> None:
    team = make.make_team()
    make.make_job(team)
    with django_assert_num_queries(2):
        assert unstoppable.find(lost=[]) == []
    team.credentials.update(state="broken")
    make.make_job(team)
    with django_assert_num_queries(3):
        assert len(unstoppable.find(lost=[])) == 2
