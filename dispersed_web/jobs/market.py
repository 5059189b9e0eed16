"""GPUs and prices: asked for now and then, kept in a row, shown with their age. A launch never needs them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dispersed_web.clock import Clock
from dispersed_web.credentials import health, vault
from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import DispersedError, Gpu, Offer, Unauthorized, complete_listing
from dispersed_web.jobs.models import Market

EVERY = dt.timedelta(minutes=5)
FRESH = dt.timedelta(minutes=1)
# Nothing is launched with these, so no price is wanted.
UNASKED = [CredentialState.BROKEN, CredentialState.RETIRED, CredentialState.GONE]
TAKEN = {"UNAVAILABLE", "NONE", "SOLD_OUT"}


@dataclass(frozen=True)
class GpuChoice:
    """One GPU model as the launch form offers it. Prices are USD per hour for a node with the wanted number of GPUs;
    ``None`` where the cloud offers none right now, which does not forbid to ask for it. ``is_free`` is false where every
    offer says that its nodes are taken; ``free_count`` is what the registry says of free ones, where it says something.
    """

    uuid: str
    name: str
    vram_gb: int | None
    from_usd: Decimal | None
    to_usd: Decimal | None
    regions: tuple[str, ...]
    is_free: bool = True
    free_count: int | None = None

    @property
    def offered(self) -> bool:
        return self.from_usd is not None


def choices(
    gpus: Sequence[dict[str, Any]], offers: Sequence[dict[str, Any]], gpu_count: int = 1
) -> list[GpuChoice]:
    """The registry's models with what offers of ``gpu_count`` GPUs cost, the cheapest offered ones first. Pure."""
    found = []
    for gpu in gpus:
        mine = [
            o
            for o in offers
            if _is_of(o, gpu) and (o["gpu_count"] or 1) == gpu_count and o["hourly_rate_usd"]
        ]
        prices = [Decimal(offer["hourly_rate_usd"]) for offer in mine]
        found.append(
            GpuChoice(
                gpu["uuid"],
                gpu["name"],
                gpu["vram_gb"],
                min(prices, default=None),
                max(prices, default=None),
                tuple(sorted({offer["region_code"] for offer in mine})),
                not mine or any(_is_free(offer) for offer in mine),
                gpu.get("available_count"),
            )
        )
    return sorted(found, key=_rank)


def _rank(choice: GpuChoice) -> tuple[bool, bool, Decimal, str]:
    return (not choice.offered, not choice.is_free, choice.from_usd or Decimal(0), choice.name)


def _is_free(offer: dict[str, Any]) -> bool:
    """What is not said counts as free: the words of the cloud are not documented."""
    return str(offer.get("availability") or "").upper() not in TAKEN


def _is_of(offer: dict[str, Any], gpu: dict[str, Any]) -> bool:
    if offer["gpu_registry_uuid"]:
        return bool(offer["gpu_registry_uuid"] == gpu["uuid"])
    return bool(gpu["name"].removeprefix("NVIDIA ") == offer["gpu_label"].removeprefix("NVIDIA "))


@dataclass(frozen=True)
class Wish:
    """Which machine a launch asks for. No registry uuid and no name: the first GPU that fits."""

    gpu_registry_uuid: str
    gpu_name: str
    gpu_count: int | None
    min_vram_gb: int | None
    nodes: int


def fitting(wish: Wish, found: Sequence[GpuChoice]) -> list[GpuChoice]:
    """The choices that the cloud may serve this wish with. Pure."""
    if wish.gpu_count == 0:
        return []
    if wish.gpu_registry_uuid:
        return [choice for choice in found if choice.uuid == wish.gpu_registry_uuid]
    if wish.gpu_name:
        return [choice for choice in found if _bare(choice.name) == _bare(wish.gpu_name)]
    return [choice for choice in found if (choice.vram_gb or 0) >= (wish.min_vram_gb or 0)]


def suggestion(wish: Wish, found: Sequence[GpuChoice]) -> GpuChoice | None:
    """The smallest GPU that is offered and free and has the wanted memory, of equal ones the cheapest; ``None`` where a
    model is chosen already, no memory is asked for, or nothing fits. ``found`` holds the offers of the wanted number of
    GPUs. Pure."""
    if wish.gpu_registry_uuid or wish.gpu_name or not wish.min_vram_gb:
        return None
    able = [choice for choice in fitting(wish, found) if choice.offered and choice.is_free]
    return min(able, key=lambda one: (one.vram_gb or 0, one.from_usd or 0, one.name), default=None)


