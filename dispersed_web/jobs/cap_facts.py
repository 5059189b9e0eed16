"""What the caps of a credential are judged by, read afresh from the rows.

What was launched with a credential that this one replaced counts too: replacing keys frees nothing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from dispersed_web.costs import spans
from dispersed_web.costs.spans import Kind
from dispersed_web.credentials.models import Credential, CredentialCaps
from dispersed_web.dispersed import JobSpec
from dispersed_web.jobs import spending
from dispersed_web.jobs.caps import ZERO, Asked, Caps, Counts, Spent, Standing
from dispersed_web.jobs.models import ENDED, Job, Market
from dispersed_web.teams.models import AutostopPolicy

# What a job is counted at: what it costs, else what was quoted for it, else the most that its launcher allows.
PRICE = Coalesce("hourly_rate_usd", "quoted_usd", "rate_cap_usd")

AskedOf = Callable[[Caps], Asked]


def caps_of(credential: Credential) -> Caps | None:
    """The credential's caps; ``None`` where nothing was ever set."""
    row = CredentialCaps.objects.filter(credential=credential).first()
    return caps_in(row) if row else None


def caps_in(row: CredentialCaps) -> Caps:
    """The row as the plain values that the rules compare."""
    return Caps(
        row.max_active_jobs,
        row.max_hourly_usd,
        row.max_day_usd,
        row.max_month_usd,
        row.task,
        tuple(row.gpu_models),
        row.max_gpu_count,
        tuple(row.regions),
        tuple(row.images),
        row.max_lifetime_s,
    )


def standing(
    credential: Credential,
    caps: Caps,
    now: dt.datetime,
    *,
    asked: AskedOf | None = None,
    others: Q | None = None,
    copies: int = 1,
) -> Standing:
    """A launch before the caps, or the last of ``copies``. ``others`` narrows which of the credential's jobs count beside
    it."""
    keys = lineage(credential)
    beside = counts(credential, caps, keys, now, others)
    return Standing(caps, beside, asked(caps) if asked else None, copies)


def lineage(credential: Credential) -> list[uuid.UUID]:
    """The credential and those that it replaced, one after the other."""
    replaced = Credential.objects.filter(team=credential.team_id, successor__isnull=False)
    before = list(replaced.values_list("pk", "successor"))
    found = [credential.pk]
    for key in found:  # grows while it is walked
        found += [old for old, new in before if new == key and old not in found]
    return found


def counts(
    credential: Credential, caps: Caps, keys: list[uuid.UUID], now: dt.datetime, others: Q | None = None
) -> Counts:
    """What runs on these credentials, and what they spent; only what the caps need is asked for."""
    jobs = Job.objects.filter(team=credential.team_id, credential__in=keys).exclude(status__in=ENDED)
    jobs = jobs.filter(others or Q())
    sums = jobs.aggregate(count=Count("pk"), usd=Sum(PRICE))
    priceless = jobs.annotate(price=PRICE).filter(price=None).order_by("created_at")
    unpriced = tuple(priceless.values_list("title", flat=True)[:3]) if caps.max_hourly_usd else ()
    day, month = _spent(credential, caps, keys, now)
    return Counts(sums["count"], sums["usd"] or ZERO, unpriced, day, month)


def _spent(
    credential: Credential, caps: Caps, keys: list[uuid.UUID], now: dt.datetime
) -> tuple[Spent | None, Spent | None]:
    if caps.max_day_usd is None and caps.max_month_usd is None:
        return None, None
    zone = spending.zone_of(AutostopPolicy.of(credential.team_id))
    usd = spending.with_credentials(credential.team_id, keys, zone, now)
    day, month = (Spent(usd[kind], spans.span(kind, now, zone).anew) for kind in (Kind.DAY, Kind.MONTH))
    return day, month


def over_the_hour(job: Job, usd: Decimal | None, now: dt.datetime) -> str:
    """Why a job that was launched may not cost ``usd`` per hour (``None``: whatever it is) beside its credential's other
    jobs, as a sentence; empty where it may."""
    held = caps_of(job.credential)
    if held is None or held.max_hourly_usd is None:
        return ""
    beside = counts(job.credential, held, lineage(job.credential), now, ~Q(pk=job.pk)).burning_usd
    if usd is not None and beside + usd <= held.max_hourly_usd:
        return ""
    return (
        f"Its credential may burn ${held.max_hourly_usd:.2f}/h, and with this price it could burn more. An owner of the "
        "team can raise that cap."
    )


# What is asked for ----------------------------------------------------------------------------------------------------


def of_spec(spec: JobSpec, credential: Credential, usd: Decimal | None, lasts_s: int | None) -> AskedOf:
    """What an order asks for."""
    volumes = [volume.to_plain() for volume in spec.volumes]
    values = {name: getattr(spec, name) for name in _NAMES}
    return lambda caps: _asked(values, spec.task, volumes, credential, caps, usd, lasts_s)


def of_job(job: Job) -> AskedOf:
    """What a stored job asks for."""
    usd = job.quoted_usd if job.quoted_usd is not None else job.rate_cap_usd
    volumes = job.spec.get("volumes") or ()
    return lambda caps: _asked(job.spec, job.task, volumes, job.credential, caps, usd, job.ceiling_s)


_NAMES = (
    "image",
    "tag",
    "registry_host",
    "image_source",
    "gpu_count",
    "gpu_name",
    "gpu_registry_uuid",
    "max_node_count",
    "allowed_region_codes",
)


def _asked(
    values: Mapping[str, Any],
    task: str,
    volumes: Iterable[Mapping[str, Any]],
    credential: Credential,
    caps: Caps,
    usd: Decimal | None,
    lasts_s: int | None,
) -> Asked:
    images = [_image(values.get("registry_host"), values.get("image"), values.get("tag"))]
    images += [_image(one.get("registry"), one.get("image"), one.get("tag")) for one in volumes]
    return Asked(
        task=task,
        gpu_names=_gpu_names(values, credential) if caps.gpu_models else (),
        gpu_count=values.get("gpu_count"),
        nodes=values.get("max_node_count") or 1,
        regions=tuple(values.get("allowed_region_codes") or ()),
        images=tuple(images),
        has_image_source=bool(values.get("image_source")),
        usd=usd,
        lasts_s=lasts_s,
    )


def _image(host: str | None, name: str | None, tag: str | None) -> tuple[str, str]:
    return f"{host}/{name}" if host else name or "", tag or ""


def _gpu_names(values: Mapping[str, Any], credential: Credential) -> tuple[str | None, ...]:
    """The models that are asked for by name, and by their number in the cloud's registry as it was last seen."""
    names: list[str | None] = [values["gpu_name"]] if values.get("gpu_name") else []
    if wanted := values.get("gpu_registry_uuid"):
        market = Market.objects.filter(credential=credential).values_list("gpus", flat=True).first()
        names.append(next((gpu["name"] for gpu in market or () if gpu["uuid"] == wanted), None))
    return tuple(names)
