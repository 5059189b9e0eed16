"""The caps of a credential as people read them before they launch with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dispersed_web.jobs.caps import Caps, Counts
from dispersed_web.web.forms import regions
from dispersed_web.web.words import money, round_duration

NAMED_AT_MOST = 4
TASKS = {"BATCH": "batch jobs", "PERSISTENT": "persistent jobs"}


def sentences(caps: Caps, counts: Counts) -> str:
    """``At most 3 jobs at once (2 active), $4.00 an hour ($1.38 now). Only RTX 4090 or L40S.``; empty without caps."""
    most, only = list(_most(caps, counts)), list(_only(caps))
    parts = [f"At most {', '.join(most)}." if most else "", f"Only {'; '.join(only)}." if only else ""]
    return " ".join(part for part in parts if part)


def _most(caps: Caps, counts: Counts) -> Iterator[str]:
    if caps.max_active_jobs is not None:
        jobs = "1 job" if caps.max_active_jobs == 1 else f"{caps.max_active_jobs} jobs"
        yield f"{jobs} at once ({counts.active_jobs} active)"
    if caps.max_hourly_usd is not None:
        yield f"{money(caps.max_hourly_usd)} an hour ({money(counts.burning_usd)} now)"
    for limit, spent, span in (
        (caps.max_day_usd, counts.day, "a day"),
        (caps.max_month_usd, counts.month, "a month"),
    ):
        if limit is not None:
            yield f"{money(limit)} {span}" + (f" ({money(spent.usd)} spent)" if spent else "")
    if caps.max_gpu_count is not None:
        yield "1 GPU in a job" if caps.max_gpu_count == 1 else f"{caps.max_gpu_count} GPUs in a job"
    if caps.max_lifetime_s is not None:
        yield f"{round_duration(caps.max_lifetime_s)} for a job"


def _only(caps: Caps) -> Iterator[str]:
    if caps.task:
        yield TASKS.get(caps.task, caps.task)
    if caps.gpu_models:
        yield _listed(caps.gpu_models)
    if caps.regions:
        places = [regions.name(code).rsplit(", ")[-1] for code in caps.regions]
        yield f"in {_listed(places)}"
    if caps.images:
        yield f"images {_listed(caps.images)}"


def _listed(names: Sequence[str]) -> str:
    shown, more = list(names[:NAMED_AT_MOST]), len(names) - NAMED_AT_MOST
    if more > 0:
        return f"{', '.join(shown)} or one of {more} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
