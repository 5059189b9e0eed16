"""The cache, with one more property: when Redis is gone, pages work and nothing waits for it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

AVOID_S = 10


class KeptClient(RedisCacheClient):
    """One client for all calls: Django makes one for each, which takes longer than the call itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[redis.ConnectionPool, redis.Redis] = {}

    def get_client(self, key: str | None = None, *, write: bool = False) -> redis.Redis:
        pool = self._get_connection_pool(write)
        if pool not in self._kept:
            self._kept[pool] = self._client(connection_pool=pool)
        return self._kept[pool]


class ForgivingRedisCache(RedisCache):
    """A miss instead of an error. After a fault Redis is left alone for 10 s, so that no page pays for it twice."""

    _down_until = 0.0

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClient

    def _try(self, call: Callable[[], Any], otherwise: Any) -> Any:
        if time.monotonic() < ForgivingRedisCache._down_until:
            return otherwise
        try:
            return call()
        except (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError):
            ForgivingRedisCache._down_until = time.monotonic() + AVOID_S
            return otherwise


def _forgiving(name: str, otherwise: Any) -> Callable[..., Any]:
    method = getattr(RedisCache, name)

    @functools.wraps(method)
    def forgiving(self: ForgivingRedisCache, *args: Any, **kwargs: Any) -> Any:
        return self._try(lambda: method(self, *args, **kwargs), otherwise)

    return forgiving


for _name, _otherwise in {
    "add": True,
    "set": None,
    "touch": False,
    "delete": False,
    "incr": 1,
    "has_key": False,
}.items():
    setattr(ForgivingRedisCache, _name, _forgiving(_name, _otherwise))


def _get(self: ForgivingRedisCache, key: str, default: Any = None, version: int | None = None) -> Any:
    return self._try(lambda: RedisCache.get(self, key, default, version), default)


def _get_many(self: ForgivingRedisCache, keys: Any, version: int | None = None) -> Any:
    return self._try(lambda: RedisCache.get_many(self, keys, version), {})


ForgivingRedisCache.get = _get  # type: ignore[method-assign]
ForgivingRedisCache.get_many = _get_many  # type: ignore[method-assign]
