"""Market, ledger and account endpoints.

Documented: offers, ledger lists, consumer profiles. Seen in the field: `users/me` with `email` and `uuid`,
the balance by that uuid with `available_balance` and `currency`, the registry's two filters. The rest of the
registry item is ours.
"""

from __future__ import annotations

import json
from typing import Any

from . import lists, market
from .billing import available_micro, usd
from .clock import iso
from .cloud import Cloud
from .errors import ApiError
from .objects import authorization_object, transaction_object
from .validate import invalid, region_codes
from .views import Answer, Request

OFFER_NUMBERS = ("cpu_count", "gpu_count", "min_vram_gb", "min_ram_gb", "min_storage_gb")
OFFER_FILTERS = dict.fromkeys(
    (*OFFER_NUMBERS, "gpu_name", "gpu_registry_uuid", "allowed_region_codes", "ignore_region_constraints"),
    lists.noted,
)
_LEDGER_FILTERS = {
    "uuid": lists.equal("uuid"),
    "created_at": lists.date_range("created_ms"),
    "consumer_account_uuid": lists.equal("account"),
    "job_run_uuid": lists.equal("run_uuid"),
}
TRANSACTION_FILTERS = {
    **_LEDGER_FILTERS,
    "authorization_uuid": lists.equal("authorization_uuid"),
    "type": lists.one_of("type", ("CAPTURE",)),
}
AUTHORIZATION_FILTERS = {**_LEDGER_FILTERS, "status": lists.one_of("status", ("OPEN", "CLOSED"))}


def list_offers(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/compute/offers"""
    listing = lists.parse(request.query, OFFER_FILTERS)
    given = listing.given
    wanted: dict[str, Any] = {name: _count(name, given.get(name)) for name in OFFER_NUMBERS}
    exact_gpu_count = wanted["gpu_count"]
    wanted["gpu_count"] = exact_gpu_count or 1
    wanted["gpu_name"], wanted["gpu_registry_uuid"] = given.get("gpu_name"), given.get("gpu_registry_uuid")
    regions = given.get("allowed_region_codes")
    wanted["allowed_region_codes"] = region_codes(regions.split(",") if regions else [])
    now = cloud.clock.now_ms()
    found = [
        market.offer_object(offer, now)
        for offer in cloud.market.offers(now)
        if market.fits(offer, wanted) and (not exact_gpu_count or offer.gpu_count == exact_gpu_count)
    ]
    return 200, listing.page_of(found)


def list_gpus(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/gpu-registry: without the models that are offered but not registered"""
    listing = lists.parse(
        request.query, dict.fromkeys(("only_available", "min_vram_gb", "uuid"), lists.noted)
    )
    offers = cloud.market.offers(cloud.clock.now_ms())
    nodes = {gpu.uuid: sum(o.nodes for o in offers if o.gpu.uuid == gpu.uuid) for gpu in market.GPUS.values()}
    least = _count("min_vram_gb", listing.given.get("min_vram_gb"))
    found = [
        {
            "object": "gpu_registry",
            "uuid": gpu.uuid,
            "name": gpu.name,
            "vram_gb": gpu.vram_gb,
            "available_nodes": nodes[gpu.uuid],
            "created_at": "2025-08-14T00:00:00.000Z",
            "updated_at": None,
        }
        for gpu in market.GPUS.values()
        if gpu.is_registered
        and gpu.vram_gb >= least
        and (listing.given.get("only_available") != "true" or nodes[gpu.uuid])
        and listing.given.get("uuid", gpu.uuid) == gpu.uuid
    ]
    return 200, listing.page_of(found)


def list_transactions(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/compute/ledger/transactions"""
    listing = lists.parse(request.query, TRANSACTION_FILTERS)
    profile = _account(cloud, request)["profile_uuid"]
    account = request.caller.account
    return 200, lists.select(
        cloud.store, "transactions", account, listing, lambda row: transaction_object(row, profile)
    )


def list_authorizations(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/compute/ledger/authorizations"""
    listing = lists.parse(request.query, AUTHORIZATION_FILTERS)
    profile = _account(cloud, request)["profile_uuid"]
    account = request.caller.account
    return 200, lists.select(
        cloud.store, "authorizations", account, listing, lambda row: authorization_object(row, profile)
    )


def get_me(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/users/me"""
    account = _account(cloud, request)
    return 200, {
        "object": "user",
        "uuid": account["uuid"],
        "email": f"{account['name']}@sandbox.invalid",
        "created_at": iso(account["created_ms"]),
        "updated_at": None,
    }


def get_balance(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/accounts/{uuid}/balance"""
    account = _account(cloud, request)
    if request.parts["uuid"] != account["uuid"]:
        raise ApiError(404, "not_found", "The account does not exist.")
    return 200, {"available_balance": usd(available_micro(account)), "currency": "USD"}


def list_profiles(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/consumer-profiles"""
    filters = dict.fromkeys(("account_uuid", "is_compute_billing_enabled", "uuid"), lists.noted)
    listing, account = lists.parse(request.query, filters), _account(cloud, request)
    profile = {
        "object": "consumer_profile",
        "uuid": account["profile_uuid"],
        "account_uuid": account["uuid"],
        "render_user_id": None,
        "is_active": True,
        "is_compute_billing_enabled": True,
        "allowed_region_codes": json.loads(account["regions"]),
        "created_at": iso(account["created_ms"]),
        "updated_at": None,
        "deleted_at": None,
    }
    given = listing.given
    fits = all(given.get(name, profile[name]) == profile[name] for name in ("uuid", "account_uuid"))
    return 200, listing.page_of([profile] if fits else [])


def _account(cloud: Cloud, request: Request) -> Any:
    return cloud.store.row("SELECT * FROM accounts WHERE uuid = ?", request.caller.account)


def _count(name: str, text: str | None) -> int:
    if text in (None, "", "null"):
        return 0
    if not str(text).isdigit():
        raise invalid(f"filter[{name}] must be a number of at least 0.")
    return int(str(text))
