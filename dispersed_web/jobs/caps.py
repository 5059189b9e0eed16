"""What may be launched with one credential: its caps, held against one launch. Pure.

What is not known never passes as nothing: an order that leaves open what a cap is about is refused, and says so.
A launch counts at its quoted price, or at the highest price that its launcher allows, until its real price is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from dispersed_web import durations
from dispersed_web.jobs.cap_matching import (
    gpu_is_allowed,
    image_is_allowed,
    region_is_allowed,
    task_is_allowed,
)
from dispersed_web.jobs.refusal import Refusal

ZERO = Decimal(0)
NAMED_AT_MOST = 6


@dataclass(frozen=True)
class Caps:
    """Empty fields limit nothing; amounts in USD, the lifetime in seconds from the launch to the hard end."""

    max_active_jobs: int | None = None
    max_hourly_usd: Decimal | None = None
    max_day_usd: Decimal | None = None
    max_month_usd: Decimal | None = None
    task: str = ""
    gpu_models: tuple[str, ...] = ()
    max_gpu_count: int | None = None
    regions: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    max_lifetime_s: int | None = None


@dataclass(frozen=True)
class Asked:
    """What a launch asks for. ``gpu_names`` are the models that it names, ``None`` among them for one that is not known
    by name; empty: any. ``gpu_count`` is per machine. ``images`` are whole names with their registry, ``(name, tag)``,
    those of volumes too. ``lasts_s`` is the longest until its hard end."""

    task: str
    gpu_names: tuple[str | None, ...]
    gpu_count: int | None
    nodes: int
    regions: tuple[str, ...]
    images: tuple[tuple[str, str], ...]
    has_image_source: bool
    usd: Decimal | None
    lasts_s: int | None


@dataclass(frozen=True)
class Spent:
    """What the credential's jobs cost in the present day or month, and from when it counts anew."""

    usd: Decimal
    anew: str


@dataclass(frozen=True)
class Counts:
    """The credential's other jobs that have not ended: how many, what they cost per hour, and the titles of those whose
    price nobody knows."""

    active_jobs: int = 0
    burning_usd: Decimal = ZERO
    unpriced: tuple[str, ...] = ()
    day: Spent | None = None
    month: Spent | None = None


@dataclass(frozen=True)
class Standing:
    """One launch before the caps of its credential, or as many as ``copies`` says, of which the last is judged; without
    ``asked`` only what holds for every launch."""

    caps: Caps
    counts: Counts = field(default_factory=Counts)
    asked: Asked | None = None
    copies: int = 1


def refusal(standing: Standing) -> Refusal | None:
    """The first cap that forbids it, or ``None``: what the order itself is at fault with comes first."""
    return next(refusals(standing), None)


def refusals(standing: Standing) -> Iterator[Refusal]:
    """Every cap that forbids it, for a form to say them all before it is sent."""
    if standing.asked:
        yield from against_the_order(standing.caps, standing.asked)
    for rule in (_of_the_jobs, _of_the_hour, _of_spending):
        if found := rule(standing):
            yield found


def against_the_order(caps: Caps, asked: Asked) -> list[Refusal]:
    """Everything that an order is at fault with, for the form to say all at once."""
    return [found for rule in _RULES if (found := rule(caps, asked))]


# The order ------------------------------------------------------------------------------------------------------------


def _task(caps: Caps, asked: Asked) -> Refusal | None:
    if task_is_allowed(asked.task, caps.task):
        return None
    sentence = f"Only {caps.task} jobs may be launched with this credential. Choose that kind, or another credential."
    return Refusal("cap_task", sentence, field="task")


def _gpu(caps: Caps, asked: Asked) -> Refusal | None:
    if not caps.gpu_models or (asked.gpu_count == 0 and not asked.gpu_names):
        return None
    if asked.gpu_names and all(gpu_is_allowed(name, caps.gpu_models) for name in asked.gpu_names):
        return None
    why = " Choose one of them, or another credential."
    if not asked.gpu_names:
        why = " With any GPU it cannot be told which one it would be."
    elif None in asked.gpu_names:
        why = " Which one this is cannot be told: its name is not known here."
    sentence = f"This credential is for these GPUs: {_listed(caps.gpu_models)}.{why}"
    return Refusal("cap_gpu", sentence, field="gpu_registry_uuid")


def _gpu_count(caps: Caps, asked: Asked) -> Refusal | None:
    most = caps.max_gpu_count
    if most is None:
        return None
    if asked.gpu_count is None:
        sentence = f"This credential is for at most {_gpus(most)} in a job, so say how many you want."
        return Refusal("cap_gpu_count", sentence, field="gpu_count")
    wanted = asked.gpu_count * asked.nodes
    if wanted <= most:
        return None
    how = f", {asked.gpu_count} on each of {asked.nodes} machines" if asked.nodes > 1 else ""
    sentence = f"This credential is for at most {_gpus(most)} in a job; this one asks for {wanted}{how}. Ask for fewer."
    return Refusal("cap_gpu_count", sentence, field="gpu_count")


