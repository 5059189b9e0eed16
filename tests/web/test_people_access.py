"""Every address of home, team and credentials: who gets in, who is turned away, and how a stranger cannot tell."""

import re
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.accounts.ssh_keys import parse_public_key
from dispersed_web.credentials.models import Credential, TeamSecret
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import CalendarFeed
from dispersed_web.teams import invitations, ssh_keys
from dispersed_web.teams.models import ApiToken, Invitation, Membership, Team, TeamSshKey
from dispersed_web.web import urls
from tests import factories as make

pytestmark = pytest.mark.django_db

ALL = ("viewer", "member", "admin", "owner")
ADMINS = ("admin", "owner")
OWNERS = ("owner",)
# Name, method, the roles that may, and what the address names beside the team
ADDRESSES = [
    ("team-home", "get", ALL, ""),
    ("team", "get", ALL, ""),
    ("team-events", "get", ALL, ""),
    ("team-events-export", "get", ADMINS, ""),
    ("team-limits", "get", ADMINS, ""),
    ("team-limits", "post", ADMINS, ""),
    ("team-freeze", "post", ADMINS, ""),
    ("team-notices", "get", ADMINS, ""),
    ("team-notices", "post", ADMINS, ""),
    ("team-notices-test", "post", ADMINS, ""),
    ("team-notices-signing", "post", ADMINS, ""),
    ("team-notices-switch", "post", ADMINS, ""),
    ("team-notices-remove", "post", ADMINS, ""),
    ("team-leave", "get", ALL, ""),
    ("team-leave", "post", ALL, ""),
    ("team-settings", "get", ALL, ""),
    ("team-rename", "post", ADMINS, ""),
    ("team-factor-rule", "post", ADMINS, ""),
    ("team-open-first", "post", ALL, ""),
    ("team-delete", "get", OWNERS, ""),
    ("team-delete", "post", OWNERS, ""),
    ("team-invite", "get", ADMINS, ""),
    ("team-invite", "post", ADMINS, ""),
    ("team-invitation", "get", ADMINS, "invitation"),
    ("team-invitation-again", "post", ADMINS, "invitation"),
    ("team-invitation-withdraw", "post", ADMINS, "invitation"),
    ("team-calendar", "post", ALL, ""),
    ("team-calendar-off", "post", ALL, ""),
    ("team-ssh-keys", "post", ADMINS, ""),
    ("team-ssh-key", "get", ADMINS, "key"),
    ("team-ssh-key", "post", ADMINS, "key"),
    ("team-ssh-key-remove", "post", ADMINS, "key"),
    ("team-member", "get", ADMINS, "membership"),
    ("team-member", "post", ADMINS, "membership"),
    ("team-member-remove", "get", ADMINS, "membership"),
    ("team-member-remove", "post", ADMINS, "membership"),
    ("team-tokens", "get", ADMINS, ""),
    ("team-tokens", "post", ADMINS, ""),
    ("team-token-revoke", "get", ADMINS, "token"),
    ("team-token-revoke", "post", ADMINS, "token"),
    ("credential-add", "get", ADMINS, ""),
    ("credential-add", "post", ADMINS, ""),
    ("credential", "get", ALL, "credential"),
    ("credential-replace", "get", ADMINS, "credential"),
    ("credential-replace", "post", ADMINS, "credential"),
    ("credentials", "get", ALL, ""),
    ("credential-use", "get", ADMINS, "credential"),
    ("credential-use", "post", ADMINS, "credential"),
    ("credential-caps", "get", ADMINS, "credential"),
    ("credential-caps", "post", ADMINS, "credential"),
    ("credential-delete", "get", ADMINS, "credential"),
    ("credential-delete", "post", ADMINS, "credential"),
    ("credential-disable", "get", ADMINS, "credential"),
    ("credential-disable", "post", ADMINS, "credential"),
    ("credential-enable", "post", ADMINS, "credential"),
    ("credential-history", "get", ALL, "credential"),
    ("credential-history", "post", ADMINS, "credential"),
    ("secrets", "get", ALL, ""),
    ("secret-add", "get", ADMINS, ""),
    ("secret-add", "post", ADMINS, ""),
    ("secret", "get", ADMINS, "secret"),
    ("secret", "post", ADMINS, "secret"),
    ("secret-remove", "get", ADMINS, "secret"),
    ("secret-remove", "post", ADMINS, "secret"),
]
POST_ONLY = [name for name, method, *_ in ADDRESSES if method == "post"]
POST_ONLY = sorted({name for name in POST_ONLY if (name, "get") not in {(n, m) for n, m, *_ in ADDRESSES}})
names = pytest.mark.parametrize(
    ("name", "method", "allowed", "names"), ADDRESSES, ids=lambda value: str(value)[:24]
)


