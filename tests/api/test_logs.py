"""The log of a job over the API: ranges, search, following, faults, and whose it is."""

from __future__ import annotations

import pytest
from django.utils import timezone

from dispersed_web.jobs import log_keeping
from dispersed_web.jobs.log_lines import Lines
from dispersed_web.jobs.models import Job, RunLog
from tests import factories
from tests.api.caller import Api, make_token, token_of_role
from tests.api.shape import check
from tests.jobs.world import World

pytestmark = pytest.mark.django_db
PATH = "/api/v1/jobs/{job_id}/logs"


def kept(team, text: str, first: int = 0, **fields) -> Job:
    job = factories.make_job(team, "COMPLETED")
    run = factories.make_run(job, ended_at=timezone.now())
    values = {"is_final": True, "fetched_at": timezone.now()} | fields
    RunLog.objects.create(run=run, content=Lines.of(text).pack(), first=first, **values)
    return job


def at(job: Job) -> str:
    return f"/api/v1/jobs/{job.pk}/logs"


def numbered(count: int) -> str:
    return "\n".join(f"line {number}" for number in range(1, count + 1))


def numbers(body) -> list[int]:
    return [line["number"] for line in body["lines"]]


def test_lines_come_in_ranges_and_next_leads_on(api, team, document):
    job = kept(team, numbered(2500))
    body = check(document, "get", PATH, api.get(at(job)))
    assert numbers(body) == list(range(1501, 2501))
    assert (body["total"], body["first"], body["live"], body["next"], body["trouble"]) == (
        2500,
        1,
        False,
        None,
        "",
    )
    body = check(document, "get", PATH, api.get(at(job), **{"from": 1, "limit": 2}))
    assert body["lines"] == [{"number": 1, "text": "line 1"}, {"number": 2, "text": "line 2"}]
    assert body["next"] == 3
    seen, begin = [], 1
    while begin:
        body = api.get(at(job), **{"from": begin, "limit": 999}).json()
        seen += numbers(body)
        begin = body["next"]
    assert seen == list(range(1, 2501))
    assert api.get(at(job), **{"from": 9999}).json()["lines"] == []


def test_search_looks_through_the_whole_log(api, team, document):
    job = kept(team, "\x1b[31mErr\x1b[0mor\nfine\nerror again\nno\nERROR", first=10, is_cut=True)
    body = check(document, "get", PATH, api.get(at(job), search="error", limit=2))
    assert body["lines"] == [{"number": 11, "text": "Error"}, {"number": 13, "text": "error again"}]
    assert (body["first"], body["total"], body["is_cut"], body["next"]) == (11, 15, True, 15)
    body = api.get(at(job), **{"search": "error", "from": body["next"]}).json()
    assert (numbers(body), body["next"]) == ([15], None)


def test_a_log_is_followed_with_next(sandbox):
    world = World(sandbox)
    job = world.launched(image="acme/worker", env={"SANDBOX_BEHAVIOUR": "reset"})
    api = Api(make_token(world.team))
    body = api.get(at(job)).json()
    assert (body["run_id"], body["lines"], body["live"], body["next"]) == (None, [], True, 1)
    world.pass_time(120)
    body = api.get(at(job), **{"from": body["next"]}).json()
    assert numbers(body) == list(range(1, body["total"] + 1))
    assert body["live"]
    world.pass_time(30)
    more = api.get(at(job), **{"from": body["next"]}).json()
    assert numbers(more)[0] == body["total"] + 1


def test_faults_have_the_one_shape(api, team, document):
    job = kept(team, "x")
    for query, field in (
        ({"limit": 0}, "limit"),
        ({"from": "x"}, "from"),
        ({"runs": 1}, "runs"),
        ({"limit": 5001}, "limit"),
    ):
        body = check(document, "get", PATH, api.get(at(job), **query))
        assert (body["error"]["code"], list(body["error"]["fields"])) == ("invalid", [field])
    other = kept(team, "y")
    body = check(document, "get", PATH, api.get(at(job), run=other.runs.get().pk))
    assert body["error"]["fields"] == {"run": "This job has no such run."}
    live = factories.make_job(team)
    factories.make_run(live)
    body = check(document, "get", PATH, api.get(at(live)))
    assert body["error"]["code"] == "log_unavailable"


def test_a_log_that_was_given_up_says_why(api, team):
    body = api.get(at(kept(team, "", is_final=False, fetched_at=None, given_up=log_keeping.GONE))).json()
    assert (body["lines"], body["trouble"], body["next"]) == ([], log_keeping.GONE, None)


def test_who_may_see_the_job_may_read_it_and_nobody_else(team):
    job = kept(team, "x")
    assert Api(make_token(team, scope="read")).get(at(job)).status_code == 200
    assert Api(token_of_role(team, "viewer")).get(at(job)).status_code == 200
    assert Api(make_token(factories.make_team())).get(at(job)).status_code == 404
    assert Api().get(at(job)).status_code == 401
