"""The inventory by the API: what it tells, who may act, and that every act answers what there is then."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.jobs.models import Job, Origin, UnmanagedJob
from tests import factories
from tests.api.caller import Api, make_token, token_of_role
from tests.api.shape import check

pytestmark = pytest.mark.django_db
LIST = "/api/v1/inventory"
ONE = "/api/v1/inventory/{row_id}/"
ACTS = ("adopt", "stop", "watch", "unwatch", "ignore", "unignore")


@pytest.fixture
def row(credential):
    now = timezone.now()
    return UnmanagedJob.objects.create(
        credential=credential,
        remote_uuid="01a209c6-588c-4feb-ae25-00000000beef",
        title="Started in the console",
        task="PERSISTENT",
        status="RUNNING",
        gpu_label="RTX 4090",
        hourly_rate_usd=Decimal("0.44"),
        created_at=now - dt.timedelta(hours=10),
        first_seen_at=now,
        seen_at=now,
    )


def post(api, row, act, body=None):
    return api.post(f"{LIST}/{row.pk}/{act}", {} if body is None else body)


def test_it_lists_what_runs_elsewhere_and_what_was_lost(api, row, team, document):
    lost = factories.make_job(team, missing_since=timezone.now() - dt.timedelta(minutes=9))
    factories.make_job(team, "UNCONFIRMED")
    body = check(document, "get", LIST, api.get(LIST))
    (one,) = body["unmanaged"]
    assert (one["id"], one["source"], one["estimate_usd"], one["confirm"]) == (
        row.pk,
        "elsewhere",
        "4.4000",
        "",
    )
    assert [job["state"] for job in body["lost"]] == ["missing", "unconfirmed"]
    first = body["lost"][0]
    assert first["id"] == str(lost.pk)
    assert Decimal(first["at_last_sight_usd"]) < Decimal(first["up_to_usd"])


def test_adopting_makes_one_job_however_often_it_is_said(api, row, team, nudges, document):
    owner = factories.make_member(team)
    body = {"owner": owner.email, "lifetime_s": 3600}
    job = check(document, "post", ONE + "adopt", post(api, row, "adopt", body))
    assert (job["owner"]["email"], job["remote_uuid"]) == (owner.email, row.remote_uuid)
    assert nudges == [(tasks.sync_credential, row.credential_id)]
    assert Job.objects.get().origin == Origin.ADOPTED
    assert post(api, row, "adopt", body).status_code == 404
    assert api.get(LIST).json()["unmanaged"] == []


def test_stopping_answers_with_the_job_that_is_being_stopped(api, row, nudges, document):
    body = check(document, "post", ONE + "stop", post(api, row, "stop", {"note": "Forgotten"}))
    assert (body["stop"]["reason"], body["stop"]["note"]) == ("user", "Forgotten")
    assert [task for task, _ in nudges] == [tasks.pursue_stop]


@pytest.mark.parametrize(("act", "field"), [("watch", "watched"), ("ignore", "ignored_at")])
def test_watching_and_ignoring_are_taken_back(api, row, document, act, field):
    for _ in range(2):
        assert check(document, "post", ONE + act, post(api, row, act))[field]
    assert not check(document, "post", f"{ONE}un{act}", post(api, row, f"un{act}"))[field]


def test_what_is_wrong_names_its_field(api, row):
    answer = post(api, row, "adopt", {"owner": "nobody@example.org"})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["owner"])
    answer = post(api, row, "adopt", {"lifetime_s": 10**8})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["lifetime_s"])
    assert post(api, row, "watch", {"odd": 1}).status_code == 400
    assert not Job.objects.exists()


def test_another_installations_job_needs_an_admin_and_its_confirm(api, row, team):
    UnmanagedJob.objects.update(source="installation")
    member, admin = Api(token_of_role(team, "member", "admin")), Api(make_token(team, scope="admin"))
    for refused in (member, api):
        assert post(refused, row, "stop", {"confirm": "00beef"}).json()["error"]["code"] == "admins_only"
    assert post(admin, row, "stop").json()["error"]["code"] == "not_confirmed"
    assert not Job.objects.exists()
    assert post(admin, row, "stop", {"confirm": "00beef"}).status_code == 200


@pytest.mark.parametrize("act", ACTS)
def test_who_may_not_act_changes_nothing(row, team, act):
    reader, viewer = Api(make_token(team, scope="read")), Api(token_of_role(team, "viewer"))
    stranger = Api(make_token(factories.make_team()))
    assert post(reader, row, act).json()["error"]["code"] == "scope_too_small"
    assert post(viewer, row, act).json()["error"]["code"] == "role_too_small"
    nothing = stranger.post(f"{LIST}/999999/{act}", {})
    assert (post(stranger, row, act).status_code, nothing.status_code) == (404, 404)
    assert post(stranger, row, act).content == nothing.content
    assert post(Api(), row, act).status_code == 401
    assert stranger.get(LIST).json() == {"unmanaged": [], "lost": []}
    assert not Job.objects.exists()


@pytest.mark.parametrize("act", ["adopt", "stop", "watch", "ignore"])
def test_another_teams_job_is_nobodys_to_act_on(api, row, act):
    UnmanagedJob.objects.update(source="team")
    answer = post(api, row, act)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "another_team")
    assert not Job.objects.exists()


SETTLE = "/api/v1/jobs/{job_id}/settle"


def test_an_admin_who_looked_settles_a_missing_job(api, team, document):
    since = timezone.now() - dt.timedelta(hours=3)
    job = factories.make_job(team, missing_since=since, missing_alarmed_at=since)
    address = SETTLE.format(job_id=job.pk)
    admin = Api(token_of_role(team, "admin", "admin"))
    for body in ({}, {"looked": False}):
        answer = admin.post(address, body)
        check(document, "post", SETTLE, answer)
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["looked"])
    body = check(document, "post", SETTLE, admin.post(address, {"looked": True}))
    assert (body["status"], body["reason"]) == ("FAILED", "lost")
    again = admin.post(address, {"looked": True})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "too_late")


def test_what_may_still_become_known_is_not_settled_and_not_by_a_member(team, document):
    address = SETTLE.format(job_id=factories.make_job(team, missing_since=timezone.now()).pk)
    answer = Api(token_of_role(team, "admin", "admin")).post(address, {"looked": True})
    check(document, "post", SETTLE, answer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_yet")
    assert Api(token_of_role(team, "member", "admin")).post(address, {"looked": True}).status_code == 403
