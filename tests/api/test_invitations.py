"""Inviting over the API: by mail or by a link that stands in one answer, up to admin, and only while the sender could."""

from __future__ import annotations

import smtplib
import uuid

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from dispersed_web.accounts import throttles
from dispersed_web.events.models import Event
from dispersed_web.teams import api_tokens, invitations
from dispersed_web.teams.keeping import OPERATOR
from dispersed_web.teams.models import Invitation, Membership
from tests import factories
from tests.api.caller import Api, make_service_token, make_token, token_of_role
from tests.api.shape import check

pytestmark = pytest.mark.django_db
LIST = "/api/v1/invitations"
ONE = f"{LIST}/{{invitation_id}}"
BODY = {"email": "Guest@Example.org", "role": "member"}


@pytest.fixture
def admin(team):
    return Api(make_token(team, factories.make_member(team, "admin"), "admin"))


def token_in(link: str) -> str:
    return link.rstrip("/").rpartition("/")[2]


def code(answer) -> str:
    return answer.json()["error"]["code"]


def test_by_mail_the_link_stands_in_the_mail_alone(admin, document):
    body = check(document, "post", LIST, admin.post(LIST, BODY))
    assert (body["email"], body["role"], body["way"], body["link"]) == (
        "guest@example.org",
        "member",
        "mail",
        None,
    )
    assert body["sent_at"] is not None
    (sent,) = mail.outbox
    assert sent.to == ["guest@example.org"]
    link = next(word for word in sent.body.split() if "/join/" in word)
    assert invitations.find(token_in(link), timezone.now()).pk == uuid.UUID(body["id"])


def test_as_a_link_it_stands_in_one_answer_alone_and_is_mailed_to_nobody(admin, document):
    answer = admin.post(LIST, BODY | {"way": "link", "role": "admin"})
    body = check(document, "post", LIST, answer)
    assert "no-store" in answer.headers["Cache-Control"]
    token = token_in(body["link"])
    assert invitations.find(token, timezone.now()).by_mail is False
    assert mail.outbox == []
    assert token not in admin.get(LIST).content.decode()
    assert token not in str(list(Event.objects.values()))


def test_a_mail_that_was_not_taken_is_told_and_can_be_sent_again(admin, monkeypatch):
    def down(self, *args, **kwargs):
        raise smtplib.SMTPServerDisconnected("canary-detail")

    with monkeypatch.context() as patched:
        patched.setattr(EmailMultiAlternatives, "send", down)
        answer = admin.post(LIST, BODY)
    body = answer.json()
    assert (answer.status_code, body["sent_at"]) == (201, None)
    assert "SMTPServerDisconnected" in body["mail_fault"]
    assert "canary-detail" not in body["mail_fault"]
    again = admin.post(f"{LIST}/{body['id']}/send-again", {})
    assert (again.status_code, again.json()["mail_fault"], len(mail.outbox)) == (201, "", 1)


def test_sent_again_it_is_a_new_one_and_the_old_link_is_dead(admin, document):
    first = admin.post(LIST, BODY | {"way": "link"}).json()
    body = check(document, "post", f"{ONE}/send-again", admin.post(f"{LIST}/{first['id']}/send-again", {}))
    assert body["id"] != first["id"]
    assert invitations.find(token_in(first["link"]), timezone.now()) is None
    assert invitations.find(token_in(body["link"]), timezone.now()) is not None


def test_withdrawn_it_is_dead_and_leaves_the_list(admin, document):
    made = admin.post(LIST, BODY | {"way": "link"}).json()
    listed = check(document, "get", LIST, admin.get(LIST))["invitations"]
    assert [(one["id"], one["expired"]) for one in listed] == [(made["id"], False)]
    left = check(document, "post", f"{ONE}/withdraw", admin.post(f"{LIST}/{made['id']}/withdraw", {}))
    assert left["invitations"] == []
    assert invitations.find(token_in(made["link"]), timezone.now()) is None
    assert admin.post(f"{LIST}/{made['id']}/withdraw", {}).status_code == 404


def test_who_is_in_or_invited_is_not_invited_again(team, admin):
    assert admin.post(LIST, BODY).status_code == 201
    assert code(admin.post(LIST, BODY)) == "is_invited"
    member = factories.make_member(team)
    answer = admin.post(LIST, {"email": member.email})
    assert (answer.status_code, code(answer), list(answer.json()["error"]["fields"])) == (
        409,
        "is_member",
        ["email"],
    )


def test_no_token_invites_an_owner_or_touches_an_invitation_to_be_one(team, document):
    owner = factories.owner_of(team)
    api = Api(make_token(team, owner, "admin"))
    answer = api.post(LIST, BODY | {"role": "owner"})
    assert check(document, "post", LIST, answer)["error"]["code"] == "not_by_token"
    row = Invitation.objects.create(
        team=team,
        email="x@example.org",
        role="owner",
        digest="0",
        invited_by=owner,
        expires_at=timezone.now(),
    )
    for act in ("send-again", "withdraw"):
        assert code(api.post(f"{LIST}/{row.pk}/{act}", {})) == "not_by_token"
    assert Invitation.objects.get().revoked_at is None


def test_a_token_of_the_team_invites_and_its_invitation_dies_with_it(team):
    text = make_service_token(team, "admin")
    body = Api(text).post(LIST, BODY | {"way": "link"}).json()
    assert body["invited_by"]["name"] == "robot"
    token = token_in(body["link"])
    guest = factories.make_user("guest@example.org")
    assert invitations.find(token, timezone.now()) is not None
    api_tokens.revoke(api_tokens.find(text, timezone.now()), actor=OPERATOR, now=timezone.now())
    assert invitations.find(token, timezone.now()) is None
    assert not Membership.objects.filter(team=team, user=guest).exists()


def test_nobody_mails_in_bulk(admin, monkeypatch, document):
    monkeypatch.setitem(throttles.RULES, "invite", throttles.Rule(1, throttles.DAY))
    assert admin.post(LIST, BODY).status_code == 201
    answer = admin.post(LIST, {"email": "next@example.org"})
    assert check(document, "post", LIST, answer)["error"]["code"] == "too_many"
    assert int(answer.headers["Retry-After"]) > 0
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize("token", ["member.admin", "admin.operate", "owner.read"])
def test_role_and_scope_must_both_be_an_admins(team, token):
    api = Api(token_of_role(team, *token.split(".")))
    assert api.get(LIST).status_code == 403
    assert api.post(LIST, BODY).status_code == 403
    assert not Invitation.objects.exists()


def test_another_teams_invitation_answers_like_none(admin):
    other = factories.make_team()
    foreign = Api(make_token(other, scope="admin")).post(LIST, BODY).json()["id"]
    for act in ("send-again", "withdraw"):
        answers = {admin.post(f"{LIST}/{pk}/{act}", {}).content for pk in (foreign, uuid.uuid4())}
        assert len(answers) == 1
        assert b"not_found" in answers.pop()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "x@service.invalid"}, "email"),
        ({"role": "god"}, "role"),
        ({"way": "fax"}, "way"),
        ({"mail": "x@example.org"}, "mail"),
    ],
)
def test_faults_are_named(admin, change, field):
    answer = admin.post(LIST, BODY | change)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
