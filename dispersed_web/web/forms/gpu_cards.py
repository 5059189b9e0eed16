"""The GPU picker of the launch page: each model in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.jobs.market import GpuChoice
from dispersed_web.web import words
from dispersed_web.web.forms import regions
from dispersed_web.web.forms.order import ANY_GPU, GPU_BY_NAME


@dataclass(frozen=True)
class Card:
    """One GPU to choose, in words. ``price`` is empty where none is offered now; ``state`` says what is known of free
    ones, ``is_free`` whether one can be had at once as far as that tells. ``is_barred`` says that the credential may not
    launch on it."""

    value: str
    name: str
    memory: str
    price: str
    where: str
    chosen: bool
    state: str = ""
    is_free: bool = True
    is_barred: bool = False


@dataclass(frozen=True)
class Suggested:
    """The smallest GPU that fits, for a chip that chooses it."""

    value: str
    text: str


def cards(
    choices: Sequence[GpuChoice], chosen: str, is_barred: Callable[[str], bool] = lambda _: False
) -> list[Card]:
    """All models, and what was chosen where the list does not have it any more."""
    found = [card(choice, chosen, is_barred=is_barred(choice.name)) for choice in choices]
    if chosen not in (ANY_GPU, GPU_BY_NAME) and chosen not in {choice.uuid for choice in choices}:
        found.append(Card(chosen, f"GPU {chosen[:8]}", "", "", "not in the list at the moment", True))
    return found


def card(choice: GpuChoice, chosen: str, *, is_barred: bool = False) -> Card:
    return Card(
        value=choice.uuid,
        name=bare(choice),
        memory=f"{choice.vram_gb} GB" if choice.vram_gb else "",
        price=span(choice.from_usd, choice.to_usd),
        where=_where(choice.regions),
        chosen=choice.uuid == chosen,
        state=_state(choice),
        is_free=choice.is_free,
        is_barred=is_barred,
    )


def suggested(choice: GpuChoice | None, gpu_count: int | None) -> Suggested | None:
    if choice is None or choice.from_usd is None:
        return None
    many = f"{gpu_count} × " if gpu_count and gpu_count > 1 else ""
    return Suggested(
        choice.uuid, f"{many}{bare(choice)}, {choice.vram_gb} GB, from {words.money(choice.from_usd)}/h"
    )


def bare(choice: GpuChoice) -> str:
    return choice.name.removeprefix("NVIDIA ")


def _state(choice: GpuChoice) -> str:
    if not choice.offered:
        return ""
    if not choice.is_free:
        return "all in use now"
    return f"{choice.free_count} free" if choice.free_count else ""


def _where(codes: tuple[str, ...]) -> str:
    names = [regions.name(code) for code in codes]
    return " · ".join(names) if len(names) <= 2 else f"{' · '.join(names[:2])} and {len(names) - 2} more"


def span(from_usd: Decimal | None, to_usd: Decimal | None) -> str:
    """``$0.69/h`` or ``$0.69 to $0.76/h``; empty without prices."""
    if from_usd is None or to_usd is None:
        return ""
    low, high = words.money(from_usd), words.money(to_usd)
    return f"{low}/h" if low == high else f"{low} to {high}/h"