class Place:
    """A team with one of everything that an address can name."""

    def __init__(self) -> None:
        self.team = make.make_team()
        self.member = make.make_member(self.team, "member")
        self.membership = Membership.objects.get(team=self.team, user=self.member)
        self.credential = make.make_credential(self.team)
        self.secret = make.make_secret(self.team)
        self.key = ssh_keys.add(
            self.team,
            parse_public_key(make.SSH_KEY),
            "Jump host",
            actor=Actor.person(make.owner_of(self.team)),
            now=timezone.now(),
        )
        self.invitation, _ = invitations.invite(
            self.team,
            f"{uuid.uuid4().hex}@example.org",
            "member",
            by_mail=True,
            actor=Actor.person(make.owner_of(self.team)),
            now=timezone.now(),
        )
        self.token = ApiToken.objects.create(
            team=self.team,
            user=self.member,
            name="t",
            digest=uuid.uuid4().hex,
            prefix="dwp_abcd",
            scope="read",
            expires_at=self.team.created_at,
        )

    def url(self, name: str, names: str) -> str:
        return reverse(f"web:{name}", args=[self.team.slug, *([getattr(self, names).pk] if names else [])])

    def rows(self) -> list:
        models = (Team, Membership, Credential, TeamSecret, ApiToken, TeamSshKey, CalendarFeed, Invitation)
        return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.fixture
def place():
    return Place()


def said(answer, slug: str) -> str:
    """The page without what differs from one request to the next."""
    html = answer.content.decode().replace(slug, "")
    return re.sub(
        r'"X-CSRFToken": "\w+"|csrfmiddlewaretoken" value="\w+"|server-time" content="[^"]+"', "", html
    )


def with_another_id(url: str, names: str) -> str:
    head, _, tail = url.partition(
        {
            "membership": "members/",
            "token": "tokens/",
            "credential": "credentials/",
            "secret": "secrets/",
            "key": "ssh-keys/",
            "invitation": "invitations/",
        }[names]
    )
    rest = tail.partition("/")[2]
    other = "999999999" if names == "membership" else str(uuid.uuid4())
    place = {"membership": "members", "key": "ssh-keys"}.get(names, f"{names}s")
    return f"{head}{place}/{other}/{rest}"


@names
def test_without_signing_in_one_is_sent_to_the_sign_in_page(client, place, name, method, allowed, names):
    before = place.rows()
    answer = getattr(client, method)(place.url(name, names))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/?next=/t/")
    assert place.rows() == before


@names
def test_a_stranger_sees_the_same_as_where_there_is_nothing(client, place, name, method, allowed, names):
    make.sign_in(client, make.owner_of(make.make_team()))
    before = place.rows()
    url = place.url(name, names)
    answer = getattr(client, method)(url)
    nothing = getattr(client, method)(url.replace(place.team.slug, "no-such-team"))
    assert (answer.status_code, nothing.status_code) == (404, 404)
    assert said(answer, place.team.slug) == said(nothing, "no-such-team")
    assert place.rows() == before


@pytest.mark.parametrize(
    ("name", "method", "names"), [(name, method, names) for name, method, _, names in ADDRESSES if names]
)
def test_what_belongs_to_another_team_is_not_there(client, place, name, method, names):
    """The owner of one team puts another team's id behind their own team's address."""
    other = Place()
    make.sign_in(client, make.owner_of(place.team))
    before = place.rows()
    mixed = reverse(f"web:{name}", args=[place.team.slug, getattr(other, names).pk])
    nothing = with_another_id(place.url(name, names), names)
    answers = [getattr(client, method)(url) for url in (mixed, nothing)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert said(answers[0], place.team.slug) == said(answers[1], place.team.slug)
    assert place.rows() == before


@pytest.mark.parametrize("role", ALL)
@names
def test_each_role(client, place, name, method, allowed, names, role):
    make.sign_in(client, make.make_member(place.team, role))
    before = place.rows()
    answer = getattr(client, method)(place.url(name, names))
    if role in allowed:
        assert answer.status_code in (200, 302, 422)
    else:
        assert answer.status_code == 403
        assert place.rows() == before


@pytest.mark.parametrize("name", POST_ONLY)
def test_acts_are_posts(client, place, name):
    names = next(names for other, _, _, names in ADDRESSES if other == name)
    make.sign_in(client, make.owner_of(place.team))
    before = place.rows()
    for method in ("get", "head", "put", "delete"):
        assert getattr(client, method)(place.url(name, names)).status_code == 405
    assert place.rows() == before


def test_no_address_of_people_is_missing_here():
    mine = ("team-", "credential", "secret")
    known = {pattern.name for pattern in urls.urlpatterns if pattern.name}
    listed = {name for name, *_ in ADDRESSES} | {"team-new"}
    assert {name for name in known if name == "team" or name.startswith(mine)} == listed


def test_an_admin_does_not_reach_an_owner(client, place):
    make.sign_in(client, make.make_member(place.team, "admin"))
    owner = Membership.objects.get(team=place.team, role="owner")
    for name, method in (("team-member", "get"), ("team-member", "post"), ("team-member-remove", "post")):
        url = reverse(f"web:{name}", args=[place.team.slug, owner.pk])
        assert getattr(client, method)(url, {"role": "viewer"}).status_code == 403
    owner.refresh_from_db()
    assert owner.role == "owner"


def test_who_was_removed_is_out_with_the_next_request(client, place):
    make.sign_in(client, place.member)
    url = place.url("team-home", "")
    assert client.get(url).status_code == 200
    place.membership.delete()
    assert client.get(url).status_code == 404
    assert client.get(url, headers={"HX-Request": "true"}).status_code == 404
