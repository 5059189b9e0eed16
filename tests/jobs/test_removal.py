"""Nobody goes without a decision on each of their running jobs; all of it happens, or nothing."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.credentials.models import CredentialUser
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import calendar, handover, removal, sending
from dispersed_web.jobs.errors import JobError, LaunchRefused
from dispersed_web.jobs.models import ENDED, CalendarFeed, Job
from dispersed_web.jobs.states import Reason
from dispersed_web.notifications.readers import readers
from dispersed_web.teams import api_tokens, keeping
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import Membership
from tests import factories as make
from tests.jobs.test_races import at_once
from tests.jobs.world import World

NOW = timezone.now()


class Lab:
    """Ana owns the team, Cem is a member, Bob goes."""

    def __init__(self, role: str = "member") -> None:
        self.ana = make.make_user("ana@example.org", "Ana")
        self.team = make.make_team(owner=self.ana)
        self.bob = make.make_member(self.team, role, make.make_user("bob@example.org", "Bob"))
        self.cem = make.make_member(self.team, user=make.make_user("cem@example.org", "Cem"))

    def job(self, status: str = "RUNNING", **fields: Any) -> Job:
        return make.make_job(self.team, status, created_by=self.bob, owner=self.bob, **fields)

    def go(self, fates: dict[Job, Any] | None = None, by: Any = None, **more: Any) -> removal.Removed:
        decided = {job.pk: fate for job, fate in (fates or {}).items()}
        actor = Actor.person(by or self.ana)
        return removal.remove(self.team, self.bob, decided, actor=actor, now=NOW, **more)

    def is_in(self) -> bool:
        return Membership.objects.filter(team=self.team, user=self.bob).exists()


@pytest.fixture
def lab(db: None) -> Lab:
    return Lab()


def now(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_each_job_goes_its_way(lab: Lab) -> None:
    given, also, stopped = lab.job(), lab.job("PREPARING"), lab.job("UNCONFIRMED")
    done = lab.go({given: lab.ana, also: lab.cem, stopped: None})
    assert (done.handed_over, done.stopped) == (2, (stopped.pk,))
    assert [now(job).owner for job in (given, also)] == [lab.ana, lab.cem]
    assert now(given).created_by == lab.bob
    assert now(given).stop_requested_at is None
    asked = now(stopped)
    assert (asked.stop_reason, asked.stop_requested_by) == (Reason.USER, lab.ana)
    assert not lab.is_in()


@pytest.mark.parametrize("left_out", [0, 1])
def test_with_a_job_left_out_nothing_happens(lab: Lab, left_out: int) -> None:
    jobs = [lab.job(), lab.job()]
    jobs.pop(left_out)
    with pytest.raises(JobError) as refused:
        lab.go({jobs[0]: None})
    assert refused.value.code == "outdated"
    assert lab.is_in()
    assert not Job.objects.exclude(stop_requested_at=None).exists()
    assert not Event.objects.exists()


def test_what_was_not_sent_ends_without_being_asked(lab: Lab) -> None:
    job = lab.job("QUEUED")
    assert lab.go().stopped == (job.pk,)
    assert now(job).status == "CANCELLED"


def test_what_is_being_stopped_needs_no_decision_but_a_stop_for_idleness_may_be_called_off(lab: Lab) -> None:
    lab.job(stop_requested_at=NOW)
    idle = lab.job(stop_requested_at=NOW, stop_reason=Reason.IDLE, stop_attempts=0)
    assert list(removal.undecided(lab.team, lab.bob)) == [idle]
    lab.go({idle: None})
    assert now(idle).stop_reason == Reason.USER


@pytest.mark.parametrize("who", ["bob himself", "a viewer", "a stranger", "a program"])
def test_a_job_goes_to_nobody_who_cannot_answer_for_it(lab: Lab, who: str) -> None:
    heir = {
        "bob himself": lambda: lab.bob,
        "a viewer": lambda: make.make_member(lab.team, "viewer"),
        "a stranger": make.make_user,
        "a program": lambda: make.make_member(lab.team, user=make.make_user(is_service=True)),
    }[who]()
    job = lab.job()
    with pytest.raises(JobError):
        lab.go({job: heir})
    assert lab.is_in()
    assert now(job).owner == lab.bob
    assert heir not in removal.heirs(lab.team, lab.bob)


def test_somebody_leaves_with_a_choice_for_each_job(lab: Lab) -> None:
    kept, stopped = lab.job(), lab.job()
    lab.go({kept: lab.cem, stopped: None}, by=lab.bob)
    assert now(kept).owner == lab.cem
    assert now(stopped).stop_requested_by == lab.bob
    assert Event.objects.filter(kind="member.left").exists()
    assert not Event.objects.filter(kind="account.removed").exists()


def test_a_viewer_who_leaves_stops_nothing(db: None) -> None:
    lab = Lab("viewer")
    job = lab.job()
    with pytest.raises(JobError):
        lab.go({job: None}, by=lab.bob)
    assert lab.is_in()
    lab.go({job: lab.ana}, by=lab.bob)
    assert not lab.is_in()


def test_who_may_not_remove_does_neither_that_nor_anything_else(lab: Lab) -> None:
    job = lab.job()
    for actor in (lab.cem, make.make_user(), make.make_user(is_site_admin=True)):
        with pytest.raises((TeamRefused, JobError)):
            lab.go({job: lab.ana}, by=actor)
    assert now(job).owner == lab.bob
    assert lab.is_in()
    assert not Event.objects.exists()


def test_the_last_owner_stays_with_their_jobs(lab: Lab) -> None:
    job = make.make_job(lab.team, created_by=lab.ana, owner=lab.ana)
    with pytest.raises(TeamRefused) as refused:
        removal.remove(lab.team, lab.ana, {job.pk: lab.cem}, actor=Actor.person(lab.ana), now=NOW)
    assert refused.value.code == "last_owner"
    assert now(job).owner == lab.ana


def test_whoever_administers_the_installation_removes_from_outside_and_hands_to_owners(lab: Lab) -> None:
    admin = make.make_user("root@example.org", "Root", is_site_admin=True)
    job = lab.job()
    for fate in (lab.cem, None):
        with pytest.raises(JobError):
            lab.go({job: fate}, by=admin, from_outside=True)
    with pytest.raises(TeamRefused):
        lab.go({job: lab.ana}, by=make.make_user(), from_outside=True)
    lab.go({job: lab.ana}, by=admin, from_outside=True)
    assert now(job).owner == lab.ana
    assert not lab.is_in()
    event = Event.objects.get(kind="member.removed")
    assert event.actor_user == admin
    assert readers(event) == {lab.ana.pk}
    assert readers(Event.objects.get(kind="account.removed")) == {lab.bob.pk}


def test_what_was_theirs_ends_with_them(lab: Lab) -> None:
    key = make.make_credential(lab.team, name="Lab account", created_by=lab.bob)
    CredentialUser.objects.create(credential=key, user=lab.bob)
    calendar.make(lab.bob, lab.team, now=NOW)
    calendar.make(lab.bob, None, now=NOW)
    _, text = api_tokens.create(
        lab.team,
        lab.bob,
        name="t",
        scope="read",
        lifetime=dt.timedelta(days=1),
        actor=make.LAUNCHER,
        now=NOW,
    )
    assert lab.go().keys == ("Lab account",)
    assert api_tokens.find(text, NOW) is None
    assert list(CalendarFeed.objects.values_list("team", flat=True)) == [None]
    assert not CredentialUser.objects.exists()
    event = Event.objects.get(kind="member.may_know_keys")
    assert "Lab account" in event.sentence
    assert readers(event) == {lab.ana.pk}


def test_the_owners_hear_of_tokens_of_the_team_that_go_on_without_who_made_them(db: None) -> None:
    lab = Lab("admin")
    for name in ("Nightly", "Old"):
        token, _ = api_tokens.create_service(
            lab.team,
            name=name,
            scope="admin",
            lifetime=dt.timedelta(days=1),
            actor=Actor.person(lab.bob),
            now=NOW,
        )
    api_tokens.revoke(token, actor=Actor.person(lab.ana), now=NOW)
    assert lab.go().keys == ("Nightly (API token)",)
    assert "Nightly (API token)" in Event.objects.get(kind="member.may_know_keys").sentence


@pytest.mark.django_db(transaction=True)
def test_their_queued_launch_is_refused_at_its_claim_whoever_owns_it_now(sandbox: Any) -> None:
    world = World(sandbox)
    owner = make.owner_of(world.team)
    job = world.request()
    handover.hand_over(job, owner, actor=world.actor, now=world.clock.now)
    removal.remove(world.team, world.user, {}, actor=Actor.person(owner), now=world.clock.now)
    assert world.send(job).status == "FAILED"
    assert "You may not launch" in job.reason_text
    assert not sandbox.control.jobs()


@pytest.mark.django_db(transaction=True)
def test_a_launch_during_the_removal_is_refused_or_makes_it_be_asked_again(sandbox: Any) -> None:
    """In no order does a launch go out whose person is out of the team, and no running job stays with them."""
    world = World(sandbox)
    owner = make.owner_of(world.team)
    for _ in range(4):
        Membership.objects.get_or_create(team=world.team, user=world.user, defaults={"role": "member"})
        launched, removed = at_once(
            [
                lambda: world.request(form_token=uuid.uuid4().hex, same_again=True),
                lambda: removal.remove(
                    world.team, world.user, {}, actor=Actor.person(owner), now=world.clock.now
                ),
            ]
        )
        assert isinstance(launched, Job | LaunchRefused), launched
        assert isinstance(removed, removal.Removed | JobError), removed
        if isinstance(removed, removal.Removed):
            theirs = Job.objects.filter(owner=world.user).exclude(status__in=ENDED)
            assert not theirs.exists()
        for job in Job.objects.exclude(status__in=ENDED):
            if isinstance(removed, removal.Removed):
                sending.send(job.pk, world.clock)
        Job.objects.all().delete()
    assert not sandbox.control.jobs()


@pytest.mark.django_db(transaction=True)
def test_a_job_that_changes_hands_during_the_removal_stays_with_no_stranger() -> None:
    for _ in range(4):
        team = make.make_team()
        owner, bob = make.owner_of(team), make.make_member(team)
        job = make.make_job(team, created_by=owner, owner=owner)
        by = Actor.person(owner)
        handed, removed = at_once(
            [
                lambda job=job, bob=bob, by=by: handover.hand_over(job, bob, actor=by, now=NOW),
                lambda team=team, bob=bob, by=by: removal.remove(team, bob, {}, actor=by, now=NOW),
            ]
        )
        is_in = Membership.objects.filter(team=team, user=bob).exists()
        assert is_in == isinstance(removed, JobError), (handed, removed)
        assert (now(job).owner == bob) == is_in


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["both leave", "each removes the other", "one leaves, one steps down"] * 2)
def test_of_two_owners_who_go_at_once_one_stays(way: str) -> None:
    team = make.make_team()
    first, second = make.owner_of(team), make.make_member(team, "owner")

    def go(person: Any, by: Any) -> Any:
        return removal.remove(team, person, {}, actor=Actor.person(by), now=NOW)

    def step_down() -> Any:
        return keeping.change_role(team, second, "admin", actor=Actor.person(second), now=NOW)

    acts = {
        "both leave": [lambda: go(first, first), lambda: go(second, second)],
        "each removes the other": [lambda: go(second, first), lambda: go(first, second)],
        "one leaves, one steps down": [lambda: go(first, first), step_down],
    }[way]
    results = at_once(acts)
    assert sum(isinstance(one, TeamRefused) for one in results) == 1, results
    assert team.memberships.filter(role="owner").count() == 1
