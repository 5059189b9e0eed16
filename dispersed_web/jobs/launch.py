"""Asking for a launch: the wish is stored as a job in QUEUED, once per form; ``sending.py`` carries it out."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import F
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import JobSpec, problems_of
from dispersed_web.dispersed.parse import is_opaque_id
from dispersed_web.events.record import Actor, record
from dispersed_web.jobs import (
    cap_facts,
    from_recipe,
    guard,
    keeping,
    launch_facts,
    launch_rates,
    marker,
    rate,
    secret_refs,
    specs,
    superseding,
)
from dispersed_web.jobs.errors import FormAlreadyUsed, JobError, LaunchRefused
from dispersed_web.jobs.launch_bounds import bounds_of, lifetime_of
from dispersed_web.jobs.models import ENDED, Job, JobTag
from dispersed_web.jobs.orders import Order, RecipeUse, StopChoices
from dispersed_web.jobs.secret_refs import NONE, Known
from dispersed_web.recipes.models import RecipeVersion
from dispersed_web.teams.models import AutostopPolicy, Installation, Team

SEND_WITHIN = dt.timedelta(minutes=10)
SAME_AGAIN = dt.timedelta(seconds=60)
SHORTEST_S = 60
LONGEST_S = 2 * 365 * 24 * 3600
__all__ = ["Ask", "Order", "RecipeUse", "StopChoices", "check_choices", "request", "take_turn"]


@dataclass(frozen=True)
class Ask:
    """Who asks for a launch, for which team, with which credential, by which form and when.

    ``form_token`` is stored with the job and makes it the only one of its form (``form_tokens.py``).
    """

    team: Team
    credential: Credential
    user: User
    actor: Actor
    form_token: str
    now: dt.datetime


def request(
    order: Order,
    ask: Ask,
    *,
    same_again: bool = False,
    supersedes: uuid.UUID | None = None,
    copies_of: str = "",
) -> Job:
    """Stores the wish to launch and returns its job; the same form sent again returns the same job.

    ``supersedes`` is a job of the team whose launch did not arrive or has no clear answer: the new job takes its place,
    and the old one is stopped if it turns up after all. ``copies_of`` names the form that asks for several.
    Raises :class:`LaunchRefused` with the reason, and :class:`FormAlreadyUsed` when the form launched something else.
    """
    team = ask.team
    order = replace(order, spec=secret_refs.marked(order.spec, order.secret_refs))
    _check_order(order, team)
    with transaction.atomic():
        superseding.hold(supersedes, team)
        take_turn(team)
        known = Known.of(team, ask.user.pk, ask.actor.at_most) if order.secret_refs else NONE
        order = secret_refs.settled(order, known)
        before = of_form(team, ask.form_token)
        if before:
            return _same_or_refused(before, order, team, ask.credential)
        launch_rates.refuse_too_many(team, ask.user.pk, copies_of, ask.now)
        version = from_recipe.checked_version(order, team, ask.user, known)
        bounds = bounds_of(order, team, ask.credential, version)
        _refuse_unless_possible(order, bounds, ask)
        if not same_again and supersedes is None:
            _refuse_a_second_one(order, ask)
        answers = from_recipe.answers_to_keep(order, version, known)
        spec = secret_refs.resolved(order, team, known)
        job = _store(order, bounds, spec, answers, known, ask)
        secret_refs.note_use(order, known, ask.user, ask.now)
        if version:
            from_recipe.note_use(version, ask.now)
        if supersedes:
            superseding.supersede(supersedes, job, ask.actor, ask.now)
        _note_wish(job, order, version, known, ask)
    return job


def of_form(team: Team, form_token: str) -> Job | None:
    """The job that this form launched before. Hardly ever is there one, so first it is asked for as little as possible."""
    known = Job.objects.filter(team=team, form_token=form_token)
    return known.first() if known.exists() else None


def _note_wish(job: Job, order: Order, version: RecipeVersion | None, known: Known, ask: Ask) -> None:
    data = {
        "task": job.task,
        "gpu": job.gpu_label,
        "credential": job.credential.name,
        **({"recipe": from_recipe.named(version)} if version else {}),
        **({"cooked_from": order.cook_uuid} if order.cook_uuid else {}),
        **({"secrets": secret_refs.names_of(order.secret_refs, known)} if order.secret_refs else {}),
    }
    sentence = f"{ask.actor.label} asked to launch “{job.title}”."
    record(job.team_id, ask.actor, "job.requested", ("job", job.pk), sentence, now=ask.now, data=data)


def _same_or_refused(job: Job, order: Order, team: Team, credential: Credential) -> Job:
    fingerprint, lifetime_s = specs.fingerprint(order.spec, order.secret_refs), lifetime_of(order, team)[0]
    asked = (fingerprint, order.title, credential.pk, lifetime_s, order.cook_uuid)
    before = (
        job.spec_fingerprint,
        keeping.launch_title(job),
        job.credential_id,
        job.lifetime_s,
        job.cook_uuid,
    )
    if asked == before:
        return job
    raise FormAlreadyUsed(job.pk)


def _check_order(order: Order, team: Team) -> None:
    if order.cook_uuid and (order.recipe or not is_opaque_id(order.cook_uuid)):
        raise LaunchRefused(
            "invalid", "This is no recipe of Dispersed that can be launched.", field="cook_uuid"
        )
    for name, sentence in problems_of(order.spec).items():
        raise LaunchRefused("invalid", sentence, field=name)
    if marker.find([order.title, order.spec.title, order.spec.description]):
        sentence = (
            "Titles and descriptions may not contain a marker such as dw-x7k2-…: jobs are found again by it."
        )
        raise LaunchRefused("invalid", sentence, field="title")
    if not 60 <= order.lifetime_s <= team.max_lifetime_s:
        raise LaunchRefused(
            "invalid", "The lifetime is outside the bounds that the team set.", field="lifetime"
        )
    try:
        keeping.clean_tags(order.tags)
    except JobError as error:
        raise LaunchRefused(error.code, error.sentence, field=error.field) from None
    check_choices(order.choices, AutostopPolicy.of(team.pk))
    run_s = (order.spec.max_timeout_run_ms or 0) // 1000 * (1 + (order.spec.max_retry_count or 0))
    if run_s > team.max_lifetime_s:
        raise LaunchRefused(
            "invalid",
            "The time limit, counted once for each try, is longer than the longest lifetime that the team allows.",
            field="max_timeout_run_ms",
        )
    if lifetime_of(order, team)[0] > LONGEST_S:  # also beyond what a column or the calendar holds
        sentence = "With the waits before each of its tries it could take longer than two years."
        raise LaunchRefused("invalid", sentence, field="max_retry_count")


def check_choices(choices: StopChoices, team: AutostopPolicy) -> None:
    """Raises :class:`LaunchRefused` for what lies outside the team's bounds: members tighten freely, and loosen only
    inside them."""
    most_s = max(team.high_idle_max_s, team.medium_idle_max_s)
    for name, value, highest in (
        ("idle_limit", choices.idle_limit_s, most_s),
        ("checkin_every", choices.checkin_every_s, team.checkin_every_max_s),
    ):
        if value is not None and not SHORTEST_S <= value <= highest:
            raise LaunchRefused(
                "invalid", f"Between 1 minute and {highest // 60} minutes, the team's bound.", field=name
            )
    for name, amount in (("budget_usd", choices.budget_usd), ("rate_cap_usd", choices.rate_cap_usd)):
        if amount is not None and not 0 < amount < 1_000_000:
            raise LaunchRefused("invalid", "An amount above 0, or empty for none.", field=name)
    if len(choices.log_noise) > 20 or any(not 0 < len(text) <= 200 for text in choices.log_noise):
        raise LaunchRefused("invalid", "At most 20 texts of 1 to 200 characters.", field="log_noise")


def take_turn(team: Team) -> None:
    """Makes claims and requests of one team count one after the other, on every database."""
    Team.objects.filter(pk=team.pk).update(launch_seq=F("launch_seq") + 1)


def _refuse_unless_possible(order: Order, bounds: tuple[int, int], ask: Ask) -> None:
    lifetime_s, ceiling_s = bounds
    usd = order.quoted_usd if order.quoted_usd is not None else order.choices.rate_cap_usd
    facts = launch_facts.gather(
        ask.team,
        ask.credential,
        launch_facts.Launcher(ask.user.pk, ask.actor.at_most),
        launch_facts.Outline(
            ask.now + dt.timedelta(seconds=ceiling_s),
            order.quoted_usd,
            order.choices.budget_usd,
            cap_facts.of_spec(order.spec, ask.credential, usd, lifetime_s),
        ),
        ask.now,
    )
    if sentence := rate.cap_too_low(order.choices.rate_cap_usd, order.lowest_usd):
        raise LaunchRefused("invalid", sentence, field="rate_cap_usd")
    refusal = guard.refusal(facts)
    if refusal and not (refusal.waits and not facts.listing_failed):
        raise LaunchRefused(refusal.code, refusal.sentence, field=refusal.field)


def _refuse_a_second_one(order: Order, ask: Ask) -> None:
    recent = Job.objects.filter(
        team=ask.team,
        created_by=ask.user,
        title=order.title,
        spec_fingerprint=specs.fingerprint(order.spec, order.secret_refs),
        cook_uuid=order.cook_uuid,
        created_at__gt=ask.now - SAME_AGAIN,
    ).exclude(status__in=ENDED)
    if recent.exists():
        raise LaunchRefused(
            "same_again",
            "You launched exactly this less than a minute ago. Tick “Launch the same again” if you want a second one.",
            field="same_again",
        )


@sensitive_variables()
def _store(
    order: Order,
    bounds: tuple[int, int],
    spec: JobSpec,
    answers: dict[str, Any],
    known: Known,
    ask: Ask,
) -> Job:
    """``spec`` is that of the order with the values of the secrets that it names; ``bounds`` are lifetime and ceiling."""
    lifetime_s, ceiling_s = bounds
    job = Job(
        team=ask.team,
        credential=ask.credential,
        created_by=ask.user,
        owner=ask.user,
        asked_with=ask.actor.token_id,
        created_at=ask.now,
        title=order.title,
        task=order.spec.task,
        spec=secret_refs.plain_with_names(
            specs.plain_part(spec, order.secret_env), secret_refs.names_of(order.secret_refs, known)
        ),
        spec_fingerprint=specs.fingerprint(order.spec, order.secret_refs),
        secret_refs=dict(order.secret_refs),
        form_token=ask.form_token,
        marker=marker.new(Installation.get().code),
        gpu_label=order.gpu_label,
        quoted_usd=order.quoted_usd,
        send_by=ask.now + SEND_WITHIN,
        next_try_at=ask.now,
        lifetime_s=lifetime_s,
        ceiling_s=ceiling_s,
        warn_lead_s=ask.team.warn_lead_s,
        recipe_version_id=order.recipe.version_id if order.recipe else None,
        answers=answers,
        cook_uuid=order.cook_uuid,
        **asdict(order.choices) | {"log_noise": list(order.choices.log_noise)},
    )
    job.rate_cap_usd = rate.cap(order.choices.rate_cap_usd, order.quoted_usd)
    token = secrets.token_urlsafe(32)
    job.heartbeat_digest = specs.heartbeat_digest(token)
    job.spec_secrets_sealed = specs.sealed_part(spec, order.secret_env, specs.place_of(job), token)
    job.save(force_insert=True)
    JobTag.objects.bulk_create(
        JobTag(job=job, team=ask.team, name=name) for name in keeping.clean_tags(order.tags)
    )
    return job
