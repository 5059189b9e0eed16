"""Health for machines, without signing in: short JSON that tells an operator what is wrong and an attacker nothing."""

from __future__ import annotations

from collections.abc import Callable

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

from dispersed_web.autostop import pulse
from dispersed_web.credentials import canary
from dispersed_web.jobs import figures, sweeps
from dispersed_web.teams import installation

BROKER_TIMEOUT_S = 0.5


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Whether this process can serve pages: the database answers. What a load balancer should ask."""
    answers = _database()
    return _answer({"database": answers}, **(_mode() if answers else {}))


@login_not_required
@never_cache
@require_safe
def healthz_sweep(request: HttpRequest) -> JsonResponse:
    """Whether the background work is on time; names the passes that are late. Stops that hang make it ``degraded``: the
    work is done, but the cloud shows no end."""
    now = timezone.now()
    try:
        finished = sweeps.last_finished()
        stuck, oldest_s = figures.stuck_stops(now)
        acts = installation.may_act()
    except DatabaseError:
        return _answer({"database": False})
    late = sweeps.late(finished, now)
    checked_at = finished.get(pulse.SWEEP)
    news = {
        "status": "copy" if not acts else "late" if late else "degraded" if stuck else "ok",
        "late": late,
        "autostop_age_seconds": int((now - checked_at).total_seconds()) if checked_at else None,
        "stops_stuck": stuck,
        "oldest_stuck_seconds": oldest_s,
    }
    return JsonResponse(news, status=503 if late or not acts else 200)


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether everything that belongs to the product is there. Pages and stops work without the broker, only slower."""
    checks = {"database": _database()}
    if checks["database"]:
        checks |= {"migrations": _tried(_migrated), "keys": _tried(canary.keys_fit)}
        checks |= {"installation": _tried(installation.may_act)}
    return _answer(checks | {"broker": _broker()})


def _mode() -> dict[str, str]:
    """Said where this is a copy of another installation's database: it serves pages, and launches and stops nothing."""
    return {} if _tried(installation.may_act) else {"mode": "copy"}


def _answer(checks: dict[str, bool], **more: str) -> JsonResponse:
    well = all(checks.values())
    words = {name: "ok" if good else "failing" for name, good in checks.items()}
    return JsonResponse({"status": "ok" if well else "failing", **words, **more}, status=200 if well else 503)


def _database() -> bool:
    def ask() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone())

    return _tried(ask)


def _tried(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except DatabaseError:
        return False


def _migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _broker() -> bool:
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=BROKER_TIMEOUT_S,
        socket_connect_timeout=BROKER_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
