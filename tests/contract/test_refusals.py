"""How requests are refused that must not get through. Harmless, so it may run against the real service."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dispersed_web.dispersed import DispersedError, KeyPair, Rejected, Unauthorized

from .clouds import Cloud, raw


def refused(cloud: Cloud, keys: KeyPair, **options: Any) -> DispersedError:
    with cloud.client(keys=keys, **options) as client, pytest.raises(DispersedError) as caught:
        client.list_jobs(limit=1)
    return caught.value


def test_a_wrong_secret(cloud: Cloud) -> None:
    secret = cloud.keys.secret_key
    error = refused(cloud, KeyPair(cloud.keys.public_key, secret[:-1] + ("a" if secret[-1] != "a" else "b")))
    assert isinstance(error, Unauthorized)
    assert error.status == 401
    assert error.code  # the body is {"error": {"code": …}}
    assert "refused the key" in error.sentence
    assert secret not in str(error)


def test_an_unknown_key(cloud: Cloud) -> None:
    prefix = "sim_" if cloud.keys.simulated else ""
    error = refused(cloud, KeyPair(f"pk_{prefix}nobody0123456789", cloud.keys.secret_key))
    assert isinstance(error, Unauthorized)
    assert error.status in (401, 403)


def test_a_clock_that_is_ten_minutes_slow_is_corrected_by_the_answer(cloud: Cloud) -> None:
    slow_by_ms = 600_000
    with cloud.client(wall_ms=lambda: time.time_ns() // 1_000_000 - slow_by_ms) as client:
        client.list_jobs(limit=1)
        assert client.clock_offset_ms is not None
        assert abs(client.clock_offset_ms - slow_by_ms) < 30_000


def test_a_limit_above_50_is_refused_or_cut(cloud: Cloud) -> None:
    with cloud.client() as client:
        with pytest.raises(ValueError, match="50"):
            client.list_jobs(limit=51)
        try:
            shown = raw(client, "/v1/jobs", limit=51)["limit"]
        except Rejected as error:
            shown = 0 if error.status in (400, 422) else 51
        assert shown <= 50
