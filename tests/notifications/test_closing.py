"""Deleting a team: nothing runs on, no secret stays, nobody gets in; jobs and events stay as rows."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.credentials.models import Credential, TeamSecret
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import calendar, closing
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.models import CalendarFeed, Job, UnmanagedJob
from dispersed_web.jobs.states import Status
from dispersed_web.notifications.closing import delete_team
from dispersed_web.notifications.models import Channel
from dispersed_web.notifications.readers import readers
from dispersed_web.teams import invitations, keeping
from dispersed_web.teams.keeping import OPERATOR, TeamRefused
from dispersed_web.teams.models import ApiToken, Invitation, Membership, Team
from tests import factories as make
from tests.jobs.test_races import at_once
from tests.jobs.world import World

NOW = timezone.now()


@pytest.fixture
def team(db: None) -> Team:
    return make.make_team("Vision Lab", slug="vision-lab")


def delete(team: Team, by: Any = None, name: str = "Vision Lab") -> None:
    delete_team(team, name, actor=Actor.person(by or make.owner_of(team)), now=NOW)


def code_of(*args: Any, **options: Any) -> str:
    with pytest.raises(TeamRefused) as refused:
        delete(*args, **options)
    return refused.value.code


def unmanaged(team: Team, **fields: Any) -> UnmanagedJob:
    key = team.credentials.first() or make.make_credential(team)
    values = {"status": "RUNNING", "title": "t", "task": "BATCH", "first_seen_at": NOW, "seen_at": NOW}
    return UnmanagedJob.objects.create(credential=key, remote_uuid=uuid.uuid4(), **values | fields)


def test_everybody_is_out_every_secret_gone_and_the_address_free(team: Team) -> None:
    owner, member = make.owner_of(team), make.make_member(team)
    program = make.make_member(team, "member", make.make_user(is_service=True))
    make.make_credential(team)
    TeamSecret.objects.create(
        team=team, name="Hub", value_sealed="sealed", fingerprint="0" * 8, changed_at=NOW
    )
    make.make_channel(team)
    calendar.make(member, team, now=NOW)
    job = make.make_job(team, "COMPLETED", spec_secrets_sealed="sealed")
    ApiToken.objects.create(
        team=team, user=member, name="t", digest="d", prefix="dwp_", scope="read", expires_at=NOW
    )
    invitations.invite(team, "a@example.org", "member", by_mail=True, actor=Actor.person(owner), now=NOW)
    delete(team)

    team.refresh_from_db()
    assert (team.deleted_at, team.slug) == (NOW, f"deleted-{team.pk.hex[:12]}")
    for model in (Membership, Channel, CalendarFeed, TeamSecret):
        assert not model.objects.exists()
    for model in (ApiToken, Invitation):
        assert not model.objects.filter(revoked_at=None).exists()
    assert list(Credential.objects.values_list("state", "secret_sealed")) == [("gone", "")]
    job.refresh_from_db()
    assert job.spec_secrets_sealed == ""
    program.refresh_from_db()
    assert not program.is_active
    assert Event.objects.get(kind="team.deleted").data["name"] == "Vision Lab"
    told = [readers(event) for event in Event.objects.filter(kind="account.team_deleted")]
    assert told == [{owner.pk}, {member.pk}]
    again = keeping.create_team("Vision Lab", owner, actor=OPERATOR, now=NOW)
    assert again.slug == "vision-lab"


@pytest.mark.parametrize("role", ["viewer", "member", "admin"])
def test_only_an_owner_deletes(team: Team, role: str) -> None:
    assert code_of(team, by=make.make_member(team, role)) == "not_allowed"
    assert code_of(team, by=make.make_user(is_site_admin=True)) == "not_allowed"
    assert code_of(team, by=make.owner_of(make.make_team())) == "not_allowed"


@pytest.mark.parametrize("name", ["", "vision lab", "Vision", "vision-lab"])
def test_the_name_is_typed(team: Team, name: str) -> None:
    make.make_credential(team)
    assert code_of(team, name=name) == "wrong_name"
    assert Credential.objects.get().secret_sealed
    assert Team.objects.get().deleted_at is None


@pytest.mark.parametrize("status", [one for one in Status if one not in ("COMPLETED", "FAILED", "CANCELLED")])
def test_not_while_a_job_runs_or_may_run(team: Team, status: Status) -> None:
    make.make_job(team, status.value)
    assert code_of(team) == "still_runs"
    assert Membership.objects.exists()


def test_not_while_something_runs_on_its_keys_that_was_not_launched_here(team: Team) -> None:
    row = unmanaged(team)
    assert code_of(team) == "still_runs"
    assert "1 job that was not launched here runs on its keys" in closing.sentence(closing.left(team))
    UnmanagedJob.objects.filter(pk=row.pk).update(ignored_at=NOW)
    unmanaged(team, source="team")
    unmanaged(team, source="installation")
    unmanaged(team, status="LOST")
    delete(team)
    assert Team.objects.get().deleted_at


def test_a_deleted_team_is_deleted_once(team: Team) -> None:
    delete(team)
    assert code_of(team, by=make.make_user()) == "deleted"


@pytest.mark.django_db(transaction=True)
def test_a_launch_meanwhile_is_refused_or_keeps_the_team(sandbox: Any) -> None:
    for _ in range(3):
        world = World(sandbox)
        team = world.team
        deleted, launched = at_once(
            [
                lambda team=team: delete(team, name=team.name),
                lambda world=world: world.request(),
            ]
        )
        team.refresh_from_db()
        if team.deleted_at:
            assert isinstance(launched, LaunchRefused), launched
            assert not Job.objects.filter(team=team).exists()
        else:
            assert isinstance(deleted, TeamRefused), deleted
            assert Credential.objects.get(team=team).secret_sealed
        Credential.objects.filter(team=team).update(public_key=uuid.uuid4().hex)


def test_a_stopped_job_whose_end_was_seen_once_keeps_the_key_that_makes_it_sure(team: Team) -> None:
    job = make.make_job(team, "CANCELLED", stop_requested_at=NOW, stop_next_at=NOW)
    assert code_of(team) == "still_runs"
    assert "1 of them in doubt" in closing.sentence(closing.left(team))
    Job.objects.filter(pk=job.pk).update(stop_next_at=None)
    delete(team)
