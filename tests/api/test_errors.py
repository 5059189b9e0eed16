"""Every fault has the one shape, whoever raised it."""

from __future__ import annotations

import io
import json
import logging
import uuid

import pytest
from django.test import Client

from dispersed_web.api.views import account, jobs
from dispersed_web.api.views.docs import Schema
from dispersed_web.credentials.masking import MaskSecrets
from dispersed_web.jobs import queries
from tests import factories
from tests.api.caller import Api, make_token

pytestmark = pytest.mark.django_db
JOBS = "/api/v1/jobs"


@pytest.fixture
def api():
    return Api(make_token(factories.make_team()))


def error(answer, status, code):
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "fields"}
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    assert isinstance(body["error"]["fields"], dict)
    return body["error"]


def post_raw(api, data, content_type="application/json"):
    return api.client.post(
        JOBS, data, content_type=content_type, headers=api.headers | {"Idempotency-Key": "k"}
    )


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/jobs/", "/api/v2/jobs", "/api/v1/jobs/7", "/api/x.php"],
)
def test_an_unknown_address_is_told_as_json_to_everybody(path):
    for call in (Client().get, Client().post, Client().delete):
        if path != "/api":
            error(call(path), 404, "not_found")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_a_wrong_method(api, method):
    answer = getattr(api.client, method)(JOBS, headers=api.headers)
    error(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_a_body_that_is_no_json_or_no_object(api):
    assert "canary" not in error(post_raw(api, '{"canary'), 400, "parse_error")["message"]
    error(post_raw(api, b"\xff\xfe"), 400, "parse_error")
    error(post_raw(api, '{"cpu_count": NaN}'), 400, "parse_error")
    error(post_raw(api, "[" * 200_000), 400, "parse_error")
    error(post_raw(api, "[]"), 400, "invalid")
    error(post_raw(api, '"text"'), 400, "invalid")
    error(post_raw(api, "null"), 400, "invalid")
    error(post_raw(api, json.dumps({"title": "\ud800", "a\ud800": 1})), 400, "invalid")


def test_a_body_of_another_kind_or_too_large(api, settings):
    error(post_raw(api, "title=x", "application/x-www-form-urlencoded"), 415, "unsupported_media_type")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2048
    error(post_raw(api, json.dumps({"description": "x" * 2049})), 413, "too_large")
    error(post_raw(api, json.dumps({"nothing": "x" * 1000})), 400, "invalid")


def test_an_answer_of_another_kind(api):
    answer = api.client.get(JOBS, headers=api.headers | {"Accept": "text/csv"})
    error(answer, 406, "not_acceptable")


@pytest.mark.parametrize("debug", [False, True])
def test_a_fault_of_ours_is_logged_and_not_told(api, settings, monkeypatch, caplog, debug):
    settings.DEBUG = debug

    def broken(*args, **options):
        raise RuntimeError("canary detail")

    monkeypatch.setattr(jobs.queries, "page", broken)
    answer = api.get(JOBS)
    error(answer, 500, "internal_error")
    assert "canary" not in answer.content.decode()
    assert "canary detail" in caplog.text


def test_the_document_fails_in_the_same_shape(monkeypatch, api):
    monkeypatch.setattr(Schema, "_get_schema_response", lambda *args: 1 / 0)
    error(api.get("/api/schema/"), 500, "internal_error")
    error(Client().get("/api/schema/"), 401, "not_authenticated")


def test_no_answer_may_be_kept_by_a_cache(api, monkeypatch):
    answers = [api.get(JOBS), api.get(f"{JOBS}/{uuid.uuid4()}"), api.get("/api/schema/"), Client().get(JOBS)]
    monkeypatch.setattr(account.Me, "get", lambda *args: 1 / 0)
    answers.append(api.get("/api/v1/me"))
    assert [answer.status_code for answer in answers] == [200, 404, 200, 401, 500]
    for answer in answers:
        assert "no-store" in answer.headers["Cache-Control"]
        assert "Authorization" in answer.headers["Vary"]


def test_a_fault_of_ours_is_logged_without_what_looks_like_a_secret(api, monkeypatch):
    """The log says where it broke; the answer says nothing of it."""
    canary = "_".join(("sk", "live", "canary0123456789"))

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f"broke with {canary}")

    monkeypatch.setattr(queries, "page", broken)
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(MaskSecrets())
    logging.getLogger().addHandler(handler)
    try:
        answer = api.get("/api/v1/jobs")
    finally:
        logging.getLogger().removeHandler(handler)
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "RuntimeError" in out.getvalue()
    assert canary not in out.getvalue() + answer.content.decode()
