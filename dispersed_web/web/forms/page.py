"""What the launch page shows beside the fields: GPUs with prices, the estimate, warnings."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import BATCH
from dispersed_web.jobs import market
from dispersed_web.jobs.market import GpuChoice
from dispersed_web.jobs.models import Market
from dispersed_web.web import credential_words, words
from dispersed_web.web.credential_words import Health
from dispersed_web.web.forms import advice, regions
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.order import ANY_GPU, GPU_BY_NAME, wish_of
from dispersed_web.web.forms.outlook import Outlook, outlook
from dispersed_web.web.forms.quote import Quote, gpu_choices, quote

POLL_MS = 1500
# What few people need is folded away, unless it holds something unusual or a fault. Field: what is usual.
FOLDS: dict[str, dict[str, Any]] = {
    "about": {"description": ""},
    "registry": {"registry_host": "", "registry_user": "", "registry_secret": ""},
    "hardware": {
        "cpu_count": None,
        "min_ram_gb": None,
        "min_storage_gb": None,
        "max_node_count": 1,
        "max_retry_count": 0,
    },
    "regions": {"allowed_region_codes": None},
    "waiting": {"max_timeout_assign": 600, "max_timeout_start": 1800},
    "logs": {"uses_logs": False, "log_noise": ""},
    "lines": {"env_lines": ""},
}


@dataclass(frozen=True)
class Card:
    """One GPU to choose, in words. ``price`` is empty where none is offered now."""

    value: str
    name: str
    memory: str
    price: str
    where: str
    chosen: bool


@dataclass(frozen=True)
class Page:
    choices: list[GpuChoice]
    quote: Quote
    gpu: str
    offered: list[Card]
    others: list[Card]
    any_price: str
    market: Market
    health: Health | None
    label: str
    rate: str = ""
    outlook: Outlook = field(default_factory=Outlook)
    for_batch: bool = False
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    folds: dict[str, bool] = field(default_factory=dict)
    looks_left: int = 0
    poll_ms: int = 0

    def for_the_order(self) -> tuple[list[GpuChoice], Quote]:
        return self.choices, self.quote


def page_of(
    form: LaunchForm, now: dt.datetime, looks_left: int = 0, *, ssh_key_given: bool | None = None
) -> Page:
    """``looks_left`` says how often the page may still ask whether prices have arrived."""
    data = dict(form.cleaned_data) if form.is_bound else dict(form.initial)
    if ssh_key_given is not None:
        data["ssh_key"] = ssh_key_given
    credential = form.chosen_credential
    row = market.of(credential) if credential else Market()
    choices = gpu_choices(row, data)
    quoted = quote(data, choices, now)
    cards = _cards(form, choices)
    waits = looks_left > 0 and credential is not None and market.is_stale(row, now)
    return Page(
        choices=choices,
        quote=quoted,
        gpu=str(form["gpu"].value() or ANY_GPU),
        offered=[card for card in cards if card.price],
        others=[card for card in cards if not card.price],
        any_price=_range(quote({**data, "gpu": ANY_GPU, "max_node_count": 1}, choices, now)),
        market=row,
        health=_health(credential, now),
        label=market.label(wish_of(data), choices),
        rate=_range(quoted),
        outlook=outlook(data, quoted, form.team, form.policy, now, timezone.get_current_timezone()),
        for_batch=data.get("task") == BATCH,
        warnings=advice.warnings(data, form.env.exposed_names() if form.env.is_bound else ()),
        notes=advice.notes(data),
        folds={fold: _is_open(form, usual) for fold, usual in FOLDS.items()},
        looks_left=looks_left,
        poll_ms=POLL_MS if waits else 0,
    )


def _is_open(form: LaunchForm, usual: dict[str, Any]) -> bool:
    for name, value in usual.items():
        shown = form[name].value()
        texts = {str(value), str(form.fields[name].prepare_value(value))}
        if form[name].errors or (shown and str(shown) not in texts):
            return True
    return False


def _health(credential: Credential | None, now: dt.datetime) -> Health | None:
    return credential_words.health(credential, now) if credential else None


def _cards(form: LaunchForm, choices: list[GpuChoice]) -> list[Card]:
    chosen = str(form["gpu"].value() or ANY_GPU)
    cards = [_card(choice, chosen) for choice in choices]
    if chosen not in (ANY_GPU, GPU_BY_NAME) and chosen not in {choice.uuid for choice in choices}:
        cards.append(Card(chosen, f"GPU {chosen[:8]}", "", "", "not in the list at the moment", True))
    return cards


def _card(choice: GpuChoice, chosen: str) -> Card:
    return Card(
        value=choice.uuid,
        name=choice.name.removeprefix("NVIDIA "),
        memory=f"{choice.vram_gb} GB" if choice.vram_gb else "",
        price=_span(choice.from_usd, choice.to_usd),
        where=_where(choice.regions),
        chosen=choice.uuid == chosen,
    )


def _where(codes: tuple[str, ...]) -> str:
    names = [regions.name(code) for code in codes]
    return " · ".join(names) if len(names) <= 2 else f"{' · '.join(names[:2])} and {len(names) - 2} more"


def _range(quoted: Quote) -> str:
    return _span(quoted.from_usd, quoted.to_usd)


def _span(from_usd: Any, to_usd: Any) -> str:
    """``$0.69/h`` or ``$0.69 to $0.76/h``; empty without prices."""
    if from_usd is None or to_usd is None:
        return ""
    low, high = words.money(from_usd), words.money(to_usd)
    return f"{low}/h" if low == high else f"{low} to {high}/h"