def _regions(caps: Caps, asked: Asked) -> Refusal | None:
    if not caps.regions or (
        asked.regions and all(region_is_allowed(code, caps.regions) for code in asked.regions)
    ):
        return None
    sentence = f"This credential is for these regions: {_listed(caps.regions)}. Choose among them."
    return Refusal("cap_regions", sentence, field="allowed_region_codes")


def _image(caps: Caps, asked: Asked) -> Refusal | None:
    if not caps.images:
        return None
    allowed = f"Images allowed with this credential: {_listed(caps.images)}."
    if asked.has_image_source:
        return Refusal(
            "cap_image",
            f"An image source may not be given where images are limited. {allowed}",
            field="image",
        )
    for name, tag in asked.images:
        if not image_is_allowed(name, tag, caps.images):
            shown = f"{name}:{tag}" if tag else name
            return Refusal("cap_image", f"“{shown[:120]}” is not allowed. {allowed}", field="image")
    return None


def _lifetime(caps: Caps, asked: Asked) -> Refusal | None:
    most = caps.max_lifetime_s
    if most is None or (asked.lasts_s is not None and asked.lasts_s <= most):
        return None
    longest = f"A job with this credential may last {durations.write(most)} at most"
    if asked.lasts_s is None:
        return Refusal("cap_lifetime", f"{longest}, and this one has no hard end.", field="lifetime")
    if asked.task == "BATCH":
        lasts = durations.write(asked.lasts_s)
        sentence = f"{longest}; this one could take {lasts} with its waits and tries."
        return Refusal("cap_lifetime", sentence, field="max_timeout_run_ms")
    return Refusal("cap_lifetime", f"{longest}.", field="lifetime")


def _price(caps: Caps, asked: Asked) -> Refusal | None:
    if caps.max_hourly_usd is None or asked.usd is not None:
        return None
    sentence = (
        f"This credential may burn ${caps.max_hourly_usd:.2f}/h, and no price is known for this job. Choose a GPU that is "
        "offered, or state the highest price per hour."
    )
    return Refusal("cap_price_unknown", sentence, field="rate_cap_usd")


_RULES: tuple[Callable[[Caps, Asked], Refusal | None], ...] = (
    _task,
    _gpu,
    _gpu_count,
    _regions,
    _image,
    _lifetime,
    _price,
)


# What runs already ----------------------------------------------------------------------------------------------------


def _of_the_jobs(standing: Standing) -> Refusal | None:
    caps, active = standing.caps, standing.counts.active_jobs
    if caps.max_active_jobs is None or active + standing.copies <= caps.max_active_jobs:
        return None
    asked = f", so {standing.copies} more are too many" if standing.copies > 1 else ""
    sentence = (
        f"{_jobs(caps.max_active_jobs)} may run at once with this credential, and {active} "
        f"{'is' if active == 1 else 'are'} active{asked}. Stop one first, or choose another credential."
    )
    return Refusal("cap_jobs", sentence)


def _of_the_hour(standing: Standing) -> Refusal | None:
    caps, counts = standing.caps, standing.counts
    if caps.max_hourly_usd is None:
        return None
    rate = counts.burning_usd + ((standing.asked and standing.asked.usd) or ZERO) * standing.copies
    if rate > caps.max_hourly_usd or (standing.asked is None and rate >= caps.max_hourly_usd):
        what = "this job" if standing.copies == 1 else f"these {standing.copies} jobs"
        sentence = (
            f"With {what} the credential would burn ${rate:.2f}/h; its limit is ${caps.max_hourly_usd:.2f}/h. Stop one "
            "first, or choose a cheaper GPU or another credential."
        )
        return Refusal("cap_hourly", sentence)
    if counts.unpriced:
        sentence = (
            f"This credential may burn ${caps.max_hourly_usd:.2f}/h, and what “{counts.unpriced[0]}” costs is not known "
            "yet, so it cannot be told whether another job fits."
        )
        return Refusal("cap_price_unknown", sentence)
    return None


def _of_spending(standing: Standing) -> Refusal | None:
    caps, counts = standing.caps, standing.counts
    for limit, spent, what in (
        (caps.max_day_usd, counts.day, "today"),
        (caps.max_month_usd, counts.month, "this month"),
    ):
        if limit is None:
            continue
        if spent is None:
            return Refusal("cap_spent", f"What this credential has spent {what} is not known.")
        if spent.usd >= limit:
            sentence = (
                f"This credential has spent ${spent.usd:.2f} of ${limit:.2f} {what}. It counts anew {spent.anew}; "
                "whoever manages it can raise the cap."
            )
            return Refusal("cap_spent", sentence)
    return None


# Words ----------------------------------------------------------------------------------------------------------------


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - NAMED_AT_MOST
    return ", ".join(names[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _gpus(count: int) -> str:
    return "1 GPU" if count == 1 else f"{count} GPUs"
