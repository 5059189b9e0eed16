"""The caps of the chosen credential in the launch form: in words, what is left of them, what they bar from being chosen,
and why the launch as typed would be refused. It is the rule that the claim uses; the domain has the last word, when the
launch is asked for and when it is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import Volume
from dispersed_web.jobs import cap_facts, caps, market
from dispersed_web.jobs.cap_matching import gpu_is_allowed, region_is_allowed, task_is_allowed
from dispersed_web.jobs.caps import Caps, Counts
from dispersed_web.jobs.launch import Order
from dispersed_web.jobs.launch_bounds import ceiling, lifetime_of
from dispersed_web.jobs.market import GpuChoice
from dispersed_web.jobs.refusal import Refusal
from dispersed_web.recipes.models import RecipeVersion
from dispersed_web.teams.models import Team
from dispersed_web.web.forms import cap_words, regions
from dispersed_web.web.forms.budget_left import BudgetLeft
from dispersed_web.web.forms.order import ANY_GPU, GPU_BY_NAME, spec_of, wish_of
from dispersed_web.web.forms.quote import gpu_choices
from dispersed_web.web.words import money, rate

# Of what was not typed yet nothing is said.
TYPED = ("image", "task")


class Asking(Protocol):
    """What of a launch form is judged."""

    team: Team
    version: RecipeVersion | None

    @property
    def chosen_credential(self) -> Credential | None: ...

    def volumes(self) -> tuple[Volume, ...]: ...


@dataclass(frozen=True)
class Beside:
    """``refusals`` are why the launch as typed would be refused now; ``ends_s`` after how many seconds the job would have
    to be stopped at the latest, ``None`` while what decides it is missing."""

    caps: Caps = field(default_factory=Caps)
    words: str = ""
    left: tuple[BudgetLeft, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    ends_s: int | None = None

    def bars_gpu(self, name: str) -> bool:
        return not gpu_is_allowed(name, self.caps.gpu_models)

    def bars_any_gpu(self, gpu_count: int | None) -> bool:
        return bool(self.caps.gpu_models) and gpu_count != 0

    def bars_region(self, code: str) -> bool:
        return not region_is_allowed(code, self.caps.regions)

    @property
    def barred_task(self) -> str:
        """The kind of job that cannot be launched; empty where both can."""
        return next(
            (task for task in ("BATCH", "PERSISTENT") if not task_is_allowed(task, self.caps.task)), ""
        )


def beside(form: Asking, data: Mapping[str, Any], now: dt.datetime) -> Beside:
    """For what was typed so far. ``data`` are the form's cleaned values, which may be half filled."""
    credential = form.chosen_credential
    held = cap_facts.caps_of(credential) if credential else None
    order = _order(form, data)
    is_told = bool(data.get("lifetime") if data.get("task") == "PERSISTENT" else data.get("max_timeout_run"))
    ends_s = ceiling(order, form.team, held, form.version) if is_told else None
    if credential is None or held is None:
        return Beside(ends_s=ends_s)
    copies = data.get("copies") or 1
    standing = cap_facts.standing(
        credential, held, now, asked=_asked(form, data, credential, order, held), copies=copies
    )
    return Beside(
        caps=held,
        words=cap_words.sentences(held, standing.counts),
        left=tuple(_left(credential.name, held, standing.counts)),
        refusals=tuple(_of_what_was_typed(caps.refusals(standing), data)),
        ends_s=ends_s,
    )


def faults(form: Asking, data: Mapping[str, Any]) -> list[Refusal]:
    """Everything in ``data`` itself that a cap of the chosen credential forbids, whatever runs beside it."""
    credential = form.chosen_credential
    held = cap_facts.caps_of(credential) if credential else None
    if credential is None or held is None:
        return []
    asked = _asked(form, data, credential, _order(form, data), held)
    return list(_of_what_was_typed(caps.against_the_order(held, asked(held)), data))


def _of_what_was_typed(
    found: Iterator[Refusal] | list[Refusal], data: Mapping[str, Any]
) -> Iterator[Refusal]:
    return (one for one in found if data.get(one.field) or one.field not in TYPED)


def _order(form: Asking, data: Mapping[str, Any]) -> Order:
    spec = spec_of(data, {}, form.volumes())
    return Order("", spec, frozenset(), data.get("lifetime") or form.team.default_lifetime_s)


def _asked(
    form: Asking, data: Mapping[str, Any], credential: Credential, order: Order, held: Caps
) -> cap_facts.AskedOf:
    usd = _price(data, credential) if held.max_hourly_usd is not None else None
    return cap_facts.of_spec(order.spec, credential, usd, lifetime_of(order, form.team)[0])


def _price(data: Mapping[str, Any], credential: Credential) -> Decimal | None:
    choices = gpu_choices(market.of(credential), dict(data))
    highest = market.hourly_range_usd(wish_of(data), choices)[1]
    chosen: Decimal | None = data.get("rate_cap_usd")
    return highest if highest is not None else chosen


def _left(name: str, held: Caps, counts: Counts) -> Iterator[BudgetLeft]:
    if held.max_active_jobs is not None:
        free = max(held.max_active_jobs - counts.active_jobs, 0)
        yield BudgetLeft(f"Jobs at once with {name}", str(free), str(held.max_active_jobs), free == 0)
    if held.max_hourly_usd is not None:
        rest = max(held.max_hourly_usd - counts.burning_usd, Decimal(0))
        yield BudgetLeft(f"Per hour with {name}", money(rest), rate(held.max_hourly_usd), rest == 0)
    for limit, spent, when in (
        (held.max_day_usd, counts.day, "Today"),
        (held.max_month_usd, counts.month, "This month"),
    ):
        if limit is not None and spent is not None:
            rest = max(limit - spent.usd, Decimal(0))
            yield BudgetLeft(f"{when} with {name}", money(rest), money(limit), rest * 5 <= limit)


# What a fresh form begins with ----------------------------------------------------------------------------------------


def within(values: Mapping[str, Any], credential: Credential | None) -> dict[str, Any]:
    """The defaults of a fresh form as far as the caps of its credential allow them, so that nothing barred is chosen
    before anybody chose anything."""
    held = cap_facts.caps_of(credential) if credential else None
    if credential is None or held is None:
        return dict(values)
    row = market.of(credential)
    return fitted(values, held, market.choices(row.gpus, row.offers, values.get("gpu_count") or 1))


def fitted(values: Mapping[str, Any], held: Caps, choices: Sequence[GpuChoice]) -> dict[str, Any]:
    """The same of plain values. Pure."""
    found = dict(values)
    if held.task:
        found["task"] = held.task
    if held.regions and not found.get("allowed_region_codes"):
        found["allowed_region_codes"] = [code for code in held.regions if code in regions.NAMES]
    if held.gpu_models and found.get("gpu") == ANY_GPU and found.get("gpu_count") != 0:
        able = [one for one in choices if gpu_is_allowed(one.name, held.gpu_models)]
        best = min(
            able,
            key=lambda one: (not one.offered, not one.is_free, one.from_usd or 0, one.name),
            default=None,
        )
        found |= {"gpu": best.uuid} if best else {"gpu": GPU_BY_NAME, "gpu_name": held.gpu_models[0]}
    if held.max_lifetime_s is not None and found.get("lifetime"):
        found["lifetime"] = min(found["lifetime"], max(held.max_lifetime_s, 60))
    return found
