"""GPUs and prices over the API, as they were asked last."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.jobs.models import Market
from tests import factories
from tests.api.caller import Api
from tests.api.shape import check

pytestmark = pytest.mark.django_db
BIG, SMALL = "a5a1e7a4-0000-4000-8000-000000000001", "a5a1e7a4-0000-4000-8000-000000000002"


def offer(gpu: str, label: str, usd: str | None, count: int = 1, region: str = "us-west-2") -> dict:
    return {
        "gpu_registry_uuid": gpu,
        "gpu_label": label,
        "gpu_count": count,
        "region_code": region,
        "hourly_rate_usd": usd,
    }


@pytest.fixture
def known(credential):
    return Market.objects.create(
        credential=credential,
        gpus=[
            {"uuid": BIG, "name": "NVIDIA RTX 5090", "vram_gb": 32},
            {"uuid": SMALL, "name": "NVIDIA RTX 3060", "vram_gb": 12},
        ],
        offers=[
            offer(BIG, "RTX 5090", "0.76", region="eu-central-1"),
            offer(BIG, "RTX 5090", "0.69"),
            offer(BIG, "RTX 5090", "4.14", count=6),
        ],
        fetched_at=timezone.now(),
    )


def test_gpus_come_with_their_range_of_prices_and_the_unoffered_ones_last(
    api, credential, known, nudges, document
):
    answer = api.get("/api/v1/gpus", credential_id=credential.pk)
    body = check(document, "get", "/api/v1/gpus", answer)
    found = [
        (gpu["name"], gpu["offered"], gpu["hourly_usd_from"], gpu["hourly_usd_to"]) for gpu in body["gpus"]
    ]
    assert found == [
        ("NVIDIA RTX 5090", True, "0.6900", "0.7600"),
        ("NVIDIA RTX 3060", False, None, None),
    ]
    assert body["gpus"][0]["regions"] == ["eu-central-1", "us-west-2"]
    assert nudges == []


@pytest.mark.parametrize(
    ("query", "names"),
    [({"min_vram_gb": 24}, ["NVIDIA RTX 5090"]), ({"gpu_count": 6}, ["NVIDIA RTX 5090", "NVIDIA RTX 3060"])],
)
def test_memory_and_count_narrow_them(api, credential, known, query, names):
    body = api.get("/api/v1/gpus", credential_id=credential.pk, **query).json()
    assert [gpu["name"] for gpu in body["gpus"]] == names


def test_offers_are_told_one_by_one_the_cheapest_first(api, credential, known, document):
    body = check(document, "get", "/api/v1/offers", api.get("/api/v1/offers", credential_id=credential.pk))
    assert [one["hourly_usd"] for one in body["offers"]] == ["0.6900", "0.7600"]
    six = api.get("/api/v1/offers", credential_id=credential.pk, gpu_count=6).json()["offers"]
    assert [(one["hourly_usd"], one["gpu_count"]) for one in six] == [("4.1400", 6)]


@pytest.mark.parametrize("path", ["/api/v1/gpus", "/api/v1/offers"])
def test_old_prices_are_answered_and_asked_anew(api, credential, known, nudges, path):
    Market.objects.update(fetched_at=timezone.now() - dt.timedelta(minutes=2), failure="No answer.")
    body = api.get(path, credential_id=credential.pk).json()
    assert body["failure"] == "No answer."
    assert nudges == [(tasks.refresh_market, credential.pk)]


@pytest.mark.parametrize("path", ["/api/v1/gpus", "/api/v1/offers"])
def test_another_teams_credential_is_as_unknown_as_none(api, path):
    other = factories.make_credential(factories.make_team())
    for credential_id in (other.pk, uuid.uuid4()):
        answer = api.get(path, credential_id=credential_id)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
    assert Api().get(path, credential_id=other.pk).status_code == 401
    assert api.get(path).json()["error"]["fields"] == {"credential_id": "This field is required."}
