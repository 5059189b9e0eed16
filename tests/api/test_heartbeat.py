"""The address at which containers report, as they see it."""

from __future__ import annotations

import datetime as dt
import json
import logging

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dispersed_web.autostop import extend
from dispersed_web.credentials.masking import MaskSecrets
from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from dispersed_web.signals import receiver
from tests import factories
from tests.signals.beating import beat_body, buckets, make_beating_job

pytestmark = pytest.mark.django_db


def post(token: str, body: str | bytes | None = None, path: str = "", **extra):
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    body = beat_body() if body is None else body
    return client.post(f"/hb/{token}{path}", body, content_type="application/json", **extra)


@pytest.fixture
def beating():
    return make_beating_job()


def test_a_report_is_stored_and_answered_in_one_line(beating):
    job, token = beating

    before = timezone.now()
    answer = post(token)
    took_s = (timezone.now() - before).total_seconds()

    assert answer.status_code == 200
    assert answer.json() == {
        "state": "unknown",
        "stop_at": job.stop_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "in_s": pytest.approx((job.stop_at - before).total_seconds(), abs=took_s + 1),
        "reason": "",
        "message": "",
        "next_s": 60,
    }
    assert answer.content.count(b"\n") == 1
    assert [bucket.gpu_top for bucket in buckets(job)] == [87]


def test_nothing_is_remembered_of_the_caller(beating):
    answer = post(beating[1])

    assert not answer.cookies
    assert answer["Cache-Control"] == "no-store"


def test_the_time_of_receipt_counts(beating):
    job, token = beating

    post(token, beat_body(at="1999-01-01T00:00:00Z", time=0))

    assert abs(buckets(job)[0].last_at - timezone.now()) < dt.timedelta(seconds=10)


def test_unknown_keys_and_odd_values_do_not_cost_the_report(beating):
    job, token = beating

    answer = post(
        token, beat_body(gpus="many", cpu=None, net=[], ssh={"a": 1}, busy="yes", phase=7, extra={"a": []})
    )

    assert answer.status_code == 200
    (bucket,) = buckets(job)
    assert (bucket.gpu_top, bucket.cpu_top, bucket.ssh_open, bucket.phase) == (None, None, None, "")


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "options", "patch", "trace"])
@pytest.mark.parametrize("path", ["", "/keep"])
def test_only_post_does_anything(beating, method, path):
    job, token = beating

    answer = getattr(Client(), method)(f"/hb/{token}{path}")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert not buckets(job)
    assert not answer.cookies


@pytest.mark.parametrize("path", ["", "/keep"])
@pytest.mark.parametrize("token", ["x" * 43, "x", "%00", "ü", "x" * 3000])
def test_an_address_of_no_job(token, path):
    assert post(token, path=path).status_code == 404


@pytest.mark.parametrize("path", ["", "/keep"])
def test_an_ended_job(path):
    job, token = make_beating_job(status="CANCELLED")

    answer = post(token, path=path)

    assert (answer.status_code, answer.json()["state"]) == (410, "ended")
    assert not buckets(job)


@pytest.mark.parametrize("body", ["", "x", "[]", "null", b"\xff\xfe", "[" * 4000])
def test_what_is_no_report(beating, body):
    assert post(beating[1], body).status_code == 400
    assert not buckets(beating[0])


def test_a_report_of_4_kib_and_not_more(beating):
    body = beat_body(extra="")
    padding = 4096 - len(body)

    assert post(beating[1], beat_body(extra="x" * padding)).status_code == 200
    assert post(beating[1], beat_body(extra="x" * (padding + 1))).status_code == 413
    assert post(beating[1], "x" * 2_000_000).status_code == 413


def test_too_many_reports(beating):
    statuses = [post(beating[1]).status_code for _ in range(7)]

    assert statuses == [200] * 6 + [429]
    assert post(beating[1])["Retry-After"] == "10"


def test_a_machine_that_stops_soon_is_told():
    now = timezone.now()
    stop_at = now + dt.timedelta(minutes=10)
    _, token = make_beating_job(stop_at=stop_at, verdict_state="warned", verdict_rule="idle")

    answer = post(token).json()

    assert (answer["state"], answer["reason"], answer["in_s"]) == (
        "warned",
        "idle",
        pytest.approx(600, abs=5),
    )
    assert f"stops at {stop_at:%H:%M} UTC" in answer["message"]


def test_a_report_needs_three_queries_at_most(beating, django_assert_max_num_queries):
    for _ in range(2):
        with django_assert_max_num_queries(3):
            assert post(beating[1]).status_code == 200


