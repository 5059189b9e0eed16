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
from dispersed_web.web import credential_words
from dispersed_web.web.credential_words import Health
from dispersed_web.web.forms import advice, caps_beside, gpu_cards
from dispersed_web.web.forms.budget_left import BudgetLeft, budgets_left
from dispersed_web.web.forms.caps_beside import Beside
from dispersed_web.web.forms.gpu_cards import Card, Suggested
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.order import ANY_GPU, wish_of
from dispersed_web.web.forms.outlook import Outlook, outlook
from dispersed_web.web.forms.quote import Quote, gpu_choices, quote

POLL_MS = 1500
# What few people need is folded away, unless it holds something unusual or a fault. Field: what is usual.
FOLDS: dict[str, dict[str, Any]] = {
    "about": {"description": ""},
    "registry": {"registry_host": "", "registry_user": "", "registry_secret": "", "registry_from": ""},
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
class Page:
    """``offered`` are the GPUs with a price, ``others`` those without; ``rate`` is the price per hour in words, ``label``
    the machine. ``warnings`` say what may go wrong, ``notes`` what will happen. ``folds`` tells which parts stand open. The
    page asks for prices again every ``poll_ms``, ``looks_left`` times at most; 0 is never."""

    choices: list[GpuChoice]
    quote: Quote
    gpu: str
    offered: list[Card]
    others: list[Card]
    any_price: str
    gpu_name: str
    suggested: Suggested | None
    market: Market
    health: Health | None
    label: str
    rate: str = ""
    outlook: Outlook = field(default_factory=Outlook)
    for_batch: bool = False
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    budgets: list[BudgetLeft] = field(default_factory=list)
    caps: Beside = field(default_factory=Beside)
    bars_any: bool = False
    folds: dict[str, bool] = field(default_factory=dict)
    looks_left: int = 0
    poll_ms: int = 0

    def for_the_order(self) -> tuple[list[GpuChoice], Quote]:
        return self.choices, self.quote


def page_of(
    form: LaunchForm, now: dt.datetime, looks_left: int = 0, *, ssh_key_given: bool | None = None
) -> Page:
    """``looks_left`` says how often the page may still ask whether prices have arrived."""
    data = dict(form.as_typed if form.is_bound else form.initial)
    if ssh_key_given is not None:
        data["ssh_key"] = ssh_key_given
    credential = form.chosen_credential
    row = market.of(credential) if credential else Market()
    choices = gpu_choices(row, data)
    quoted = quote(data, choices, now)
    chosen = str(form["gpu"].value() or ANY_GPU)
    caps = caps_beside.beside(form, data, now)
    form.bar_regions(caps.bars_region)
    cards = gpu_cards.cards(choices, chosen, caps.bars_gpu)
    allowed = [one for one in choices if not caps.bars_gpu(one.name)]
    wish = wish_of(data)
    waits = looks_left > 0 and credential is not None and market.is_stale(row, now)
    return Page(
        choices=choices,
        quote=quoted,
        gpu=chosen,
        gpu_name=str(form["gpu_name"].value() or ""),
        suggested=gpu_cards.suggested(market.suggestion(wish, allowed), wish.gpu_count),
        offered=[card for card in cards if card.price],
        others=[card for card in cards if not card.price],
        any_price=range_of(quote({**data, "gpu": ANY_GPU, "max_node_count": 1}, choices, now)),
        market=row,
        health=_health(credential, now),
        label=market.label(wish, choices),
        rate=range_of(quoted),
        outlook=outlook(data, quoted, form.team, form.policy, now, timezone.get_current_timezone()),
        for_batch=data.get("task") == BATCH,
        warnings=advice.warnings(data, _around(form, caps, credential, quoted, now)),
        notes=advice.notes(data),
        budgets=[*budgets_left(form.policy, form.user_id, now), *caps.left],
        caps=caps,
        bars_any=caps.bars_any_gpu(data.get("gpu_count")),
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


def _around(
    form: LaunchForm, caps: Beside, credential: Credential | None, quoted: Quote, now: dt.datetime
) -> advice.Around:
    return advice.Around(
        exposed_env=form.exposed_env(),
        key_expires_at=credential.expires_at if credential else None,
        last_end_at=now + dt.timedelta(seconds=caps.ends_s) if caps.ends_s else None,
        from_usd=quoted.from_usd,
        to_usd=quoted.to_usd,
    )


def range_of(quoted: Quote, times: int = 1) -> str:
    """The price of ``times`` such jobs per hour, in words."""
    if quoted.from_usd is None or quoted.to_usd is None:
        return ""
    return gpu_cards.span(quoted.from_usd * times, quoted.to_usd * times)
