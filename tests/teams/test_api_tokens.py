"""API tokens: shown once, stored as a digest, dead when they expire, are revoked, or their person is out."""

import datetime as dt
import hashlib
import string
import zlib

import pytest
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.notifications.notice import compose
from dispersed_web.notifications.readers import readers
from dispersed_web.teams import api_tokens, keeping
from dispersed_web.teams.keeping import OPERATOR, TeamRefused
from dispersed_web.teams.models import ApiToken, Membership, Team
from tests import factories as make

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def team():
    return make.make_team()


def make_token(team, user, **fields):
    values = {"name": "nightly", "scope": "read", "lifetime": DAY, "now": timezone.now()}
    return api_tokens.create(team, user, actor=Actor.person(user), **values | fields)


def test_the_text_is_found_again_and_stored_nowhere(team):
    user = make.make_member(team, "admin")
    token, text = make_token(team, user, scope="operate")
    assert api_tokens.SHAPE.fullmatch(text)
    found = api_tokens.find(text, timezone.now())
    assert (found, found.user, found.team, found.role) == (token, user, team, "admin")
    row = ApiToken.objects.values().get()
    assert row["digest"] == hashlib.sha256(text.encode()).hexdigest()
    assert text not in str(row)
    assert text[8:] not in str(list(Event.objects.values()))


def test_two_tokens_differ(team):
    user = make.owner_of(team)
    assert len({make_token(team, user)[1] for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-1],
        lambda text: text + "a",
        lambda text: text[:10] + ("a" if text[10] != "a" else "b") + text[11:],
        lambda text: text.upper(),
        lambda text: "",
        lambda text: "dwp_" + "a" * 36,
        lambda text: text + "\n",
    ],
)
def test_a_damaged_token_is_refused_without_a_query(team, damage, django_assert_num_queries):
    _, text = make_token(team, make.owner_of(team))
    with django_assert_num_queries(0):
        assert api_tokens.find(damage(text), timezone.now()) is None


def test_the_last_six_characters_are_a_checksum_of_the_rest(team):
    _, text = make_token(team, make.owner_of(team))
    digits = string.digits + string.ascii_letters
    number = sum(digits.index(char) * 62**place for place, char in enumerate(reversed(text[-6:])))
    assert number == zlib.crc32(text[:-6].encode())


@pytest.mark.parametrize("end", ["expired", "revoked", "removed", "inactive"])
def test_a_dead_token_is_refused(team, end):
    user = make.make_member(team, "member")
    token, text = make_token(team, user)
    now = timezone.now()
    assert api_tokens.find(text, now)
    if end == "expired":
        now += DAY
    elif end == "revoked":
        assert api_tokens.revoke(token, actor=Actor.person(user), now=now)
        assert not api_tokens.revoke(token, actor=Actor.person(user), now=now)
    elif end == "removed":
        Membership.objects.filter(team=team, user=user).delete()
    else:
        type(user).objects.filter(pk=user.pk).update(is_active=False)
    assert api_tokens.find(text, now) is None


def test_whoever_comes_back_does_not_get_the_old_tokens_back(team):
    user = make.make_member(team, "member")
    _, text = make_token(team, user)
    keeping.remove_member(team, user, actor=OPERATOR, now=timezone.now())
    keeping.add_member(team, user, "member", actor=OPERATOR, now=timezone.now())
    assert api_tokens.find(text, timezone.now()) is None


def test_the_role_is_that_of_the_tokens_own_team(team):
    user = make.make_member(team, "member")
    make.make_team(owner=user)
    make.make_member(team, "admin")
    _, text = make_token(team, user)
    assert api_tokens.find(text, timezone.now()).role == "member"


@pytest.mark.parametrize(
    "fields",
    [
        {"scope": "owner"},
        {"name": " "},
        {"name": "n" * 61},
        {"lifetime": dt.timedelta(days=366)},
        {"lifetime": dt.timedelta(0)},
    ],
)
def test_what_no_token_may_be(team, fields):
    with pytest.raises(TeamRefused):
        make_token(team, make.owner_of(team), **fields)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("role", ["viewer", None])
def test_who_may_have_none(team, role):
    user = make.make_member(team, role) if role else make.make_user()
    with pytest.raises(TeamRefused):
        make_token(team, user)


def test_use_is_noted_once_a_minute(team):
    token, _ = make_token(team, make.owner_of(team))
    now = timezone.now()
    for moment, seen in ((now, now), (now + dt.timedelta(seconds=30), now)):
        api_tokens.touch(token, moment, "203.0.113.7" if moment == now else "2001:db8::1")
        token.refresh_from_db()
        assert (token.last_used_at, token.last_used_ip) == (seen, "203.0.113.7")
    later = now + dt.timedelta(seconds=60)
    api_tokens.touch(token, later, "2001:db8::1")
    token.refresh_from_db()
    assert (token.last_used_at, token.last_used_ip) == (later, "2001:db8::1")


def test_making_and_revoking_are_events(team):
    user = make.owner_of(team)
    token, _ = make_token(team, user)
    api_tokens.revoke(token, actor=Actor.person(user), now=timezone.now())
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)) == [
        "token.created",
        "token.revoked",
    ]


