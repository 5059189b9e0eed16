"""Invitations: one address, one use, three days, no more than their sender may give; also when two act at once."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from dispersed_web.credentials.masking import mask, mask_shapes
from dispersed_web.events.models import Audience, Event
from dispersed_web.events.record import Actor
from dispersed_web.notifications.readers import readers
from dispersed_web.teams import invitations, keeping
from dispersed_web.teams.keeping import OPERATOR, TeamRefused
from dispersed_web.teams.models import Invitation, Membership, Team
from dispersed_web.teams.roles import Role
from tests import factories as make
from tests.jobs.test_races import at_once

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ADDRESS = "new@example.org"


@pytest.fixture
def team():
    return make.make_team("Vision Lab")


@pytest.fixture
def owner(team):
    return Actor.person(make.owner_of(team))


def invite(team, actor, email=ADDRESS, role="member", now=NOW, by_mail=True):
    return invitations.invite(team, email, role, by_mail=by_mail, actor=actor, now=now)


def code_of(act, *args, **options):
    with pytest.raises(TeamRefused) as refused:
        act(*args, **options)
    return refused.value.code


def test_only_the_digest_is_stored_and_only_the_token_finds_it(team, owner):
    made, token = invite(team, owner)
    assert len(token) >= 22
    assert token not in str(Invitation.objects.values().get())
    assert token not in str(list(Event.objects.values()))
    assert invitations.find(token, NOW) == made
    for other in ("", token[:-1], made.digest, "x" * 10_000, "\x00"):
        assert invitations.find(other, NOW) is None


def test_a_token_in_a_log_line_is_masked():
    token = "A" * 43
    for clean in (mask, mask_shapes):
        assert token not in clean(f'"GET /join/{token}/ HTTP/1.1" 302')


def test_joining(team, owner):
    made, token = invite(team, owner, email="  New@Example.org ", role="admin")
    person = make.make_user("new@example.org")
    membership = invitations.accept(made, person, now=NOW)
    assert (membership.role, membership.team) == ("admin", team)
    assert invitations.find(token, NOW) is None
    assert invitations.get(made.pk, NOW) is None
    event = Event.objects.get(kind="member.joined")
    assert event.audience == Audience.OWNERS
    assert readers(event) == {make.owner_of(team).pk}, "who joined knows"


def test_it_holds_for_three_days(team, owner):
    made, token = invite(team, owner)
    assert invitations.find(token, NOW + dt.timedelta(hours=71, minutes=59))
    late = NOW + dt.timedelta(hours=72)
    assert invitations.find(token, late) is None
    assert code_of(invitations.accept, made, make.make_user(ADDRESS), now=late) == "void"
    assert not Membership.objects.filter(user__email=ADDRESS).exists()


def test_it_is_for_one_address(team, owner):
    made, _ = invite(team, owner)
    other = make.make_user("other@example.org")
    with pytest.raises(TeamRefused) as refused:
        invitations.accept(made, other, now=NOW)
    assert refused.value.code == "wrong_address"
    assert ADDRESS not in refused.value.sentence
    assert "n•••@e•••.org" in refused.value.sentence
    assert code_of(invitations.decline, made, other, now=NOW) == "wrong_address"
    assert invitations.get(made.pk, NOW)


@pytest.mark.parametrize("sender", list(Role))
@pytest.mark.parametrize("role", list(Role))
def test_the_role_is_capped_at_the_senders(team, sender, role):
    actor = Actor.person(make.make_member(team, sender))
    allowed = sender == Role.OWNER or (sender == Role.ADMIN and role != Role.OWNER)
    if allowed:
        assert invite(team, actor, role=role)[0].role == role
    else:
        assert code_of(invite, team, actor, role=role) == "not_allowed"
    assert Invitation.objects.exists() == allowed


@pytest.mark.parametrize("email", ["", "no address", "token-1@service.invalid", "a@b\n.org"])
def test_what_is_no_address_is_refused(team, owner, email):
    assert code_of(invite, team, owner, email=email) == "invalid"


def test_members_and_those_who_are_invited_are_not_invited_again(team, owner):
    make.make_member(team, "viewer", make.make_user("in@example.org"))
    assert code_of(invite, team, owner, email="IN@example.org") == "is_member"
    invite(team, owner)
    assert code_of(invite, team, owner, email="NEW@example.org") == "is_invited"
    assert invite(team, owner, now=NOW + dt.timedelta(hours=73))[0]


def test_sent_again_the_old_link_is_dead_and_the_time_begins_anew(team, owner):
    old, token = invite(team, owner)
    later = NOW + dt.timedelta(hours=80)
    new, fresh = invitations.send_again(team, old.pk, actor=owner, now=later)
    assert invitations.find(token, later) is None
    assert invitations.get(old.pk, NOW) is None
    assert invitations.find(fresh, later + dt.timedelta(hours=71)) == new
    assert code_of(invitations.send_again, team, old.pk, actor=owner, now=later) == "gone"


def test_withdrawn(team, owner):
    made, token = invite(team, owner)
    assert invitations.withdraw(team, made.pk, actor=owner, now=NOW)
    assert not invitations.withdraw(team, made.pk, actor=owner, now=NOW)
    assert invitations.find(token, NOW) is None
    assert code_of(invitations.accept, made, make.make_user(ADDRESS), now=NOW) == "void"


def test_declined_is_told_to_who_sent_it(team, owner):
    made, token = invite(team, owner)
    person = make.make_user(ADDRESS)
    assert invitations.decline(made, person, now=NOW)
    assert invitations.find(token, NOW) is None
    assert readers(Event.objects.get(kind="invitation.declined")) == {owner.user_id}


def test_another_teams_invitation_is_not_there(team, owner):
    made, _ = invite(team, owner)
    other = make.make_team()
    stranger = Actor.person(make.owner_of(other))
    assert not invitations.withdraw(other, made.pk, actor=stranger, now=NOW)
    assert code_of(invitations.send_again, other, made.pk, actor=stranger, now=NOW) == "gone"
    assert code_of(invitations.withdraw, team, made.pk, actor=stranger, now=NOW) == "not_allowed"
    assert invitations.get(made.pk, NOW)


@pytest.mark.parametrize("way", ["left", "removed", "demoted", "not active"])
def test_it_is_void_once_its_sender_may_not_invite_any_more(team, owner, way):
    sender = make.make_member(team, "admin")
    made, token = invite(team, Actor.person(sender), role="admin")
    kept, _ = invite(team, owner, email="kept@example.org")
    if way == "left":
        keeping.leave(team, sender, actor=Actor.person(sender), now=NOW)
    elif way == "removed":
        keeping.remove_member(team, sender, actor=owner, now=NOW)
    elif way == "demoted":
        keeping.change_role(team, sender, "member", actor=owner, now=NOW)
    else:
        sender.is_active = False
        sender.save()
    assert invitations.find(token, NOW) is None
    assert code_of(invitations.accept, made, make.make_user(ADDRESS), now=NOW) == "void"
    assert invitations.get(kept.pk, NOW)


def test_a_demotion_leaves_what_the_new_role_may_give_too(team, owner):
    sender = make.make_member(team, "owner")
    for_owner, _ = invite(team, Actor.person(sender), email="a@example.org", role="owner")
    for_member, _ = invite(team, Actor.person(sender), email="b@example.org", role="member")
    keeping.change_role(team, sender, "admin", actor=owner, now=NOW)
    assert invitations.get(for_owner.pk, NOW) is None
    assert invitations.get(for_member.pk, NOW)


def test_who_is_added_otherwise_needs_no_invitation(team, owner):
    made, _ = invite(team, owner)
    person = make.make_user(ADDRESS)
    keeping.add_member(team, person, "viewer", actor=OPERATOR, now=NOW)
    assert invitations.get(made.pk, NOW) is None
    assert code_of(invitations.accept, made, person, now=NOW) == "void"
    assert Membership.objects.get(user=person).role == "viewer"


def test_a_deleted_teams_invitation_is_void(team, owner):
    made, token = invite(team, owner)
    Team.objects.filter(pk=team.pk).update(deleted_at=NOW)
    assert invitations.find(token, NOW) is None
    assert code_of(invitations.accept, made, make.make_user(ADDRESS), now=NOW) == "void"
    assert code_of(invite, team, owner, email="b@example.org") == "deleted"


@pytest.mark.parametrize("text", ["", None, 7, "nonsense", str(uuid.UUID(int=3)), {"a": 1}])
def test_what_a_session_holds_is_taken_for_an_id_or_for_nothing(text):
    assert invitations.get(text, NOW) is None


@pytest.mark.django_db(transaction=True)
def test_accepted_twice_at_once_it_counts_once():
    team = make.make_team()
    owner = Actor.person(make.owner_of(team))
    made, _ = invite(team, owner)
    person = make.make_user(ADDRESS)
    results = at_once([lambda: invitations.accept(made, person, now=NOW)] * 4)
    assert sum(isinstance(one, Membership) for one in results) == 1
    assert {one.code for one in results if isinstance(one, TeamRefused)} <= {"void", "is_member"}
    assert Membership.objects.filter(team=team, user=person).count() == 1
    assert Event.objects.filter(kind="member.joined").count() == 1


@pytest.mark.django_db(transaction=True)
def test_withdrawn_and_accepted_at_once_one_of_both_holds():
    for _ in range(3):
        team = make.make_team()
        owner = Actor.person(make.owner_of(team))
        person = make.make_user()
        made, _ = invite(team, owner, email=person.email)
        accepted, withdrawn = at_once(
            [
                lambda made=made, person=person: invitations.accept(made, person, now=NOW),
                lambda team=team, made=made, owner=owner: invitations.withdraw(
                    team, made.pk, actor=owner, now=NOW
                ),
            ]
        )
        joined = Membership.objects.filter(team=team, user=person).exists()
        assert joined == isinstance(accepted, Membership) == (withdrawn is False)