def hourly_range_usd(wish: Wish, found: Sequence[GpuChoice]) -> tuple[Decimal | None, Decimal | None]:
    """What all nodes cost per hour at the cheapest and at the dearest fitting offer. The dearest is the one to count
    with: which node it will be is the cloud's choice. Pure."""
    offered = [choice for choice in fitting(wish, found) if choice.from_usd and choice.to_usd]
    least = min((choice.from_usd * wish.nodes for choice in offered if choice.from_usd), default=None)
    most = max((choice.to_usd * wish.nodes for choice in offered if choice.to_usd), default=None)
    return least, most


def label(wish: Wish, found: Sequence[GpuChoice]) -> str:
    """What the job's GPU is called in lists: “2 × RTX 5090”, “any GPU ≥ 24 GB”, “no GPU”. Pure."""
    if wish.gpu_count == 0:
        return "no GPU"
    if wish.gpu_registry_uuid:
        names = (choice.name for choice in found if choice.uuid == wish.gpu_registry_uuid)
        name = next(names, f"GPU {wish.gpu_registry_uuid[:8]}")
    elif wish.gpu_name:
        name = wish.gpu_name
    else:
        name = f"any GPU ≥ {wish.min_vram_gb} GB" if wish.min_vram_gb else "any GPU"
    name = name.removeprefix("NVIDIA ")
    return (f"{wish.gpu_count} × {name}" if wish.gpu_count and wish.gpu_count > 1 else name)[:80]


def _bare(gpu_name: str) -> str:
    return gpu_name.casefold().removeprefix("nvidia ").strip()


def of(credential: Credential) -> Market:
    """What is stored, stale or not; empty for a credential that was never asked."""
    return Market.objects.filter(credential=credential).first() or Market(credential=credential)


def is_stale(market: Market, now: dt.datetime) -> bool:
    """Old enough that a page which shows it should ask anew."""
    return market.fetched_at is None or now - market.fetched_at > FRESH


def refresh_all(clock: Clock) -> None:
    """Asks for every credential whose market is due."""
    now = clock()
    known = set(Market.objects.filter(due_at__gt=now).values_list("credential", flat=True))
    for credential in Credential.objects.exclude(pk__in=known).exclude(state__in=UNASKED):
        refresh(credential.pk, clock)


def refresh(credential_id: uuid.UUID, clock: Clock) -> None:
    """Asks the cloud for GPUs and offers and stores them; a fault keeps what is stored and says so."""
    credential = Credential.objects.get(pk=credential_id)
    market, _ = Market.objects.get_or_create(credential=credential)
    now = clock()
    if not Market.objects.filter(pk=market.pk, due_at=market.due_at).update(due_at=now + FRESH):
        return
    try:
        with client_for(credential, team_id=credential.team_id, purpose="market") as client:
            gpus = complete_listing(lambda page: client.list_gpus(page=page))
            offers = complete_listing(
                lambda page: client.list_offers(page=page), key=lambda offer: offer.offer_id
            )
    except (DispersedError, vault.CannotOpen, ValueError) as error:
        Market.objects.filter(pk=market.pk).update(failure=str(error))
        if isinstance(error, Unauthorized) and error.status == 403:
            health.note_permission(credential, "prices", False, clock())
        return
    health.note_permission(credential, "prices", True, clock())
    Market.objects.filter(pk=market.pk).update(
        gpus=[_gpu(gpu) for gpu in gpus],
        offers=[_offer(offer) for offer in offers],
        fetched_at=now,
        failure="",
        due_at=now + EVERY,
    )


def _gpu(gpu: Gpu) -> dict[str, Any]:
    return {
        "uuid": gpu.uuid,
        "name": gpu.name,
        "vram_gb": int(gpu.vram_gb) if gpu.vram_gb else None,
        "available_count": gpu.available_count,
    }


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "gpu_registry_uuid": offer.gpu_registry_uuid,
        "gpu_label": offer.gpu_label,
        "gpu_count": offer.gpu_count,
        "region_code": offer.region_code,
        "hourly_rate_usd": str(offer.hourly_rate_usd) if offer.hourly_rate_usd is not None else None,
        "availability": offer.availability,
    }
