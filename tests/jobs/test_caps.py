"""Caps of a credential: one order that they allow, and each case spoils one thing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.jobs.caps import (
    Asked,
    Caps,
    Counts,
    Spent,
    Standing,
    against_the_order,
    image_is_allowed,
    refusal,
)

ANEW = "on 26 November at 00:00 (UTC)"
CAPS = Caps(
    max_active_jobs=3,
    max_hourly_usd=Decimal("2.07"),
    max_day_usd=Decimal("10.00"),
    max_month_usd=Decimal("100.00"),
    task="PERSISTENT",
    gpu_models=("RTX 5090", "H100"),
    max_gpu_count=4,
    regions=("us-west-2", "eu-central-1"),
    images=("dispersednetwork/*", "ghcr.io/lab/train:v1"),
    max_lifetime_s=7200,
)
ASKED = Asked(
    task="PERSISTENT",
    gpu_names=("NVIDIA RTX 5090",),
    gpu_count=2,
    nodes=2,
    regions=("us-west-2",),
    images=(("dispersednetwork/base", "latest"),),
    has_image_source=False,
    usd=Decimal("0.69"),
    lasts_s=7200,
)
COUNTS = Counts(
    active_jobs=2,
    burning_usd=Decimal("1.38"),
    day=Spent(Decimal("9.99"), ANEW),
    month=Spent(Decimal("99.99"), ANEW),
)


def test_what_is_within_all_caps_goes() -> None:
    assert refusal(Standing(CAPS, COUNTS, ASKED)) is None


def test_without_caps_everything_goes() -> None:
    anything = Asked("BATCH", (), None, 9, (), (("x", ""),), True, None, None)
    busy = Counts(active_jobs=99, burning_usd=Decimal(999), unpriced=("?",))
    assert refusal(Standing(Caps(), busy, anything)) is None


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"task": "BATCH"}, "cap_task", "task"),
        ({"gpu_names": ("RTX 4090",)}, "cap_gpu", "gpu_registry_uuid"),
        ({"gpu_names": ("RTX 5090", "RTX 4090")}, "cap_gpu", "gpu_registry_uuid"),
        ({"gpu_names": (None,)}, "cap_gpu", "gpu_registry_uuid"),
        ({"gpu_names": ()}, "cap_gpu", "gpu_registry_uuid"),
        ({"gpu_count": 3}, "cap_gpu_count", "gpu_count"),
        ({"gpu_count": None}, "cap_gpu_count", "gpu_count"),
        ({"regions": ()}, "cap_regions", "allowed_region_codes"),
        ({"regions": ("us-west-2", "ap-south-1")}, "cap_regions", "allowed_region_codes"),
        ({"images": (("evil.example/dispersednetwork/base", ""),)}, "cap_image", "image"),
        ({"images": (*ASKED.images, ("other/data", ""))}, "cap_image", "image"),
        ({"images": (("ghcr.io/lab/train", "v2"),)}, "cap_image", "image"),
        ({"images": (("ghcr.io/lab/train", ""),)}, "cap_image", "image"),
        ({"has_image_source": True}, "cap_image", "image"),
        ({"lasts_s": 7201}, "cap_lifetime", "lifetime"),
        ({"lasts_s": None}, "cap_lifetime", "lifetime"),
        ({"usd": None}, "cap_price_unknown", "rate_cap_usd"),
        ({"usd": Decimal("0.6901")}, "cap_hourly", ""),
    ],
)
def test_each_thing_that_is_asked_for_beyond_a_cap_is_refused(
    change: dict[str, Any], code: str, field: str
) -> None:
    found = refusal(Standing(CAPS, COUNTS, replace(ASKED, **change)))
    assert found is not None
    assert (found.code, found.field, found.waits) == (code, field, False)
    assert found.sentence.endswith(".")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"active_jobs": 3}, "cap_jobs"),
        ({"burning_usd": Decimal("1.3801")}, "cap_hourly"),
        ({"unpriced": ("Dev",)}, "cap_price_unknown"),
        ({"day": Spent(Decimal("10.00"), ANEW)}, "cap_spent"),
        ({"month": Spent(Decimal("100.00"), ANEW)}, "cap_spent"),
        ({"day": None}, "cap_spent"),
    ],
)
def test_what_runs_and_was_spent_already_is_counted(change: dict[str, Any], code: str) -> None:
    found = refusal(Standing(CAPS, replace(COUNTS, **change), ASKED))
    assert found is not None
    assert found.code == code


def test_a_job_without_gpus_passes_a_cap_on_their_models() -> None:
    none = replace(ASKED, gpu_names=(), gpu_count=0)
    assert refusal(Standing(CAPS, COUNTS, none)) is None


def test_before_anything_is_asked_for_only_what_runs_is_judged() -> None:
    assert refusal(Standing(CAPS, COUNTS)) is None
    full = replace(COUNTS, burning_usd=CAPS.max_hourly_usd)
    assert [one and one.code for one in (refusal(Standing(CAPS, full)),)] == ["cap_hourly"]


def test_a_form_hears_of_all_its_faults() -> None:
    bad = replace(ASKED, task="BATCH", regions=(), usd=None)
    assert [one.field for one in against_the_order(CAPS, bad)] == [
        "task",
        "allowed_region_codes",
        "rate_cap_usd",
    ]


def test_words_name_the_cap_and_what_to_do() -> None:
    full = refusal(Standing(CAPS, replace(COUNTS, active_jobs=3), ASKED))
    spent = refusal(Standing(CAPS, replace(COUNTS, day=Spent(Decimal("10.42"), ANEW)), ASKED))
    any_gpu = refusal(Standing(CAPS, COUNTS, replace(ASKED, gpu_names=())))
    assert [one.sentence for one in (full, spent, any_gpu) if one] == [
        "3 jobs may run at once with this credential, and 3 are active. Stop one first, or choose another credential.",
        "This credential has spent $10.42 of $10.00 today. It counts anew on 26 November at 00:00 (UTC); whoever manages "
        "it can raise the cap.",
        "This credential is for these GPUs: RTX 5090, H100. With any GPU it cannot be told which one it would be.",
    ]


@pytest.mark.parametrize(
    ("pattern", "name", "tag", "allowed"),
    [
        ("dispersednetwork/*", "dispersednetwork/base", "latest", True),
        ("dispersednetwork/base", "dispersednetwork/base", "latest", True),
        ("dispersednetwork/base:latest", "dispersednetwork/base", "latest", True),
        ("dispersednetwork/base:latest", "dispersednetwork/base", "", False),
        ("*:v1", "any/thing", "v1", True),
        ("*", "any/thing", "", True),
        ("dispersednetwork/*", "dispersednetworkx/base", "", False),
        ("dispersednetwork/*", "a.b/dispersednetwork/base", "", False),
        ("lab/train?", "lab/trainX", "", False),
        ("lab/[ab]", "lab/a", "", False),
        ("lab.io/x", "labXio/x", "", False),
        ("lab/x", "lab/X", "", False),
        ("lab/x", "lab/x\n", "", False),
    ],
)
def test_patterns_of_images(pattern: str, name: str, tag: str, allowed: bool) -> None:
    assert image_is_allowed(name, tag, [pattern]) is allowed
