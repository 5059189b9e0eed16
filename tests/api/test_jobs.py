"""Jobs as the API gives them out: lists in pages, one job with all that is told of it."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dispersed_web.credentials import vault
from dispersed_web.jobs import queries
from dispersed_web.jobs.runs import token_place
from tests import factories
from tests.api.caller import Api, make_token
from tests.api.shape import check

PATH = "/api/v1/jobs"
ONE = "/api/v1/jobs/{job_id}"


def titles(answer):
    assert answer.status_code == 200, answer.content
    return [job["title"] for job in answer.json()["jobs"]]


def job(team, title, status="RUNNING", **fields):
    return factories.make_job(team, status, title=title, **fields)


def test_the_filters_of_the_page(api, team):
    other = factories.make_member(team, user=factories.make_user(name="Grace"))
    job(team, "mine")
    job(team, "batch", task="BATCH", created_by=other)
    job(team, "pending", "PENDING")
    job(team, "done", "COMPLETED")
    assert set(titles(api.get(PATH))) == {"mine", "batch", "pending"}
    assert set(titles(api.get(PATH, show="all"))) == {"mine", "batch", "pending", "done"}
    assert titles(api.get(PATH, task="BATCH")) == ["batch"]
    assert titles(api.get(PATH, status="PENDING")) == ["pending"]
    assert titles(api.get(PATH, status="COMPLETED")) == ["done"]
    assert set(titles(api.get(PATH, owner="me"))) == {"mine", "pending"}
    assert titles(api.get(PATH, q="grace")) == ["batch"]
    assert titles(api.get(PATH, sort="title", show="all")) == ["batch", "done", "mine", "pending"]


@pytest.mark.parametrize("sort", ["newest", "title", "cost", "stops"])
def test_pages_follow_each_other_without_gap_or_repetition(api, team, sort, document):
    for number in range(5):
        job(team, f"job {number}", spent_usd=Decimal(number))
    seen, cursors, query = [], [], {"sort": sort, "limit": 2}
    for _ in range(3):
        body = check(document, "get", PATH, api.get(PATH, **query))
        seen += [one["title"] for one in body["jobs"]]
        cursors.append((body["previous_cursor"], body["next_cursor"]))
        query["cursor"] = body["next_cursor"]
    assert sorted(seen) == [f"job {number}" for number in range(5)]
    assert cursors[0][0] is None
    assert cursors[-1][1] is None
    back = api.get(PATH, sort=sort, limit=2, cursor=cursors[-1][0])
    assert titles(back) == seen[2:4]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "ASLEEP"},
        {"task": "batch!"},
        {"owner": "7"},
        {"show": "some"},
        {"sort": "random"},
        {"limit": "0"},
        {"limit": "201"},
        {"cursor": "nonsense"},
        {"cursor": "\x00"},
        {"q": "a\x00b"},
        {"staus": "RUNNING"},
    ],
    ids=str,
)
def test_a_wrong_filter_is_refused_by_name(api, query, document):
    answer = api.get(PATH, **query)
    assert answer.status_code == 400
    assert list(check(document, "get", PATH, answer)["error"]["fields"]) == list(query)


def test_a_cursor_of_another_order_is_refused(api, team):
    for number in range(2):
        job(team, f"job {number}")
    cursor = api.get(PATH, limit=1).json()["next_cursor"]
    assert api.get(PATH, limit=1, sort="title", cursor=cursor).status_code == 400


def test_a_list_takes_the_same_few_queries_for_one_job_and_for_many(api, team):
    def count(jobs: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(titles(api.get(PATH))) == jobs
        return len(captured)

    job(team, "one")
    count(1)
    few = count(1)
    for number in range(20):
        job(team, f"job {number}", created_by=factories.make_member(team))
    assert count(21) == few <= 7


def test_all_that_is_told_of_a_running_job(api, team, document):
    now = timezone.now()
    running = job(
        team, "env", now=now, warned_for=None, spec=factories.make_spec(env={"A": "1"}), extend_until=None
    )
    address = {
        "description": "ssh",
        "hostname": "node.example.org",
        "port": 31022,
        "protocol": "tcp",
        "tls": False,
        "container_port": 22,
    }
    factories.make_run(running, node_urls=[address])
    body = check(document, "get", ONE, api.get(f"{PATH}/{running.pk}"))
    assert body["runs"][0]["addresses"] == [address]
    assert body["cost"]["hourly_rate_usd"] == "0.6900"
    assert isinstance(body["cost"]["estimate_usd"], str)
    stop_at = running.running_at + dt.timedelta(hours=2, minutes=30)
    assert dt.datetime.fromisoformat(body["verdict"]["stop_at"]) == stop_at
    assert body["verdict"]["stop_at"].endswith("Z")
    assert (body["stop_at"], body["verdict"]["rule"]) == (body["verdict"]["stop_at"], "checkin_unanswered")
    assert body["limits"]["version"] == running.limits_version
    assert body["stop"] is None
    assert body["page_url"].endswith(f"/t/{team.slug}/jobs/{running.pk}/")


@pytest.mark.parametrize(
    "status", ["QUEUED", "LAUNCHING", "UNCONFIRMED", "PENDING", "RUNNING", "FAILED", "COMPLETED"]
)
def test_every_state_fits_the_document(api, team, status, document):
    one = job(team, "any", status, created_by=None)
    body = check(document, "get", ONE, api.get(f"{PATH}/{one.pk}"))
    assert (body["verdict"] is None) == (status in ("FAILED", "COMPLETED"))
    check(document, "get", PATH, api.get(PATH, show="all"))


def test_a_bare_specification_and_no_limit_fit_too(api, team, document):
    one = job(team, "old", task="BATCH", lifetime_s=None, ceiling_s=None)
    type(one).objects.filter(pk=one.pk).update(spec={"image": "ubuntu", "from_later": "x"})
    body = check(document, "get", ONE, api.get(f"{PATH}/{one.pk}"))
    assert body["verdict"]["state"] == "unlimited"
    assert "from_later" not in body["spec"]


def test_the_zone_of_a_browser_session_changes_no_time(api, team):
    one = job(team, "env")
    plain = api.get(f"{PATH}/{one.pk}").json()
    factories.sign_in(api.client, factories.make_user(time_zone="Asia/Tokyo"))
    assert api.get(f"{PATH}/{one.pk}").json()["created_at"] == plain["created_at"]


def test_sealed_values_are_not_told(api, team):
    spec = factories.make_spec(env={"HF_TOKEN": "canary-env"})
    one = job(team, "env", spec=spec, secret_env=frozenset({"HF_TOKEN"}))
    place = token_place(one, "run-1")
    factories.make_run(one, remote_uuid="run-1", access_tokens_sealed=vault.seal("canary-access", place))
    text = api.get(f"{PATH}/{one.pk}").content.decode()
    assert "canary" not in text
    assert "sealed" not in text


def test_me_and_credentials(api, team, document):
    factories.make_credential(team, name="Main")
    me = check(document, "get", "/api/v1/me", api.get("/api/v1/me"))
    assert (me["team"]["slug"], me["role"], me["token"]["scope"]) == (team.slug, "owner", "operate")
    assert me["may"] == ["see", "launch", "stop", "extend"]
    answer = api.get("/api/v1/credentials")
    (one,) = check(document, "get", "/api/v1/credentials", answer)["credentials"]
    assert (one["name"], one["state"], one["may_launch"]["allowed"]) == ("Main", "active", True)
    assert "sk_sim" not in answer.content.decode()
    reader = Api(make_token(team, scope="read"))
    assert reader.get("/api/v1/me").json()["may"] == ["see"]
    assert reader.get("/api/v1/credentials").json()["credentials"][0]["may_launch"]["allowed"] is False


FORGED = [10**40, -1, "x", "%00", None, "", "0001-01-01T00:00:00+00:00", float("inf"), "nan"]


@pytest.mark.parametrize("sort", list(queries.SORTS))
def test_a_forged_cursor_breaks_nothing(api, team, sort):
    job(team, "env")
    for moment, key in itertools.product(("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"), FORGED):
        cursor = f"{sort}~older~{moment}~{uuid.uuid4()}~{key}"
        assert api.get(PATH, sort=sort, cursor=cursor).status_code in (200, 400), (moment, key)