def test_a_signed_in_browser_changes_nothing(beating, client):
    factories.sign_in(client, factories.make_user())

    answer = client.post(f"/hb/{beating[1]}", beat_body(), content_type="application/json")

    assert (answer.status_code, dict(answer.cookies)) == (200, {})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
REPORTS = st.dictionaries(
    st.sampled_from(["v", "seq", "period_s", "gpus", "cpu", "net", "ssh", "busy", "phase", "note"]),
    ANYTHING
    | st.lists(st.fixed_dictionaries({}, optional={"use": ANYTHING, "key_age_s": ANYTHING}), max_size=3),
)


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(REPORTS.map(json.dumps) | st.binary(max_size=200))
def test_no_report_breaks_anything(beating, body):
    assert post(beating[1], body).status_code in {200, 400, 429}


# Keeping --------------------------------------------------------------------------------------------------------------


def test_the_container_may_ask_for_more_time(beating):
    job, token = beating

    answer = post(token, "", "/keep?m=30")

    assert answer.status_code == 200
    kept_until = Job.objects.get(pk=job.pk).kept_until
    assert dt.timedelta(minutes=29) < kept_until - timezone.now() <= dt.timedelta(minutes=30)
    assert answer.json()["until"] == kept_until.strftime("%Y-%m-%dT%H:%M:%SZ")
    event = Event.objects.get(kind="job.kept")
    assert (event.actor_label, event.actor_user) == ("The container", None)


def test_an_hour_is_meant_where_nothing_is_said(beating):
    post(beating[1], "", "/keep")

    assert Job.objects.get().kept_until - timezone.now() > dt.timedelta(minutes=59)


def test_a_container_cannot_vouch_for_itself():
    job, token = make_beating_job(ceiling_s=24 * 3600)

    assert post(token, "", "/keep?m=1440").status_code == 200

    kept = Job.objects.get(pk=job.pk)
    assert (kept.extend_until, kept.confirmed_at) == (None, None)
    assert kept.kept_until < job.launched_at + dt.timedelta(hours=24)
    assert post(token, "", "/keep?m=1440").status_code == 409


def test_a_machine_that_asks_again_and_again_changes_the_job_once_a_minute(beating):
    job, token = beating

    answers = [post(token, "", "/keep?m=30").status_code for _ in range(5)]

    assert answers == [200, 409, 409, 409, 409]
    assert Job.objects.get().limits_version == job.limits_version + 1
    assert post(token, "", "/keep?m=31").status_code == 200


def test_keeping_is_too_late_once_the_stop_was_asked_for():
    _, token = make_beating_job(stop_requested_at=timezone.now())

    answer = post(token, "", "/keep")

    assert answer.status_code == 409
    assert answer.json()["message"].startswith("Too late")


@pytest.mark.parametrize("minutes", ["0", "1441", "-5", "x", "", "1e3", "²", "9" * 5000, "00001" + "9" * 20])
def test_keeping_for_no_sensible_time(beating, minutes):
    assert post(beating[1], "", f"/keep?m={minutes}").status_code == 400
    assert Job.objects.get().kept_until is None


# Secrets --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def written(caplog):
    """Everything that is logged, as the product writes it."""
    caplog.set_level(logging.DEBUG)
    caplog.handler.addFilter(MaskSecrets())
    yield lambda: "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    caplog.handler.filters.clear()


def test_no_token_is_logged(beating, written):
    token = beating[1]
    for _ in range(8):
        post(token)
    post(token, "x")
    post(token, "x" * 5000)
    post(token, "", "/keep?m=x")
    Client().get(f"/hb/{token}")
    Client().post(f"/hb/{token}/nothing")

    assert token not in written()


def test_no_fault_of_the_product_has_the_address_logged(beating, monkeypatch, caplog):
    def broken(*_, **__):
        raise KeyError(beating[1])

    monkeypatch.setattr(extend, "keep", broken)
    assert post(beating[1], "", "/keep").status_code == 503
    assert beating[1] not in caplog.text


def test_a_database_that_is_away_is_no_fault_of_the_container(beating, written, monkeypatch):
    def away(*_):
        raise DatabaseError(f"no connection while asked for {beating[1]}")

    monkeypatch.setattr(receiver, "_find", away)

    answer = post(beating[1])

    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert "could not be stored" in written()
    assert beating[1] not in written()


# The script -----------------------------------------------------------------------------------------------------------


def test_everybody_may_fetch_the_script():
    answer = Client().get("/heartbeat.sh")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/x-shellscript; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert answer.content.startswith(b"#!/bin/sh\n")
    assert not answer.cookies
    assert Client().post("/heartbeat.sh").status_code == 405
