"""Each warning of the launch form alone: when it is said, and when it is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.jobs import rate
from dispersed_web.web.forms import advice
from dispersed_web.web.forms.advice import Around

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
USD = Decimal
SSH = {"ssh_key": "ssh-ed25519 AAAA"}
VENDOR = {"task": "PERSISTENT", "image": "dispersednetwork/base"}
PRELOAD = {"image": "dispersednetwork/llama.cpp_accesstoken_preload"}
PRICES = Around(from_usd=USD("0.69"), to_usd=USD("0.75"))
EXPIRES = Around(key_expires_at=NOW, last_end_at=NOW + dt.timedelta(hours=1))
LASTS = Around(key_expires_at=NOW + dt.timedelta(hours=2), last_end_at=NOW + dt.timedelta(hours=1))

SAID: list[tuple[Callable[..., str], dict[str, Any], Around, str]] = [
    (advice.bills_until_stopped, {"task": "PERSISTENT"}, Around(), "bills until it is stopped"),
    (
        advice.bills_until_stopped,
        {"task": "PERSISTENT", "lifetime": 7200},
        Around(),
        "at the latest after 2\u00a0h",
    ),
    (advice.several_nodes, {"max_node_count": 3}, Around(), "Up to 3 nodes"),
    (advice.retries, {"max_retry_count": 1}, Around(), "starts again, once"),
    (advice.retries, {"max_retry_count": 2}, Around(), "up to 2 times"),
    (advice.above_the_cap, {"rate_cap_usd": USD("0.70")}, PRICES, "cost up to $0.75/h"),
    (advice.outlives_the_key, {}, EXPIRES, "expires on 25 November at 12:00 UTC"),
    (advice.open_to_all, SSH | {"reach": "anyone"}, Around(), "can reach its SSH port"),
    (advice.open_to_all, {"ports": (8888,), "reach": "anyone"}, Around(), "can reach port 8888"),
    (advice.open_to_all, {"ports": (80,), "allowed_ips": ("::/0",)}, Around(), "can reach port 80"),
    (advice.secrets_in_plain, {}, Around(exposed_env=("API_KEY", "X")), "API_KEY, X"),
    (advice.no_key_for_ssh, VENDOR, Around(), "ends at once"),
    (advice.no_key_for_ssh, VENDOR | {"image": "dispersednetwork/comfyui"}, Around(), "nobody can sign in"),
    (advice.moving_tag, {"image": "org/i", "tag": "latest"}, Around(), "“latest” moves"),
    (advice.moving_tag, {"image": "org/i", "tag": ""}, Around(), "“latest” moves"),
    (advice.pull_too_long, PRELOAD | {"max_timeout_start": 300}, Around(), "22.7 GB"),
    (advice.short_start, {"max_timeout_start": 300}, Around(), "Only 5m to start"),
    (advice.no_gpu, {"gpu_count": 0}, Around(), "No GPU is asked for"),
]
NOT_SAID: list[tuple[Callable[..., str], dict[str, Any], Around]] = [
    (advice.bills_until_stopped, {"task": "BATCH"}, Around()),
    (advice.several_nodes, {"max_node_count": 1}, Around()),
    (advice.retries, {"max_retry_count": 0}, Around()),
    (advice.above_the_cap, {"rate_cap_usd": USD("0.75")}, PRICES),
    (advice.above_the_cap, {"rate_cap_usd": USD("0.10")}, PRICES),
    (advice.above_the_cap, {"rate_cap_usd": USD("0.70")}, Around()),
    (advice.above_the_cap, {}, PRICES),
    (advice.outlives_the_key, {}, LASTS),
    (advice.outlives_the_key, {}, Around(last_end_at=NOW)),
    (advice.open_to_all, {"reach": "anyone"}, Around()),
    (advice.open_to_all, SSH | {"allowed_ips": ("203.0.113.7",)}, Around()),
    (advice.secrets_in_plain, {}, Around()),
    (advice.no_key_for_ssh, VENDOR | SSH, Around()),
    (advice.no_key_for_ssh, VENDOR | {"task": "BATCH"}, Around()),
    (advice.no_key_for_ssh, VENDOR | {"image": "org/i"}, Around()),
    (advice.moving_tag, {"image": "org/i", "tag": "v1.2"}, Around()),
    (advice.moving_tag, {"tag": "latest"}, Around()),
    (advice.pull_too_long, PRELOAD | {"max_timeout_start": 1800}, Around()),
    (advice.pull_too_long, {"image": "org/i", "max_timeout_start": 120}, Around()),
    (advice.short_start, {"max_timeout_start": 1800}, Around()),
    (advice.short_start, PRELOAD | {"max_timeout_start": 300}, Around()),
    (advice.no_gpu, {"gpu_count": 1}, Around()),
]


@pytest.mark.parametrize(("warning", "data", "around", "words"), SAID)
def test_each_warning_is_said(warning, data, around, words):
    assert words in warning(data, around)
    assert warning(data, around) in advice.warnings(data, around)


@pytest.mark.parametrize(("warning", "data", "around"), NOT_SAID)
def test_each_warning_is_left_out(warning, data, around):
    assert warning(data, around) == ""


def test_every_warning_is_tested_both_ways():
    assert {row[0] for row in SAID} == {row[0] for row in NOT_SAID} == set(advice.WARNINGS)


def test_a_missing_port_22_is_added_and_said():
    assert "Port 22 is published too" in advice.notes(SSH | {"ports": (8888,)})[0]
    assert advice.notes(SSH | {"ports": (22,)}) == advice.notes(SSH) == advice.notes({"ports": (80,)}) == []


@pytest.mark.parametrize(
    ("cap", "lowest", "is_low"),
    [("0.68", "0.69", True), ("0.69", "0.69", False), ("1", "0.69", False), ("0.01", None, False)],
)
def test_a_cap_below_every_offer_is_named_with_the_number_to_write(cap, lowest, is_low):
    sentence = rate.cap_too_low(USD(cap), USD(lowest) if lowest else None)
    assert ("Write 0.69 or more" in sentence) is is_low


@pytest.mark.parametrize(
    ("value", "is_secret"),
    [
        ("hf_abcdef", True),
        ("sk-proj-1", True),
        ("ghp_x", True),
        ("AKIAIOSFODNN7", True),
        ("-----BEGIN RSA PRIVATE KEY-----", True),
        ("eyJhbGciOi.eyJzdWIiOi.x", True),
        ("llama", False),
        ("https://example.org", False),
        ("sketch", False),
        ("", False),
    ],
)
def test_secrets_are_known_by_their_look(value, is_secret):
    assert advice.looks_like_a_secret(value) is is_secret
