"""The table of endpoints: method, path, view and the permission a key needs for it."""

from __future__ import annotations

from collections.abc import Callable

from . import account_views, views
from .cloud import Cloud
from .views import Answer, Request

View = Callable[[Cloud, Request], Answer]

ROUTES: dict[str, tuple[View, str]] = {
    "POST /v1/jobs": (views.create_job, "jobs.create.own"),
    "GET /v1/jobs": (views.list_jobs, "jobs.read.own"),
    "GET /v1/jobs/{uuid}": (views.get_job, "jobs.read.own"),
    "PUT /v1/jobs/{uuid}/cancel": (views.cancel_job, "jobs.cancel.own"),
    "GET /v1/job-runs": (views.list_runs, "job_runs.read.own"),
    "GET /v1/job-runs/{uuid}": (views.get_run, "job_runs.read.own"),
    "GET /v1/job-recipes": (views.list_recipes, "job_recipes.read.own"),
    "GET /v1/job-recipes/{uuid}": (views.get_recipe, "job_recipes.read.own"),
    "POST /v1/job-recipes/{uuid}/cook": (views.cook_recipe, "job_recipes.cook.own"),
    "GET /v1/gpu-registry": (account_views.list_gpus, "compute.read.own"),
    "GET /v1/compute/offers": (account_views.list_offers, "compute.read.own"),
    "GET /v1/compute/ledger/transactions": (account_views.list_transactions, "ledger.read.own"),
    "GET /v1/compute/ledger/authorizations": (account_views.list_authorizations, "ledger.read.own"),
    "GET /v1/users/me": (account_views.get_me, "account.read.own"),
    "GET /v1/accounts/{uuid}/balance": (account_views.get_balance, "account.read.own"),
    "GET /v1/consumer-profiles": (account_views.list_profiles, "account.read.own"),
}
_BY_SHAPE = {(route.split()[0], tuple(route.split("/")[1:])): route for route in ROUTES}


def resolve(method: str, path: str) -> tuple[str, dict[str, str]]:
    """(endpoint, path parts) of a request; an unknown path is its own endpoint name and leads to 404."""
    segments = tuple(path.split("/")[1:])
    for (known_method, shape), route in _BY_SHAPE.items():
        if known_method != method or len(shape) != len(segments):
            continue
        if all(known in ("{uuid}", got) for known, got in zip(shape, segments, strict=True)):
            return route, {
                known[1:-1]: got for known, got in zip(shape, segments, strict=True) if known == "{uuid}"
            }
    return f"{method} {path}", {}
