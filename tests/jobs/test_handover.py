"""Another member answers for a job from then on."""

from __future__ import annotations

import threading

import pytest
from django.db import transaction
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import handover, spending
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.notifications import outbox
from dispersed_web.notifications.models import Delivery, Wishes
from dispersed_web.teams import keeping as teams
from dispersed_web.teams.models import AutostopPolicy, Membership
from tests import factories as make
from tests.jobs.test_races import at_once
from tests.waiting import LIMIT_S


class Lab:
    """A team whose job belongs to Bob."""

    def __init__(self, **fields) -> None:
        self.now = timezone.now()
        self.ana = make.make_user("ana@example.org", "Ana")
        self.team = make.make_team(owner=self.ana)
        self.bob = make.make_member(self.team, user=make.make_user("bob@example.org", "Bob"))
        self.cem = make.make_member(self.team, user=make.make_user("cem@example.org", "Cem"))
        self.job = make.make_job(self.team, created_by=self.bob, owner=self.bob, **fields)

    def give(self, to: User, by: User, job: Job | None = None) -> bool:
        job = job or Job.objects.get(pk=self.job.pk)
        return handover.hand_over(job, to, actor=Actor.person(by), now=self.now)

    def owner(self) -> User | None:
        return Job.objects.get(pk=self.job.pk).owner


@pytest.fixture
def lab(db):
    return Lab()


def told(way: str = "inbox") -> list[str]:
    outbox.fan_out(timezone.now())
    rows = Delivery.objects.filter(event__kind="job.handed_over", way=way)
    return sorted(rows.values_list("user__name", flat=True))


def test_its_owner_hands_it_over_and_the_new_one_is_told(lab):
    assert lab.give(lab.cem, by=lab.bob)
    assert lab.owner() == lab.cem
    assert Job.objects.get().created_by == lab.bob
    assert Event.objects.get().sentence == "Bob handed the job to Cem."
    assert told() == ["Cem"]


def test_an_admin_hands_it_over_and_both_are_told(lab):
    assert lab.give(lab.cem, by=lab.ana)
    assert Event.objects.get().sentence == "Ana handed the job of Bob to Cem."
    assert told() == ["Bob", "Cem"]


def test_an_admin_takes_it_and_the_old_owner_is_told(lab):
    assert lab.give(lab.ana, by=lab.ana)
    assert Event.objects.get().sentence == "Ana took the job of Bob over."
    assert told() == ["Bob"]


def test_who_wants_no_mail_gets_none(lab):
    Wishes.objects.create(user=lab.bob, email_my_jobs=False)
    lab.give(lab.cem, by=lab.ana)
    assert told("email") == ["Cem"]


def test_to_hand_it_to_its_owner_changes_nothing(lab):
    assert not lab.give(lab.bob, by=lab.ana)
    assert not Event.objects.exists()


def test_another_member_may_not(lab):
    with pytest.raises(JobError) as refused:
        lab.give(lab.cem, by=lab.cem)
    assert (refused.value.code, lab.owner()) == ("not_allowed", lab.bob)
    assert not Event.objects.exists()


def test_an_owner_who_only_looks_by_now_may_not(lab):
    Membership.objects.filter(user=lab.bob).update(role="viewer")
    with pytest.raises(JobError):
        lab.give(lab.cem, by=lab.bob)


@pytest.mark.parametrize("kind", ["stranger", "viewer", "inactive"])
def test_only_an_active_member_who_may_launch_takes_it(lab, kind):
    to = make.make_user() if kind == "stranger" else make.make_member(lab.team, "viewer")
    if kind == "inactive":
        to = make.make_member(lab.team, user=make.make_user(is_active=False))
    with pytest.raises(JobError) as refused:
        lab.give(to, by=lab.ana)
    assert (refused.value.field, lab.owner()) == ("to", lab.bob)
    assert to not in handover.candidates(lab.job)


def test_those_who_may_take_it_are_offered_by_name(lab):
    make.make_member(lab.team, "viewer")
    assert [str(one) for one in handover.candidates(lab.job)] == ["Ana", "Cem"]