def told_of(kind):
    """Whom the events of the kind are told to, in their order."""
    names = dict(User.objects.values_list("pk", "name"))
    return [{names[pk] for pk in readers(one)} for one in Event.objects.filter(kind=kind).order_by("pk")]


@pytest.mark.parametrize(
    ("scope", "people"), [("read", {"Ben"}), ("operate", {"Ben"}), ("admin", {"Ben", "Olga"})]
)
def test_whoever_a_new_token_acts_for_is_told_and_the_owners_of_powerful_ones(scope, people):
    team = make.make_team(owner=make.make_user(name="Olga"))
    ben = make.make_member(team, "admin", user=make.make_user(name="Ben"))
    make.make_member(team, "admin", user=make.make_user(name="Bystander"))
    make_token(team, ben, scope=scope)
    assert told_of("token.created") == [people]


def test_of_a_token_of_the_team_the_owners_are_told():
    team = make.make_team(owner=make.make_user(name="Olga"))
    ben = make.make_member(team, "admin", user=make.make_user(name="Ben"))
    make_service(team, Actor.person(ben), scope="read")
    assert told_of("token.created") == [{"Olga"}]
    notice = compose(Event.objects.get(kind="token.created"))
    assert notice.page.endswith(f"/t/{team.slug}/team/tokens/")


def test_a_person_is_told_when_somebody_else_revokes_their_token():
    team = make.make_team(owner=make.make_user(name="Olga"))
    ben = make.make_member(team, "member", user=make.make_user(name="Ben"))
    for actor in (ben, make.owner_of(team)):
        token, _ = make_token(team, ben)
        api_tokens.revoke(token, actor=Actor.person(actor), now=timezone.now())
    audiences = Event.objects.filter(kind="token.revoked").order_by("pk").values_list("audience", flat=True)
    assert list(audiences) == ["", "person"], "one's own act is no news"
    assert told_of("token.revoked")[1] == {"Ben"}


@pytest.mark.parametrize(
    ("role", "scope"), [("member", "admin"), ("viewer", "operate"), ("viewer", "read"), ("admin", "owner")]
)
def test_a_token_is_never_worth_more_than_who_makes_it(team, role, scope):
    user = make.make_member(team, role)
    with pytest.raises(TeamRefused):
        make_token(team, user, scope=scope)
    with pytest.raises(TeamRefused):
        make_service(team, Actor.person(user), scope=scope)
    assert not ApiToken.objects.exists()
    assert not User.objects.filter(is_service=True).exists()


def make_service(team, actor, **fields):
    values = {"name": "deploy", "scope": "operate", "lifetime": DAY, "now": timezone.now()}
    return api_tokens.create_service(team, actor=actor, **values | fields)


@pytest.mark.parametrize(("scope", "role"), [("read", "viewer"), ("operate", "member"), ("admin", "admin")])
def test_a_token_of_the_team_acts_as_an_account_of_its_own(team, scope, role):
    admin = make.make_member(team, "admin")
    token, text = make_service(team, Actor.person(admin), scope=scope)
    found = api_tokens.find(text, timezone.now())
    assert (found, found.role, found.made_by, str(found.user)) == (token, role, admin, "deploy")
    assert found.user.is_service
    assert not found.user.has_usable_password()
    assert found.user.email.endswith("@service.invalid")


def test_members_make_no_token_of_the_team(team):
    with pytest.raises(TeamRefused):
        make_service(team, Actor.person(make.make_member(team)), scope="read")
    assert make_service(team, OPERATOR)[0].made_by is None


def test_it_outlives_its_maker_and_ends_with_its_revocation(team):
    admin = make.make_member(team, "admin")
    token, text = make_service(team, Actor.person(admin))
    keeping.leave(team, admin, actor=Actor.person(admin), now=timezone.now())
    found = api_tokens.find(text, timezone.now())
    assert api_tokens.revoke(found, actor=OPERATOR, now=timezone.now())
    assert not api_tokens.revoke(found, actor=OPERATOR, now=timezone.now())
    assert api_tokens.find(text, timezone.now()) is None
    assert not Membership.objects.filter(user=token.user).exists()
    assert not User.objects.get(pk=token.user_id).is_active


def test_a_service_account_makes_no_tokens(team):
    account = make_service(team, OPERATOR, scope="admin")[0].user
    for made in (make_token, lambda team, user: make_service(team, Actor.person(user))):
        with pytest.raises(TeamRefused):
            made(team, account)
    assert ApiToken.objects.count() == 1


def test_a_deleted_team_has_no_tokens(team):
    _, text = make_token(team, make.owner_of(team))
    Team.objects.filter(pk=team.pk).update(deleted_at=timezone.now())
    assert api_tokens.find(text, timezone.now()) is None
    with pytest.raises(TeamRefused):
        make_token(team, make.owner_of(team))


def test_events_say_scope_and_end(team):
    token, _ = make_service(team, OPERATOR, scope="read")
    api_tokens.revoke(token, actor=OPERATOR, now=timezone.now())
    for event in Event.objects.filter(kind__startswith="token."):
        assert event.data == {
            "name": "deploy",
            "scope": "read",
            "expires_at": token.expires_at.isoformat(),
            "service": True,
        }
