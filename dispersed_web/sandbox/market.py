"""The GPU market: models, offers and prices.

Seen in the field: RTX 5090 at 0.69 and RTX 4090 at 0.35 USD an hour, the registry UUID of the RTX 5090, a
node with six of them at six times the rate, an A6000 that is offered but absent from the registry. Everything
else (other prices, regions, what `availability` holds, fields of the registry beyond `uuid` and `name`) is
plausible invention.
"""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass, replace
from typing import Any

from .clock import iso

PRICE_PERIOD_MS = 10 * 60 * 1000
_NAMESPACE = uuid.UUID("5a6d0b0e-0d15-4bad-9e1f-6d61726b6574")


@dataclass(frozen=True)
class Gpu:
    """One GPU model. `hourly_usd` is for one GPU."""

    label: str
    vram_gb: int
    hourly_usd: float
    uuid: str
    is_registered: bool = True

    @property
    def name(self) -> str:
        """The registry's name: the label with the vendor before it. Both forms are in use in the field."""
        return f"NVIDIA {self.label}"


@dataclass(frozen=True)
class Offer:
    """Nodes of one kind in one region. `hourly_usd` is the price of a whole node, all its GPUs."""

    offer_id: str
    gpu: Gpu
    gpu_count: int
    region: str
    cpu_cores: int
    ram_gb: int
    storage_gb: int
    nodes: int
    hourly_usd: float
    is_steady: bool = False

    def node_json(self) -> str:
        """What a run remembers of its node."""
        about = {
            "offer_id": self.offer_id,
            "region": self.region,
            "gpu": self.gpu.label,
            "gpu_count": self.gpu_count,
            "vram_gb": self.gpu.vram_gb,
        }
        return json.dumps(about)


def _gpu(label: str, vram_gb: int, hourly_usd: float, known_uuid: str = "", **more: bool) -> Gpu:
    return Gpu(label, vram_gb, hourly_usd, known_uuid or str(uuid.uuid5(_NAMESPACE, label)), **more)


GPUS = {
    gpu.label: gpu
    for gpu in (
        _gpu("RTX A4000", 16, 0.17),
        _gpu("RTX 3090", 24, 0.22),
        _gpu("RTX 4090", 24, 0.35),
        _gpu("RTX 5090", 32, 0.69, "0198ac1c-7063-4be8-bb94-57a5bd83548e"),
        _gpu("L4", 24, 0.41),
        _gpu("RTX A6000", 48, 0.49, is_registered=False),
        _gpu("RTX 6000 Ada", 48, 0.77),
        _gpu("L40S", 48, 0.86),
        _gpu("A100 80GB", 80, 1.39),
        _gpu("H100 80GB", 80, 2.39),
        _gpu("H200", 141, 3.29),
        _gpu("RTX PRO 6000", 96, 1.69),
    )
}
# GPU, GPUs a node, region, CPU cores, RAM, storage, nodes (0 = none free), factor on the price
_OFFERS = (
    ("RTX A4000", 1, "eu-north-1", 8, 32, 250, 4, 1.0),
    ("RTX 3090", 1, "us-east-1", 12, 64, 500, 6, 1.0),
    ("RTX 3090", 1, "eu-central-1", 16, 64, 800, 3, 1.05),
    ("RTX 3090", 2, "ca-central-1", 24, 128, 1000, 2, 0.98),
    ("RTX 4090", 1, "us-east-1", 16, 64, 1000, 9, 1.0),
    ("RTX 4090", 1, "us-west-2", 16, 96, 1000, 5, 1.04),
    ("RTX 4090", 1, "eu-west-1", 24, 64, 500, 4, 1.09),
    ("RTX 4090", 1, "ap-southeast-1", 16, 64, 500, 0, 1.12),
    ("RTX 4090", 2, "eu-central-1", 32, 128, 2000, 2, 1.05),
    ("RTX 4090", 4, "us-east-2", 64, 256, 4000, 1, 1.0),
    ("RTX 5090", 1, "us-east-1", 24, 96, 1500, 8, 1.0),
    ("RTX 5090", 1, "eu-central-1", 24, 96, 1500, 7, 1.03),
    ("RTX 5090", 1, "ap-northeast-1", 24, 128, 1000, 2, 1.1),
    ("RTX 5090", 6, "us-east-1", 96, 512, 8000, 1, 1.0),
    ("L4", 1, "us-east-1", 8, 32, 400, 5, 1.0),
    ("L4", 1, "me-central-1", 8, 32, 400, 1, 1.15),
    ("RTX A6000", 1, "us-west-1", 16, 128, 1000, 2, 1.0),
    ("RTX A6000", 2, "eu-west-2", 32, 256, 2000, 1, 1.02),
    ("RTX 6000 Ada", 1, "us-west-2", 24, 128, 2000, 3, 1.0),
    ("L40S", 1, "us-east-2", 24, 192, 2000, 3, 1.0),
    ("L40S", 4, "eu-west-3", 96, 768, 8000, 1, 1.03),
    ("A100 80GB", 1, "us-east-1", 24, 192, 2000, 2, 1.0),
    ("A100 80GB", 8, "us-west-2", 128, 1024, 16000, 1, 0.97),
    ("H100 80GB", 1, "us-east-1", 26, 240, 2800, 1, 1.0),
    ("H100 80GB", 8, "eu-north-1", 208, 1920, 22000, 0, 0.98),
    ("H200", 1, "us-west-2", 28, 256, 3000, 0, 1.0),
    ("RTX PRO 6000", 1, "us-east-2", 32, 192, 3000, 1, 1.0),
)


