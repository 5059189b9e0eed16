"""Who belongs to a team: the rules hold in the domain, whichever door is used, also when two act at once."""

import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.teams import keeping
from dispersed_web.teams.keeping import OPERATOR, TeamRefused
from dispersed_web.teams.models import ApiToken, Membership, Team
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return make.make_team()


def act(team, role):
    return Actor.person(make.make_member(team, role))


def role_of(team, user):
    return Membership.objects.filter(team=team, user=user).values_list("role", flat=True).first()


def kinds(team):
    return list(Event.objects.filter(team=team).order_by("id").values_list("kind", flat=True))


def test_a_new_team_has_its_owner_and_an_event():
    user = make.make_user()
    team = keeping.create_team("Vision Lab", user, actor=Actor.person(user), now=timezone.now())
    assert (team.slug, role_of(team, user), kinds(team)) == ("vision-lab", "owner", ["team.created"])


@pytest.mark.parametrize("name", ["Vision Lab", "日本", "!!!", "x" * 60])
def test_every_name_gets_an_address_of_its_own(name):
    user = make.make_user()
    made = [keeping.create_team(name, user, actor=OPERATOR, now=timezone.now()) for _ in range(3)]
    assert len({team.slug for team in made}) == 3
    assert all(team.slug and len(team.slug) <= 60 for team in made)


@pytest.mark.parametrize("actor_role", ["viewer", "member", "admin", "owner"])
@pytest.mark.parametrize("new_role", ["viewer", "member", "admin", "owner"])
def test_who_adds_whom(team, actor_role, new_role):
    allowed = (actor_role == "owner") or (actor_role == "admin" and new_role != "owner")
    user, actor = make.make_user(), act(team, actor_role)
    if allowed:
        keeping.add_member(team, user, new_role, actor=actor, now=timezone.now())
        assert kinds(team) == ["member.added"]
    else:
        with pytest.raises(TeamRefused):
            keeping.add_member(team, user, new_role, actor=actor, now=timezone.now())
        assert kinds(team) == []
    assert role_of(team, user) == (new_role if allowed else None)


def test_nobody_is_added_twice(team):
    user = make.make_member(team, "viewer")
    with pytest.raises(TeamRefused, match="already"):
        keeping.add_member(team, user, "member", actor=OPERATOR, now=timezone.now())
    assert role_of(team, user) == "viewer"


def test_an_admin_of_another_team_changes_nobody(team):
    other = make.make_team()
    stranger = act(other, "owner")
    user = make.make_member(team, "member")
    for change in (
        lambda: keeping.change_role(team, user, "admin", actor=stranger, now=timezone.now()),
        lambda: keeping.remove_member(team, user, actor=stranger, now=timezone.now()),
        lambda: keeping.set_limits(team, {"launches_frozen": True}, actor=stranger, now=timezone.now()),
    ):
        with pytest.raises(TeamRefused):
            change()
    assert role_of(team, user) == "member"


def test_the_last_owner_stays(team):
    owner = make.owner_of(team)
    me = Actor.person(owner)
    for change in (
        lambda: keeping.change_role(team, owner, "admin", actor=me, now=timezone.now()),
        lambda: keeping.remove_member(team, owner, actor=me, now=timezone.now()),
        lambda: keeping.leave(team, owner, actor=me, now=timezone.now()),
        lambda: keeping.remove_member(team, owner, actor=OPERATOR, now=timezone.now()),
    ):
        with pytest.raises(TeamRefused) as refused:
            change()
        assert refused.value.code == "last_owner"
    assert role_of(team, owner) == "owner"
    assert kinds(team) == []


def test_an_owner_leaves_when_there_is_another(team):
    first = make.owner_of(team)
    second = make.make_member(team, "owner")
    keeping.leave(team, first, actor=Actor.person(first), now=timezone.now())
    assert (role_of(team, first), role_of(team, second)) == (None, "owner")
    assert kinds(team) == ["member.left"]


