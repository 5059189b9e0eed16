"""Credentials over the API: what they are for, their caps, and the launches that they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from dispersed_web.credentials.models import Credential, CredentialCaps
from dispersed_web.jobs import launch_rates
from dispersed_web.jobs.models import Job
from tests import factories
from tests.api.caller import Api, launch_body, make_token
from tests.api.shape import check

PATH = "/api/v1/credentials"
JOBS = "/api/v1/jobs"
pytestmark = pytest.mark.django_db


@pytest.fixture
def member(team: Any) -> Api:
    return Api(make_token(team, factories.make_member(team)))


def test_it_says_what_a_credential_is_for(api: Api, credential: Credential, document: Any) -> None:
    CredentialCaps.objects.create(
        credential=credential, max_active_jobs=3, max_day_usd="5.00", images=["lab/*"]
    )
    factories.make_credential(credential.team, name="Gone", state="gone")
    old = factories.make_credential(credential.team, name="Old", state="retired", successor=credential)
    rows = check(document, "get", PATH, api.get(PATH))["credentials"]
    one, retired = sorted(rows, key=lambda row: row["state"])
    assert (one["usable_by"], one["managed_by"]) == ("members", "admins")
    caps = one["caps"]
    assert (caps["max_active_jobs"], caps["max_day_usd"], caps["images"]) == (3, "5.00", ["lab/*"])
    assert (caps["max_hourly_usd"], caps["gpu_models"], caps["task"]) == (None, [], "")
    assert (retired["id"], retired["replaced_by"]) == (str(old.pk), str(credential.pk))
    assert retired["may_launch"]["code"] == "credential_retired"


def test_a_credential_for_others_is_refused_clearly(
    member: Api, credential: Credential, document: Any
) -> None:
    Credential.objects.update(usable_by="admins")
    assert member.get(PATH).json()["credentials"][0]["may_launch"]["code"] == "credential_not_for_you"
    answer = member.launch(launch_body(credential))
    assert answer.status_code == 403
    assert check(document, "post", JOBS, answer)["error"]["code"] == "credential_not_for_you"
    for path in ("/api/v1/gpus", "/api/v1/offers"):
        answer = member.get(path, credential_id=str(credential.pk))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "credential_not_for_you")
    assert not Job.objects.exists()


def test_a_cap_names_the_field_at_fault(api: Api, credential: Credential, document: Any) -> None:
    CredentialCaps.objects.create(credential=credential, images=["lab/*"])
    answer = api.launch(launch_body(credential))
    error = check(document, "post", JOBS, answer)["error"]
    assert (answer.status_code, error["code"], list(error["fields"])) == (409, "cap_image", ["image"])


def test_too_many_launches_are_told_when_the_next_may_come(
    api: Api, credential: Credential, document: Any, nudges: Any
) -> None:
    for number in range(launch_rates.PER_MINUTE):
        answer = api.launch(launch_body(credential, title=f"Job {number}"), key=f"key-{number}")
        assert answer.status_code == 201
    answer = api.launch(launch_body(credential, title="One more"))
    assert answer.status_code == 429
    assert check(document, "post", JOBS, answer)["error"]["code"] == "too_many_launches"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    again = api.launch(launch_body(credential, title="Job 0"), key="key-0")
    assert again.status_code == 200
