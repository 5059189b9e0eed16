"""The OpenAPI document is valid, complete and for callers only."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

from tests import factories
from tests.api.caller import Api, make_token

OPERATIONS = {
    ("get", "/api/v1/jobs"),
    ("post", "/api/v1/jobs"),
    ("get", "/api/v1/jobs/{job_id}"),
    ("get", "/api/v1/jobs/{job_id}/logs"),
    ("post", "/api/v1/jobs/{job_id}/stop"),
    ("post", "/api/v1/jobs/{job_id}/extend"),
    ("post", "/api/v1/jobs/{job_id}/settle"),
    ("post", "/api/v1/jobs/{job_id}/in-use"),
    ("post", "/api/v1/jobs/{job_id}/protect"),
    ("post", "/api/v1/jobs/{job_id}/unprotect"),
    ("post", "/api/v1/jobs/{job_id}/accept-rate"),
    ("patch", "/api/v1/jobs/{job_id}"),
    ("post", "/api/v1/jobs/{job_id}/hand-over"),
    ("post", "/api/v1/jobs/{job_id}/star"),
    ("get", "/api/v1/autostop"),
    ("post", "/api/v1/autostop"),
    ("post", "/api/v1/autostop/replay"),
    ("get", "/api/v1/credentials"),
    ("get", "/api/v1/secrets"),
    ("post", "/api/v1/secrets"),
    ("get", "/api/v1/secrets/{secret_id}"),
    ("patch", "/api/v1/secrets/{secret_id}"),
    ("post", "/api/v1/secrets/{secret_id}/delete"),
    ("get", "/api/v1/members"),
    ("get", "/api/v1/members/{membership_id}"),
    ("patch", "/api/v1/members/{membership_id}"),
    ("post", "/api/v1/members/{membership_id}/remove"),
    ("get", "/api/v1/invitations"),
    ("post", "/api/v1/invitations"),
    ("post", "/api/v1/invitations/{invitation_id}/send-again"),
    ("post", "/api/v1/invitations/{invitation_id}/withdraw"),
    ("get", "/api/v1/recipes"),
    ("post", "/api/v1/recipes/{recipe_id}/versions"),
    ("post", "/api/v1/recipes/{recipe_id}/roll-back"),
    ("post", "/api/v1/recipes/{recipe_id}/copy"),
    ("post", "/api/v1/recipes/{recipe_id}/share"),
    ("post", "/api/v1/recipes/{recipe_id}/make-private"),
    ("post", "/api/v1/recipes/{recipe_id}/archive"),
    ("post", "/api/v1/recipes/{recipe_id}/unarchive"),
    ("post", "/api/v1/recipes"),
    ("patch", "/api/v1/recipes/{recipe_id}"),
    ("get", "/api/v1/presets"),
    ("post", "/api/v1/presets"),
    ("get", "/api/v1/presets/{preset_id}"),
    ("post", "/api/v1/presets/{preset_id}/delete"),
    ("get", "/api/v1/recipes/{recipe_id}"),
    ("get", "/api/v1/recipes/{recipe_id}/versions"),
    ("get", "/api/v1/recipes/{recipe_id}/versions/{number}"),
    ("post", "/api/v1/recipes/{recipe_id}/launch"),
    ("get", "/api/v1/inventory"),
    *(
        ("post", f"/api/v1/inventory/{{row_id}}/{act}")
        for act in ("adopt", "stop", "watch", "unwatch", "ignore", "unignore")
    ),
    ("get", "/api/v1/gpus"),
    ("get", "/api/v1/offers"),
    ("get", "/api/v1/events"),
    ("get", "/api/v1/me"),
}

pytestmark = pytest.mark.django_db


def test_it_is_valid_and_describes_every_operation_with_an_example(document):
    validate_schema(document)
    found = {
        (method, path): told for path, item in document["paths"].items() for method, told in item.items()
    }
    assert set(found) == OPERATIONS
    for told in found.values():
        assert told["summary"]
        assert "curl" in told["description"]
        assert {"401", "403", "429", "500"} <= set(told["responses"])
        assert {"200", "201"} & set(told["responses"])
        assert told["security"] == [{"token": []}]
    key = [one for one in found["post", "/api/v1/jobs"]["parameters"] if one["name"] == "Idempotency-Key"]
    assert key[0]["required"] is True
    assert "dwp_" in document["info"]["description"]
    assert "x-spec-enum-id" not in json.dumps(document)


def test_the_generator_has_nothing_to_warn_of(capsys, document):
    assert "Warning" not in capsys.readouterr().err


@pytest.mark.parametrize("path", ["/api/schema/", "/api/schema/?format=json"])
def test_a_stranger_gets_no_document(path):
    answer = Client().get(path)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_authenticated"


def test_a_token_and_a_session_get_it():
    team = factories.make_team()
    assert (
        Api(make_token(team))
        .get("/api/schema/")
        .headers["Content-Type"]
        .startswith("application/vnd.oai.openapi")
    )
    client = Client()
    factories.sign_in(client, factories.owner_of(team))
    answer = client.get("/api/schema/?format=json")
    assert json.loads(answer.content)["openapi"].startswith("3.1")
    assert "no-store" in answer.headers["Cache-Control"]
