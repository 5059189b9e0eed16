"""Jobs that the cloud does not show any more although no end was seen: what is known of their cost. Pure.

That is a state with an alarm, never an end: it may still bill, and it is looked for on and on.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dispersed_web.costs.estimate import cents
from dispersed_web.jobs.models import Job


@dataclass(frozen=True)
class CostSpan:
    """USD: what it had cost when it was seen last, and what it has cost if it runs on; ``None`` without a price."""

    at_last_sight: Decimal | None
    up_to: Decimal | None

    @property
    def words(self) -> str:
        """Empty where no price is known."""
        if self.at_last_sight is None or self.up_to is None:
            return ""
        return f"At last sight it had cost ${cents(self.at_last_sight):,}; up to ${cents(self.up_to):,} if it still runs."


def cost_span(job: Job, now: dt.datetime) -> CostSpan:
    """What a job that is missing has cost at least and at most."""
    return CostSpan(job.meter.read(min(job.missing_since or now, now)), job.meter.read(now))


def sentence(job: Job, now: dt.datetime) -> str:
    """The alarm."""
    words = (
        "Dispersed does not show this job any more, and its end was not seen. It may still cost money: look in the console "
        "of Dispersed."
    )
    return f"{words} {cost_span(job, now).words}".strip()


def data(job: Job, now: dt.datetime) -> dict[str, Any]:
    """The numbers behind the alarm, as plain JSON."""
    span = cost_span(job, now)
    known = {"at_last_sight_usd": span.at_last_sight, "up_to_usd": span.up_to}
    return {"remote_uuid": job.remote_uuid} | {
        name: str(usd) for name, usd in known.items() if usd is not None
    }
