"""Whether a form that was sent before asks for the same once more."""

from __future__ import annotations

from dataclasses import replace

from django.views.decorators.debug import sensitive_variables

from dispersed_web.autostop import choices
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs import launch_bounds, secret_refs, specs
from dispersed_web.jobs.launch import Order
from dispersed_web.jobs.models import Job


@sensitive_variables()
def is_what_was_asked(job: Job, order: Order, credential: Credential) -> bool:
    """A form that was sent before and then changed asks for something else, if only for another lifetime."""
    lifetime_s = launch_bounds.lifetime_of(order, job.team)[0]
    plain = specs.plain_part(order.spec, order.secret_env)
    stored = secret_refs.without_names(job.spec)
    same = job.credential_id == credential.pk and job.lifetime_s == lifetime_s and stored == plain
    same = same and job.cook_uuid == order.cook_uuid and job.secret_refs == dict(order.secret_refs)
    cap_usd = order.choices.rate_cap_usd
    # Without a chosen cap one was made of the price at that time, which may have moved since.
    stored = choices.of(job) if cap_usd is not None else replace(choices.of(job), rate_cap_usd=None)
    return same and stored == order.choices
