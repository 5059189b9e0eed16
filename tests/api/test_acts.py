"""Stopping and extending: repeatable, racing through one version, refused in the one shape."""

from __future__ import annotations

import datetime as dt
import json
import threading

import pytest
from django.db import connection
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from tests import factories
from tests.api.caller import Api, make_token
from tests.api.shape import check

STOP = "/api/v1/jobs/{job_id}/stop"
EXTEND = "/api/v1/jobs/{job_id}/extend"
pytestmark = pytest.mark.django_db


@pytest.fixture
def job():
    return factories.make_job(factories.make_team())


@pytest.fixture
def api(job):
    return Api(make_token(job.team))


def at(path, job):
    return path.format(job_id=job.pk)


def stop_time(job):
    """Nothing tells whether it is used: without an answer it stops half an hour after people were asked."""
    return job.running_at + dt.timedelta(hours=2, minutes=30)


def test_a_stop_is_stored_told_and_hurried(api, job, nudges, document):
    answer = api.post(at(STOP, job), {"note": "Converged"})
    body = check(document, "post", STOP, answer)
    assert (body["stop"]["reason"], body["stop"]["note"]) == ("user", "Converged")
    assert (body["verdict"], body["status"]) == (None, "RUNNING")
    assert nudges == [(tasks.pursue_stop, job.pk)]
    event = Event.objects.get(kind="job.stop_requested")
    assert (event.actor_kind, "“Converged”" in event.sentence) == ("token", True)


def test_a_second_stop_changes_nothing_and_answers_the_same(api, job, nudges):
    first = api.post(at(STOP, job), {"note": "Converged"}).json()
    again = api.post(at(STOP, job), {"note": "Really"})
    assert again.status_code == 200
    assert again.json()["stop"] == first["stop"]
    assert again.json()["limits"] == first["limits"]
    assert len(nudges) == 1
    assert Event.objects.filter(kind="job.stop_requested").count() == 1


def test_a_stop_needs_no_body(api, job):
    answer = api.client.generic("POST", at(STOP, job), headers=api.headers)
    assert answer.status_code == 200
    assert answer.json()["stop"]["note"] == ""


def test_what_was_not_sent_ends_at_once_and_what_ended_stays_as_it_is(api, job, nudges):
    queued = factories.make_job(job.team, "QUEUED")
    assert api.post(at(STOP, queued)).json()["status"] == "CANCELLED"
    nudges.clear()
    ended = factories.make_job(job.team, "COMPLETED")
    answer = api.post(at(STOP, ended))
    assert (answer.status_code, answer.json()["status"], answer.json()["stop"]) == (200, "COMPLETED", None)
    assert nudges == []


@pytest.mark.parametrize(
    "body", [{"note": "x" * 201}, {"note": 5 * [1]}, {"reason": "x"}, ["note"], "note", None]
)
def test_a_wrong_stop_body_stops_nothing(api, job, body, document):
    answer = api.client.post(
        at(STOP, job),
        "null" if body is None else json.dumps(body),
        content_type="application/json",
        headers=api.headers,
    )
    assert check(document, "post", STOP, answer)["error"]["code"] == "invalid"
    assert not Job.objects.filter(stop_requested_at__isnull=False).exists()


def test_extending_by_seconds_counts_from_the_present_stop(api, job, document):
    body = check(document, "post", EXTEND, api.post(at(EXTEND, job), {"by_s": 3600, "limits_version": 1}))
    wanted = stop_time(job) + dt.timedelta(hours=1)
    assert dt.datetime.fromisoformat(body["stop_at"]) >= wanted
    assert body["limits"]["version"] == 2
    assert dt.datetime.fromisoformat(body["limits"]["extended_until"]) == wanted
    assert Event.objects.get(kind="job.extended").actor_kind == "token"


def test_extending_until_a_moment_with_any_offset_and_never_beyond_the_ceiling(api, job):
    until = stop_time(job) + dt.timedelta(hours=2)
    body = api.post(
        at(EXTEND, job), {"until": until.astimezone(dt.timezone(dt.timedelta(hours=9))).isoformat()}
    ).json()
    assert dt.datetime.fromisoformat(body["limits"]["extended_until"]) == until
    body = api.post(at(EXTEND, job), {"until": "9999-12-31T23:59:59Z"}).json()
    assert body["stop_at"] == body["limits"]["latest_stop_at"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, []),
        ({"until": "2030-01-01T00:00:00Z", "by_s": 5}, []),
        ({"until": "2030-01-01T00:00:00"}, ["until"]),
        ({"until": "tomorrow"}, ["until"]),
        ({"by_s": 0}, ["by_s"]),
        ({"by_s": 10**30}, ["by_s"]),
        ({"by_s": 60, "limits_version": "x"}, ["limits_version"]),
        ({"by_m": 60}, ["by_m"]),
    ],
    ids=str,
)
def test_a_wrong_extension_is_refused_by_name(api, job, body, fields, document):
    answer = api.post(at(EXTEND, job), body)
    assert answer.status_code == 400
    assert list(check(document, "post", EXTEND, answer)["error"]["fields"]) == fields
    job.refresh_from_db()
    assert (job.extend_until, job.limits_version) == (None, 1)


def _refused(answer, document):
    assert answer.status_code == 409
    return check(document, "post", EXTEND, answer)["error"]["code"]


def test_an_extension_that_comes_too_late_or_saw_too_little_is_refused(api, job, document):
    path = at(EXTEND, job)
    past = (timezone.now() - dt.timedelta(hours=1)).isoformat()
    assert _refused(api.post(path, {"until": past}), document) == "nothing_to_extend"
    api.post(path, {"by_s": 60, "limits_version": 1})
    assert _refused(api.post(path, {"by_s": 60, "limits_version": 1}), document) == "outdated"
    api.post(at(STOP, job))
    assert _refused(api.post(path, {"by_s": 60}), document) == "too_late"
    ended = factories.make_job(job.team, "CANCELLED")
    assert _refused(api.post(at(EXTEND, ended), {"by_s": 60}), document) == "too_late"


@pytest.mark.django_db(transaction=True)
def test_extensions_and_a_stop_at_once_never_both_win():
    job = factories.make_job(factories.make_team())
    token = make_token(job.team)
    start, answers = threading.Barrier(3), {}

    def call(name, path, body):
        api = Api(token)
        start.wait()
        answers[name] = api.post(at(path, job), body)
        connection.close()

    extension = {"by_s": 600, "limits_version": 1}
    calls = [("stop", STOP, {}), ("one", EXTEND, extension), ("two", EXTEND, extension)]
    threads = [threading.Thread(target=call, args=one) for one in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers["stop"].status_code == 200
    statuses = sorted([answers["one"].status_code, answers["two"].status_code])
    assert statuses in ([200, 409], [409, 409])
    job.refresh_from_db()
    assert job.stop_requested_at is not None
    assert (job.extend_until is not None) == (statuses[0] == 200)
    assert job.limits_version == 2 + statuses.count(200)
