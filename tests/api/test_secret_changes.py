"""Storing, changing and deleting the team's secrets over the API: a value goes in and comes out nowhere."""

from __future__ import annotations

import uuid

import pytest

from dispersed_web.credentials import team_secrets
from dispersed_web.credentials.models import TeamSecret
from dispersed_web.events.models import Event
from tests import factories
from tests.api.caller import Api, make_service_token, make_token, token_of_role
from tests.api.shape import check

pytestmark = pytest.mark.django_db
LIST, ONE = "/api/v1/secrets", "/api/v1/secrets/{secret_id}"
VALUE, OTHER = "hf_canaryApiSecret41aa", "hf_canaryApiOther77bb"
BODY = {"name": "hf-token", "value": VALUE}


@pytest.fixture
def admin(team):
    return Api(make_token(team, factories.make_member(team, "admin"), "admin"))


def value_of(secret_id) -> str:
    row = TeamSecret.objects.get(pk=secret_id)
    return team_secrets.value_of(row, team_id=row.team_id)


def test_it_is_stored_and_told_without_its_value(team, admin, document):
    bob = factories.make_member(team, user=factories.make_user("bob@example.org", "Bob"))
    body = BODY | {"note": "For models", "usable_by": "chosen", "chosen": ["BOB@example.org"]}
    answer = admin.post(LIST, body | {"hosts": ["GHCR.io"]})
    told = check(document, "post", LIST, answer)
    assert [one["name"] for one in told["chosen"]] == [str(bob)]
    assert (told["name"], told["hosts"], told["may_use"]) == ("hf-token", ["ghcr.io"], False)
    assert value_of(told["id"]) == VALUE
    looked = check(document, "get", ONE, admin.get(f"{LIST}/{told['id']}"))
    assert looked == told
    for text in (answer.content.decode(), str(list(Event.objects.values()))):
        assert VALUE not in text
    assert Event.objects.get(kind="secret.added").actor_kind == "token"


def test_a_value_is_replaced_and_what_is_left_out_stays(admin, document):
    made = admin.post(LIST, BODY | {"note": "For models"}).json()
    address = f"{LIST}/{made['id']}"
    answer = admin.patch(address, {"value": OTHER})
    told = check(document, "patch", ONE, answer)
    assert (value_of(made["id"]), told["note"]) == (OTHER, "For models")
    assert told["fingerprint"] != made["fingerprint"]
    assert OTHER not in answer.content.decode()
    told = admin.patch(address, {"usable_by": "admins"}).json()
    assert (told["usable_by"], value_of(made["id"])) == ("admins", OTHER)
    changed = Event.objects.filter(kind="secret.changed").count()
    assert admin.patch(address, {"value": OTHER, "usable_by": "admins"}).status_code == 200
    assert Event.objects.filter(kind="secret.changed").count() == changed


def test_it_goes_to_other_registries_only_with_its_value(admin, document):
    made = admin.post(LIST, BODY | {"hosts": ["ghcr.io"]}).json()
    answer = admin.patch(f"{LIST}/{made['id']}", {"hosts": ["evil.test"]})
    assert check(document, "patch", ONE, answer)["error"]["fields"].keys() == {"value"}
    assert TeamSecret.objects.get().hosts == ["ghcr.io"]
    assert admin.patch(f"{LIST}/{made['id']}", {"hosts": ["docker.io"], "value": VALUE}).status_code == 200


def test_deleted_it_is_gone(admin, document):
    made = admin.post(LIST, BODY).json()
    left = check(document, "post", f"{ONE}/delete", admin.post(f"{LIST}/{made['id']}/delete", {}))
    assert left["secrets"] == []
    assert not TeamSecret.objects.exists()
    assert admin.get(f"{LIST}/{made['id']}").status_code == 404


def test_a_name_is_taken_once_whatever_the_case(admin, document):
    assert admin.post(LIST, BODY).status_code == 201
    answer = admin.post(LIST, {"name": "HF-Token", "value": OTHER})
    error = check(document, "post", LIST, answer)["error"]
    assert (answer.status_code, error["code"], list(error["fields"])) == (409, "name_taken", ["name"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"value": "tiny7ch"}, "value"),
        ({"value": "  "}, "value"),
        ({"value": "hf_canary\u2603ApiSecret"}, "value"),
        ({"value": [VALUE]}, "value"),
        ({"value": VALUE * 4000}, "value"),
        ({"name": f"hf {VALUE}"}, "name"),
        ({"usable_by": VALUE}, "usable_by"),
        ({"usable_by": "chosen"}, "chosen"),
        ({"chosen": ["nobody@example.org"], "usable_by": "chosen"}, "chosen.0"),
        ({"hosts": ["no registry"]}, "hosts"),
        ({"user": VALUE}, "user"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_refusal_repeats_a_value(admin, change, field, document, caplog):
    answer = admin.post(LIST, BODY | change)
    assert check(document, "post", LIST, answer)["error"]["fields"].keys() == {field}
    for text in (answer.content.decode(), caplog.text):
        assert "canary" not in text
    assert not TeamSecret.objects.exists()


def test_a_body_that_is_no_json_is_not_repeated(admin):
    answer = admin.client.post(
        LIST, f'{{"value": "{VALUE}"', content_type="application/json", headers=admin.headers
    )
    assert answer.status_code == 400
    assert VALUE not in answer.content.decode()


def test_a_token_of_the_team_may_keep_them(team):
    told = Api(make_service_token(team, "admin")).post(LIST, BODY)
    assert told.status_code == 201
    assert str(TeamSecret.objects.get().created_by) == "robot"


@pytest.mark.parametrize("token", ["member.admin", "owner.operate", "owner.read"])
def test_role_and_scope_must_both_be_an_admins(team, token):
    secret = factories.make_secret(team)
    api = Api(token_of_role(team, *token.split(".")))
    address = f"{LIST}/{secret.pk}"
    for answer in (
        api.post(LIST, BODY),
        api.patch(address, {"value": OTHER}),
        api.post(f"{address}/delete", {}),
    ):
        assert answer.status_code == 403
    assert value_of(secret.pk) != OTHER


def test_another_teams_secret_answers_like_none(admin):
    foreign = factories.make_secret(factories.make_team())
    for ask in (
        lambda one: admin.get(one),
        lambda one: admin.patch(one, {"value": OTHER}),
        lambda one: admin.post(f"{one}/delete", {}),
    ):
        answers = {ask(f"{LIST}/{pk}").content for pk in (foreign.pk, uuid.uuid4())}
        assert len(answers) == 1
        assert b"not_found" in answers.pop()