def test_a_job_whose_owner_is_gone_is_given_by_an_admin(lab):
    Job.objects.update(owner=None)
    with pytest.raises(JobError):
        lab.give(lab.cem, by=lab.cem)
    assert lab.give(lab.cem, by=lab.ana)
    assert lab.owner() == lab.cem


@pytest.mark.django_db
def test_a_job_that_is_being_stopped_is_handed_over_all_the_same():
    lab = Lab(stop_requested_at=timezone.now())
    before = Job.objects.values("limits_version", "stop_token", "stop_next_at").get()
    assert lab.give(lab.cem, by=lab.bob)
    assert Job.objects.values("limits_version", "stop_token", "stop_next_at").get() == before


def test_budgets_go_on_counting_for_who_launched_it(lab):
    make.make_run(lab.job)
    AutostopPolicy.objects.update_or_create(team=lab.team, defaults={"member_day_usd": 100})
    limits = spending.limits(AutostopPolicy.of(lab.team.pk), lab.now)
    lab.give(lab.cem, by=lab.bob)
    assert [one.user_id for one in spending.accounts(limits, lab.now)] == [lab.bob.pk]


def test_of_two_who_hand_it_over_at_once_the_second_is_told(lab):
    seen = Job.objects.get(pk=lab.job.pk)
    lab.give(lab.cem, by=lab.ana)
    with pytest.raises(JobError) as refused:
        lab.give(lab.ana, by=lab.ana, job=seen)
    assert (refused.value.code, lab.owner()) == ("outdated", lab.cem)


def test_jobs_of_who_leaves_go_to_another(lab):
    second, other = (make.make_job(lab.team, created_by=lab.bob) for _ in range(2))
    given = [lab.job, second]
    handover.hand_over_these(lab.team, given, lab.bob, lab.ana, actor=Actor.person(lab.ana), now=lab.now)
    owners = {job.pk: job.owner for job in Job.objects.select_related("owner")}
    assert [owners[one.pk] for one in (*given, other)] == [lab.ana, lab.ana, lab.bob]
    assert Event.objects.filter(kind="job.handed_over").count() == 2


def test_nothing_goes_to_somebody_who_is_no_member(lab):
    actor = Actor.person(lab.ana)
    with pytest.raises(JobError), transaction.atomic():
        handover.hand_over_these(lab.team, [lab.job], lab.bob, make.make_user(), actor=actor, now=lab.now)
    assert lab.owner() == lab.bob


@pytest.mark.django_db(transaction=True)
def test_a_handover_and_the_removal_of_the_new_owner_meet():
    """Whoever comes first, a job never goes to somebody who was out by then."""
    for _ in range(3):
        User.objects.all().delete()
        lab = Lab()
        start = threading.Barrier(2)

        def give(lab=lab, start=start):
            start.wait()
            return lab.give(lab.cem, by=lab.ana)

        def remove(lab=lab, start=start):
            start.wait()
            teams.remove_member(lab.team, lab.cem, actor=Actor.person(lab.ana), now=lab.now)

        given, removed = at_once([give, remove])
        assert removed is None
        order = list(
            Event.objects.filter(team=lab.team, kind__in=["job.handed_over", "member.removed"])
            .order_by("id")
            .values_list("kind", flat=True)
        )
        if given is True:
            assert order == ["job.handed_over", "member.removed"]
        else:
            assert isinstance(given, JobError), given
            assert (lab.owner(), order) == (lab.bob, ["member.removed"])


@pytest.mark.django_db(transaction=True)
def test_a_removal_under_way_is_waited_for():
    """The handover begins while the removal is not committed yet: PostgreSQL lets it wait at the team's row."""
    lab = Lab()
    inside, begun = threading.Event(), threading.Event()

    def remove():
        with transaction.atomic():
            teams.remove_member(lab.team, lab.cem, actor=Actor.person(lab.ana), now=lab.now)
            inside.set()
            begun.wait(0.3)  # so long the two are in each other's way

    def give():
        assert inside.wait(LIMIT_S)
        begun.set()
        return lab.give(lab.cem, by=lab.ana)

    _, given = at_once([remove, give])
    assert isinstance(given, JobError)
    assert (given.code, lab.owner()) == ("no_member", lab.bob)