def test_the_event_of_a_change_names_both_roles(team):
    user = make.make_member(team, "viewer")
    owner = Actor.person(make.owner_of(team))
    assert keeping.change_role(team, user, "admin", actor=owner, now=timezone.now())
    assert not keeping.change_role(team, user, "admin", actor=owner, now=timezone.now())
    event = Event.objects.get(team=team)
    assert (event.kind, event.data["before"], event.data["to"]) == ("member.role_changed", "viewer", "admin")
    assert event.actor_user_id == owner.user_id


def test_who_goes_loses_the_tokens_of_that_team_only(team):
    user = make.make_member(team, "member")
    other = make.make_team(owner=user)
    for place in (team, other):
        ApiToken.objects.create(
            team=place, user=user, name="t", digest=str(place.pk), prefix="dwp_", scope="read",
            expires_at=timezone.now(),
        )  # fmt: skip
    keeping.remove_member(team, user, actor=OPERATOR, now=timezone.now())
    revoked = dict(ApiToken.objects.values_list("team", "revoked_at"))
    assert revoked[team.pk] is not None
    assert revoked[other.pk] is None


def test_limits_change_with_an_event_of_before_and_after(team):
    owner = Actor.person(make.owner_of(team))
    wanted = {"max_active_jobs": 3, "max_hourly_usd": Decimal("12.50"), "default_lifetime_s": 3600}
    assert keeping.set_limits(team, wanted, actor=owner, now=timezone.now())
    assert not keeping.set_limits(team, wanted, actor=owner, now=timezone.now())
    team.refresh_from_db()
    assert {name: getattr(team, name) for name in wanted} == wanted
    event = Event.objects.get(team=team)
    assert event.data["before"]["max_active_jobs"] is None
    assert event.data["after"]["max_hourly_usd"] == "12.50"


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"default_lifetime_s": 59}, "default_lifetime_s"),
        ({"max_lifetime_s": 3600, "default_lifetime_s": 7200}, "max_lifetime_s"),
        ({"max_lifetime_s": 400 * 24 * 3600}, "max_lifetime_s"),
        ({"warn_lead_s": 8 * 24 * 3600}, "warn_lead_s"),
        ({"warn_lead_s": 0}, "warn_lead_s"),
    ],
)
def test_limits_that_do_not_fit_are_refused(team, limits, field):
    with pytest.raises(TeamRefused) as refused:
        keeping.set_limits(team, limits, actor=OPERATOR, now=timezone.now())
    assert refused.value.field == field
    assert kinds(team) == []


@pytest.mark.parametrize(
    ("role", "before", "after", "allowed"),
    [
        ("admin", None, 10, True),
        ("admin", 10, 5, True),
        ("admin", 10, 11, False),
        ("admin", 10, None, False),
        ("owner", 10, None, True),
        ("owner", 10, 11, True),
        ("member", 10, 5, False),
    ],
)
def test_only_owners_raise_the_spending(team, role, before, after, allowed):
    Team.objects.filter(pk=team.pk).update(max_hourly_usd=before)
    actor = act(team, role)
    wanted = {"max_hourly_usd": after if after is None else Decimal(after)}
    if allowed:
        keeping.set_limits(team, wanted, actor=actor, now=timezone.now())
    else:
        with pytest.raises(TeamRefused):
            keeping.set_limits(team, wanted, actor=actor, now=timezone.now())
    assert Team.objects.get(pk=team.pk).max_hourly_usd == (after if allowed else before)


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_demote_each_other_at_once_leave_one():
    """Each alone would be allowed. Without the lock both count two owners and both go."""
    for _ in range(3):
        team = make.make_team()
        first, second = make.owner_of(team), make.make_member(team, "owner")
        ready = threading.Barrier(2)
        outcomes = []

        def demote(actor, target, team=team, ready=ready, outcomes=outcomes):
            ready.wait()
            try:
                keeping.change_role(team, target, "viewer", actor=Actor.person(actor), now=timezone.now())
                outcomes.append("done")
            except TeamRefused:
                outcomes.append("refused")
            finally:
                connection.close()

        pairs = [(first, second), (second, first)]
        threads = [threading.Thread(target=demote, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["done", "refused"]
        assert team.memberships.filter(role="owner").count() == 1
