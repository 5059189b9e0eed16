"""What a launch may get and cost, from the registry and the offers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.jobs import market
from dispersed_web.jobs.market import Wish
from dispersed_web.jobs.models import Market
from tests.jobs.world import World

GPUS = [
    {"uuid": "g-5090", "name": "NVIDIA RTX 5090", "vram_gb": 32},
    {"uuid": "g-4090", "name": "NVIDIA RTX 4090", "vram_gb": 24},
    {"uuid": "g-h100", "name": "NVIDIA H100 80GB", "vram_gb": 80},
]


def offer(gpu: str, label: str, usd: str | None, count: int = 1, region: str = "us-east-1") -> dict[str, Any]:
    return {
        "gpu_registry_uuid": gpu,
        "gpu_label": label,
        "gpu_count": count,
        "region_code": region,
        "hourly_rate_usd": usd,
    }


OFFERS = [
    offer("g-5090", "RTX 5090", "0.69"),
    offer("g-5090", "RTX 5090", "0.76", region="eu-central-1"),
    offer("g-5090", "6x RTX 5090", "4.14", count=6),
    offer("", "RTX 4090", "0.35"),
    offer("g-h100", "H100 80GB", None),
]
ANY = Wish("", "", 1, None, 1)


def found(count: int = 1) -> list[market.GpuChoice]:
    return market.choices(GPUS, OFFERS, count)


def test_the_cheapest_offered_come_first_and_the_rest_stays_choosable() -> None:
    assert [(c.name, c.from_usd, c.to_usd, c.offered) for c in found()] == [
        ("NVIDIA RTX 4090", Decimal("0.35"), Decimal("0.35"), True),
        ("NVIDIA RTX 5090", Decimal("0.69"), Decimal("0.76"), True),
        ("NVIDIA H100 80GB", None, None, False),
    ]
    assert found()[1].regions == ("eu-central-1", "us-east-1")
    assert [c.from_usd for c in found(6)] == [Decimal("4.14"), None, None]


@pytest.mark.parametrize(
    ("wish", "least", "most"),
    [
        (ANY, "0.35", "0.76"),
        (replace(ANY, min_vram_gb=30), "0.69", "0.76"),
        (replace(ANY, min_vram_gb=200), None, None),
        (replace(ANY, gpu_registry_uuid="g-5090"), "0.69", "0.76"),
        (replace(ANY, gpu_registry_uuid="g-5090", nodes=2), "1.38", "1.52"),
        (replace(ANY, gpu_name="rtx 4090"), "0.35", "0.35"),
        (replace(ANY, gpu_name="A6000"), None, None),
        (replace(ANY, gpu_registry_uuid="g-h100"), None, None),
        (replace(ANY, gpu_count=0), None, None),
    ],
)
def test_what_it_costs_from_and_to(wish: Wish, least: str | None, most: str | None) -> None:
    expected = tuple(Decimal(usd) if usd else None for usd in (least, most))
    assert market.hourly_range_usd(wish, found()) == expected


@pytest.mark.parametrize(
    ("wish", "label"),
    [
        (ANY, "any GPU"),
        (replace(ANY, min_vram_gb=24), "any GPU ≥ 24 GB"),
        (replace(ANY, gpu_registry_uuid="g-5090"), "RTX 5090"),
        (replace(ANY, gpu_registry_uuid="g-5090", gpu_count=2), "2 × RTX 5090"),
        (replace(ANY, gpu_registry_uuid="0198ac1c-7063"), "GPU 0198ac1c"),
        (replace(ANY, gpu_name="NVIDIA A6000"), "A6000"),
        (replace(ANY, gpu_count=0), "no GPU"),
        (replace(ANY, gpu_count=None), "any GPU"),
    ],
)
def test_what_it_is_called(wish: Wish, label: str) -> None:
    assert market.label(wish, found()) == label


def test_prices_are_asked_for_and_kept_when_the_cloud_is_gone(world: World) -> None:
    market.refresh(world.credential.pk, world.clock)
    stored = market.of(world.credential)
    assert {gpu["name"] for gpu in stored.gpus} >= {"NVIDIA RTX 5090", "NVIDIA RTX 4090"}
    assert not market.is_stale(stored, world.clock.now)
    world.control.revoke_key(world.credential.public_key)
    world.clock.advance(600)
    market.refresh_all(world.clock)
    again = market.of(world.credential)
    assert again.gpus == stored.gpus
    assert again.failure
    assert market.is_stale(again, world.clock.now)


def test_two_at_once_ask_once(world: World) -> None:
    market.refresh(world.credential.pk, world.clock)
    before = len(world.control.requests())
    market.refresh_all(world.clock)
    assert len(world.control.requests()) == before
    assert Market.objects.count() == 1


@pytest.mark.parametrize(
    ("wish", "count", "name"),
    [
        (Wish("", "", 1, 16, 1), 1, "NVIDIA RTX 4090"),
        (Wish("", "", 1, 24, 1), 1, "NVIDIA RTX 4090"),
        (Wish("", "", 1, 25, 1), 1, "NVIDIA RTX 5090"),
        (Wish("", "", 6, 16, 1), 6, "NVIDIA RTX 5090"),
        (Wish("", "", 1, 40, 1), 1, None),
        (Wish("", "", 1, None, 1), 1, None),
        (Wish("", "", 0, 16, 1), 1, None),
        (Wish("g-5090", "", 1, 16, 1), 1, None),
        (Wish("", "RTX 5090", 1, 16, 1), 1, None),
    ],
)
def test_the_smallest_that_fits_is_suggested(wish: Wish, count: int, name: str | None) -> None:
    choice = market.suggestion(wish, found(count))
    assert (choice.name if choice else None) == name


def test_what_is_taken_is_neither_suggested_nor_first() -> None:
    offers = [{**one, "availability": "UNAVAILABLE"} for one in OFFERS if one["gpu_label"] == "RTX 4090"]
    offers += [one for one in OFFERS if one["gpu_label"] != "RTX 4090"]
    taken = market.choices(GPUS, offers)
    assert [(c.name, c.is_free) for c in taken[:2]] == [("NVIDIA RTX 5090", True), ("NVIDIA RTX 4090", False)]
    assert market.suggestion(Wish("", "", 1, 16, 1), taken).name == "NVIDIA RTX 5090"