def _offer(row: tuple[str, int, str, int, int, int, int, float]) -> Offer:
    label, gpu_count, region, cores, ram, storage, nodes, factor = row
    gpu = GPUS[label]
    slug = label.lower().replace(" ", "-")
    price = round(gpu.hourly_usd * gpu_count * factor, 2)
    steady = factor == 1.0 and region == "us-east-1"
    return Offer(
        f"{slug}-x{gpu_count}-{region}", gpu, gpu_count, region, cores, ram, storage, nodes, price, steady
    )


class Market:
    """The offers as they stand.

    Prices outside the steady home region move by a percent every ten minutes or so.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """Undo every `set_offer`."""
        self._offers = {offer.offer_id: offer for offer in map(_offer, _OFFERS)}

    def offers(self, now_ms: int) -> list[Offer]:
        """Every offer with its present price, also those without a free node."""
        return [replace(o, hourly_usd=self._price(o, now_ms)) for o in self._offers.values()]

    def set_offer(
        self, match: str, *, nodes: int | None = None, hourly_usd: float | None = None
    ) -> list[str]:
        """Change the offers whose id or GPU label contains `match`.

        Gives their ids. A set price stays still.
        """
        needle = match.lower().replace(" ", "-")
        changed = [key for key in self._offers if needle in key]
        for key in changed:
            offer = self._offers[key]
            if nodes is not None:
                offer = replace(offer, nodes=nodes)
            if hourly_usd is not None:
                offer = replace(offer, hourly_usd=hourly_usd, is_steady=True)
            self._offers[key] = offer
        return changed

    def place(self, spec: dict[str, Any], regions: list[str], now_ms: int) -> Offer | None:
        """The cheapest free node that fits a job, or None.

        `regions` is the consumer profile's restriction.
        """
        fitting = [o for o in self.offers(now_ms) if o.nodes > 0 and fits(o, spec, regions)]
        return min(fitting, key=lambda o: (o.hourly_usd, o.offer_id), default=None)

    def six_gpu_node(self, like: Offer) -> Offer:
        """A node with six of the same GPUs at six times the rate (seen in the field for one-GPU jobs)."""
        price = round(6 * like.hourly_usd / like.gpu_count, 2)
        return replace(like, offer_id=like.offer_id + "-six", gpu_count=6, hourly_usd=price)

    def _price(self, offer: Offer, now_ms: int) -> float:
        if offer.is_steady:
            return offer.hourly_usd
        draw = random.Random(f"{self._seed}:{offer.offer_id}:{now_ms // PRICE_PERIOD_MS}")  # noqa: S311
        return round(offer.hourly_usd * draw.choice((0.99, 1.0, 1.0, 1.01)), 3)


def fits(offer: Offer, spec: dict[str, Any], profile_regions: list[str] | tuple[str, ...] = ()) -> bool:
    """Whether a node of the offer satisfies the job's hardware, GPU and region wishes."""
    gpu_count = spec.get("gpu_count", 1)
    wanted_regions = spec.get("allowed_region_codes") or ()
    return (
        offer.gpu_count >= gpu_count
        and (gpu_count == 0 or offer.gpu.vram_gb >= spec.get("min_vram_gb", 0))
        and offer.cpu_cores >= spec.get("cpu_count", 0)
        and offer.ram_gb >= spec.get("min_ram_gb", 0)
        and offer.storage_gb >= spec.get("min_storage_gb", 0)
        and (not spec.get("gpu_registry_uuid") or spec["gpu_registry_uuid"] == offer.gpu.uuid)
        and (not spec.get("gpu_name") or same_gpu(spec["gpu_name"], offer.gpu))
        and (not wanted_regions or offer.region in wanted_regions)
        and (not profile_regions or offer.region in profile_regions)
    )


def same_gpu(name: str, gpu: Gpu) -> bool:
    """Whether a `gpu_name` means this model.

    The real rule is unknown: here case and vendor words do not matter.
    """
    plain = name.lower().replace("nvidia", "").replace("geforce", "")
    return " ".join(plain.split()) == gpu.label.lower()


def offer_object(offer: Offer, now_ms: int) -> dict[str, Any]:
    """The offer as the API shows it. What `availability` holds is our assumption."""
    gpu = offer.gpu
    quoted_ms = now_ms if offer.is_steady else now_ms - now_ms % PRICE_PERIOD_MS
    registry_uuid = gpu.uuid if gpu.is_registered else None
    return {
        "offer_id": offer.offer_id,
        "region_code": offer.region,
        "availability": {
            "status": "AVAILABLE" if offer.nodes else "UNAVAILABLE",
            "available_nodes": offer.nodes,
        },
        "pricing": {"hourly_rate_usd": offer.hourly_usd, "quoted_at": iso(quoted_ms)},
        "hardware_summary": {
            "cpu_cores": offer.cpu_cores,
            "gpu_count": offer.gpu_count,
            "gpu_model_label": gpu.label if offer.gpu_count == 1 else f"{offer.gpu_count}x {gpu.label}",
            "gpu_models": [
                {
                    "name": gpu.label,
                    "count": offer.gpu_count,
                    "gpu_registry_uuid": registry_uuid,
                    "min_vram_gib": gpu.vram_gb,
                }
            ],
            "gpu_registry_uuid": registry_uuid,
            "min_gpu_vram_gib": gpu.vram_gb,
            "ram_gib": offer.ram_gb,
            "storage_gib": offer.storage_gb,
        },
    }
