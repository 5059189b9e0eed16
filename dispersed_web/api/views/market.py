"""What can be rented, and at what price, as it was asked last."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web import tasks
from dispersed_web.api import access, documents
from dispersed_web.api.errors import Refused
from dispersed_web.api.serializers.market import (
    GpuListSerializer,
    MarketQuerySerializer,
    OfferListSerializer,
)
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.clock import database_now
from dispersed_web.credentials import usable
from dispersed_web.jobs import market
from dispersed_web.jobs.models import Market


class Gpus(ApiView):
    @documents.list_gpus
    def get(self, request: Request) -> Response:
        known, query = _asked(request)
        found = market.choices(known.gpus, known.offers, query["gpu_count"])
        gpus = [
            {
                "gpu_registry_uuid": choice.uuid,
                "name": choice.name,
                "vram_gb": choice.vram_gb,
                "offered": choice.offered,
                "hourly_usd_from": choice.from_usd,
                "hourly_usd_to": choice.to_usd,
                "regions": choice.regions,
            }
            for choice in found
            if (choice.vram_gb or 0) >= query["min_vram_gb"]
        ]
        return Response(GpuListSerializer(_age(known) | {"gpus": gpus}).data)


class Offers(ApiView):
    @documents.list_offers
    def get(self, request: Request) -> Response:
        known, query = _asked(request)
        memory = {gpu["uuid"]: gpu["vram_gb"] or 0 for gpu in known.gpus}
        offers = [
            {
                "gpu": offer["gpu_label"],
                "gpu_registry_uuid": offer["gpu_registry_uuid"],
                "gpu_count": offer["gpu_count"],
                "region_code": offer["region_code"],
                "hourly_usd": offer["hourly_rate_usd"] and Decimal(offer["hourly_rate_usd"]),
            }
            for offer in known.offers
            if (offer["gpu_count"] or 1) == query["gpu_count"]
            and memory.get(offer["gpu_registry_uuid"], 0) >= query["min_vram_gb"]
        ]
        offers.sort(key=lambda offer: (offer["hourly_usd"] is None, offer["hourly_usd"] or 0, offer["gpu"]))
        return Response(OfferListSerializer(_age(known) | {"offers": offers}).data)


def _asked(request: Request) -> tuple[Market, dict[str, Any]]:
    """What is stored of the named credential, and the query. What is old is asked anew, without waiting for it."""
    place = access.caller(request)
    query = valid(MarketQuerySerializer, request.query_params.dict())
    credential = access.credential(place, query["credential_id"])
    if not usable.may_ask(credential, place.token.user_id, place.role):
        sentence = "This credential is not for you to use. Choose another one."
        raise Refused(403, "credential_not_for_you", sentence, {"credential_id": sentence})
    known = market.of(credential)
    if market.is_stale(known, database_now()):
        tasks.nudge(tasks.refresh_market, credential.pk)
    return known, query


def _age(known: Market) -> dict[str, Any]:
    return {"fetched_at": known.fetched_at, "failure": known.failure}
