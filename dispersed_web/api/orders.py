"""From the body of a launch to the domain's order, and whether a repeated key repeats the same body."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request

from dispersed_web.api.errors import Refused
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import JobSpec, Secret, Volume
from dispersed_web.jobs import keeping, marker, market, secret_refs, specs
from dispersed_web.jobs.launch import Order, StopChoices
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.secret_refs import Known
from dispersed_web.recipes.document import REGISTRY_SECRET
from dispersed_web.recipes.references import VOLUME
from dispersed_web.teams.models import Team

KEY_HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{1,100}")
CHOICES = ("idle_limit_s", "checkin_every_s", "uses_logs", "budget_usd", "rate_cap_usd")
PAST = (CredentialState.RETIRED, CredentialState.GONE)
LISTS = {"allowed_region_codes", "ports", "allowed_ips"}


def idempotency_key(request: Request) -> str:
    """The header's value. Raises :class:`Refused` (400)."""
    key = request.headers.get(KEY_HEADER, "")
    if not key:
        raise Refused(
            400,
            "idempotency_key_required",
            f"Send {KEY_HEADER}: a new random text for each launch, the same for each repetition of it.",
        )
    if not KEY.fullmatch(key):
        sentence = f"{KEY_HEADER} must be 1 to 100 visible ASCII characters without spaces."
        raise Refused(400, "idempotency_key_invalid", sentence)
    return key


@sensitive_variables()
def order_of(body: Mapping[str, Any], team: Team, credential: Credential) -> Order:
    """What a valid body asks for. Its faults beyond types and lengths are found by the launch itself."""
    refs = refs_of(body)
    spec = secret_refs.marked(_spec(body), refs)
    label, lowest_usd, quoted_usd = _gpu(spec, credential)
    order = Order(
        title=body["title"],
        spec=spec,
        secret_env=frozenset(row["name"] for row in body.get("env", []) if _is_secret(row)),
        lifetime_s=body.get("lifetime_s") or team.default_lifetime_s,
        gpu_label=label,
        quoted_usd=quoted_usd,
        lowest_usd=lowest_usd,
        choices=_choices(body),
        cook_uuid=body.get("cook_uuid", ""),
        secret_refs=refs,
    )
    return secret_refs.settled(order, Known.of(team, None)) if refs else order


def refs_of(body: Mapping[str, Any]) -> dict[str, str]:
    """The parts for which a secret of the team is named."""
    found = {f"env.{row['name']}": row.get("team_secret_id") for row in body.get("env", ())}
    found |= {f"{VOLUME}{row['mount']}": row.get("team_secret_id") for row in body.get("volumes", ())}
    found[REGISTRY_SECRET] = body.get("registry_secret_id")
    return {target: str(ref) for target, ref in found.items() if ref}


def _choices(body: Mapping[str, Any]) -> StopChoices:
    given = {name: body[name] for name in CHOICES if body.get(name) is not None}
    return StopChoices(**given, log_noise=tuple(body.get("log_noise", ())))


@sensitive_variables()
def is_same(job: Job, body: Mapping[str, Any], order: Order) -> bool:
    """Whether ``body`` asks for what ``job`` was launched with, secrets included."""
    return (
        _is_its_credential(job, body["credential_id"])
        and keeping.launch_title(job) == order.title
        and secret_refs.without_names(job.spec) == specs.plain_part(order.spec, order.secret_env)
        and job.spec_fingerprint == specs.fingerprint(order.spec, order.secret_refs)
        and job.cook_uuid == order.cook_uuid
        and body.get("lifetime_s") in (None, job.lifetime_s)
        and all(body.get(name) in (None, getattr(job, name)) for name in CHOICES)
    )


def _is_its_credential(job: Job, credential_id: uuid.UUID) -> bool:
    """What was asked for with a credential that was replaced or deleted since may have gone to another one."""
    past = Credential.objects.filter(team=job.team_id, pk=credential_id, state__in=PAST)
    return job.credential_id == credential_id or past.exists()


@sensitive_variables()
def _spec(body: Mapping[str, Any]) -> JobSpec:
    given = {name: body[name] for name in specs.PLAIN_FIELDS if name in body}
    plain = {name: tuple(value) if name in LISTS else value for name, value in given.items()}
    secret = body.get("registry_secret")
    return JobSpec(
        task=body["task"],
        title=marker.ascii_title(body["title"]),
        registry_secret=Secret(secret) if secret else None,
        env={row["name"]: row.get("value", "") for row in body.get("env", [])},
        volumes=tuple(_volume(row) for row in body.get("volumes", [])),
        **plain,
    )


@sensitive_variables()
def _volume(row: Mapping[str, Any]) -> Volume:
    return Volume.from_plain(row, Secret(row["secret"]) if row.get("secret") else None)


def _is_secret(row: Mapping[str, Any]) -> bool:
    return bool(row.get("secret", specs.looks_secret(row["name"])))


def _gpu(spec: JobSpec, credential: Credential) -> tuple[str, Decimal | None, Decimal | None]:
    """The GPU's name for lists, and what all nodes cost per hour at the cheapest and the dearest offer that was seen lately
    in the wanted regions; the team's cap counts with the dearest. ``None`` where no price is known."""
    known = market.of(credential)
    regions = spec.allowed_region_codes
    offers = [offer for offer in known.offers if not regions or offer["region_code"] in regions]
    wish = market.Wish(
        spec.gpu_registry_uuid, spec.gpu_name, spec.gpu_count, spec.min_vram_gb, spec.max_node_count or 1
    )
    choices = market.choices(known.gpus, offers, spec.gpu_count or 1)
    return market.label(wish, choices), *market.hourly_range_usd(wish, choices)
