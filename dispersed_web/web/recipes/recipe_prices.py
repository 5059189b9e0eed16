"""What the machine of a recipe costs now, as the team's credentials last saw the market. Pure but for reading the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from dispersed_web.credentials.models import CredentialState
from dispersed_web.jobs import market
from dispersed_web.jobs.market import GpuChoice, Wish
from dispersed_web.jobs.models import Market
from dispersed_web.recipes.document import Document, complete
from dispersed_web.recipes.render import Rendered, render
from dispersed_web.teams.models import Team
from dispersed_web.web import words


@dataclass(frozen=True)
class Machine:
    """What a recipe asks for where nobody answers anything. Prices are USD per hour for all nodes; ``None`` where
    nothing that fits is offered now."""

    label: str
    task: str
    from_usd: Decimal | None
    to_usd: Decimal | None
    fitting: tuple[GpuChoice, ...]
    nodes: int

    @property
    def price(self) -> str:
        """``$0.35/h`` or ``from $0.35/h``; empty where nothing is known."""
        if self.from_usd is None or self.to_usd is None:
            return ""
        price = words.rate(self.from_usd)
        return price if self.from_usd == self.to_usd else f"from {price}"


@dataclass
class Prices:
    """The GPUs and offers of a team's usable credentials together."""

    gpus: list[dict[str, Any]]
    offers: list[dict[str, Any]]
    _made: dict[tuple[int, tuple[str, ...]], list[GpuChoice]] = field(default_factory=dict)

    @classmethod
    def of_rows(cls, rows: Iterable[Market]) -> Prices:
        rows = list(rows)
        gpus = {gpu["uuid"]: gpu for row in rows for gpu in row.gpus}
        return cls(list(gpus.values()), [offer for row in rows for offer in row.offers])

    @classmethod
    def of_team(cls, team: Team) -> Prices:
        usable = Market.objects.filter(credential__team=team, credential__state=CredentialState.ACTIVE)
        return cls.of_rows(usable.order_by("-fetched_at"))

    def choices(self, gpu_count: int, regions: tuple[str, ...]) -> list[GpuChoice]:
        """The models with what a node of so many GPUs costs in these regions (none: anywhere)."""
        key = (gpu_count, regions)
        if key not in self._made:
            offers = [one for one in self.offers if not regions or one["region_code"] in regions]
            self._made[key] = market.choices(self.gpus, offers, gpu_count or 1)
        return self._made[key]


def machine_of(document: Document, prices: Prices) -> Machine:
    """The machine of a document, its inputs answered by their defaults."""
    asked = render(complete(document), {})
    values = asked.values
    wish = _wish(values)
    choices = prices.choices(wish.gpu_count or 0, tuple(values.get("allowed_region_codes") or ()))
    from_usd, to_usd = market.hourly_range_usd(wish, choices)
    return Machine(
        label=market.label(wish, choices),
        task=_task(asked),
        from_usd=from_usd,
        to_usd=to_usd,
        fitting=tuple(market.fitting(wish, choices)),
        nodes=wish.nodes,
    )


def _wish(values: Mapping[str, Any]) -> Wish:
    count = values.get("gpu_count")
    return Wish(
        gpu_registry_uuid=values.get("gpu_registry_uuid") or "",
        gpu_name=values.get("gpu_name") or "",
        gpu_count=1 if count is None else count,
        min_vram_gb=values.get("min_vram_gb"),
        nodes=values.get("max_node_count") or 1,
    )


def _task(asked: Rendered) -> str:
    return {"BATCH": "batch", "PERSISTENT": "persistent"}.get(asked.values.get("task") or "", "")
