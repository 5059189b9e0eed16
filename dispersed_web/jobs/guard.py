"""May this launch go out now? Pure: the same rules answer the form, the API and the claim right before the request."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.costs import budget
from dispersed_web.costs.budget import Budget
from dispersed_web.costs.spans import Span
from dispersed_web.jobs import caps
from dispersed_web.jobs.refusal import Refusal
from dispersed_web.teams.installation import ONLY_LOOKS
from dispersed_web.teams.roles import Action, may

__all__ = ["LaunchFacts", "Refusal", "refusal"]

MINUTES = 60


@dataclass(frozen=True)
class LaunchFacts:
    """What decides whether a launch may go out.

    ``role`` is the launcher's role in the team now (``None``: no longer a member); ``hard_end_at`` the latest moment at
    which the job would have to be stopped with this credential; ``active_jobs`` and ``burning_usd`` count the team's
    other jobs, in USD per hour. ``budgets`` are the team's and the launcher's, each with its day or month;
    ``job_budget_usd`` is the job's own. ``may_use`` says whether the credential is for the launcher, ``asks`` who gives
    that right; ``standing`` is the launch before the credential's caps, ``None`` where it has none. ``replaced_by`` is
    the name of what took the place of a retired one. Without ``may_act`` this is a copy of another installation;
    ``token_is_over`` says that the API token which asked for the launch was revoked or has expired since.
    """

    role: str | None
    credential_state: str
    credential_failure: str
    listing_is_fresh: bool
    listing_failed: bool
    cancel_refused: bool
    clock_is_off: bool
    expires_at: dt.datetime | None
    hard_end_at: dt.datetime | None
    frozen: bool
    active_jobs: int
    max_active_jobs: int | None
    burning_usd: Decimal
    quoted_usd: Decimal | None
    max_hourly_usd: Decimal | None
    budgets: tuple[tuple[Budget, Span], ...] = ()
    job_budget_usd: Decimal | None = None
    may_use: bool = True
    asks: str = "an admin of the team"
    standing: caps.Standing | None = None
    replaced_by: str = ""
    may_act: bool = True
    token_is_over: bool = False


def refusal(facts: LaunchFacts) -> Refusal | None:
    """The first reason against launching now, most lasting first, or ``None``."""
    return (
        _of_people(facts)
        or _of_the_credential(facts)
        or _of_the_team(facts)
        or (facts.standing and caps.refusal(facts.standing))
        or _of_the_budgets(facts)
        or _of_sight(facts)
    )


def _of_people(facts: LaunchFacts) -> Refusal | None:
    if not facts.may_act:
        return Refusal("only_looks", ONLY_LOOKS)
    if facts.token_is_over:
        return Refusal(
            "token_over", "The API token that asked for it was revoked, or has expired, before it was sent."
        )
    if not may(facts.role, Action.LAUNCH):
        return Refusal("not_allowed", "You may not launch jobs in this team; ask one of its admins.")
    if facts.frozen:
        return Refusal("frozen", "Launches of this team are frozen. An admin can lift that on the Team page.")
    if not facts.may_use:
        return Refusal(
            "credential_not_for_you",
            f"This credential is not for you to launch with. Choose another one, or ask {facts.asks}.",
        )
    return None


def _of_the_credential(facts: LaunchFacts) -> Refusal | None:
    if facts.credential_state in ("retired", "gone"):
        instead = f"Use “{facts.replaced_by}”." if facts.replaced_by else "Choose another one."
        what = "was replaced" if facts.replaced_by else "is not in use any more"
        return Refusal("credential_retired", f"This credential {what}. {instead}")
    if facts.credential_state == "disabled":
        return Refusal("credential_disabled", "This credential is disabled. Choose another one.")
    if facts.credential_state == "broken":
        return Refusal("credential_broken", f"Dispersed refuses this credential: {facts.credential_failure}")
    if facts.cancel_refused:
        return Refusal(
            "cannot_stop",
            "Dispersed lately refused to stop a job with this credential, so nothing new is launched with it. "
            "Use a key that may cancel jobs.",
        )
    if facts.clock_is_off:
        return Refusal(
            "clock_off",
            "The clock of this server and the clock of Dispersed differ by more than 30 seconds. Set the server's clock.",
        )
    if facts.expires_at and (facts.hard_end_at is None or facts.hard_end_at > facts.expires_at):
        return Refusal(
            "key_expires",
            f"The key expires on {facts.expires_at:%d %B at %H:%M} UTC, before this job's last possible end, and an "
            "expired key cannot stop a job. Choose a shorter lifetime or another credential.",
        )
    return None


def _of_the_team(facts: LaunchFacts) -> Refusal | None:
    if facts.max_active_jobs is not None and facts.active_jobs + 1 > facts.max_active_jobs:
        most = "1 job" if facts.max_active_jobs == 1 else f"{facts.max_active_jobs} jobs"
        active = "1 is" if facts.active_jobs == 1 else f"{facts.active_jobs} are"
        return Refusal(
            "too_many_jobs", f"The team may run {most} at once, and {active} active. Stop one first."
        )
    if facts.max_hourly_usd is not None:
        rate = facts.burning_usd + (facts.quoted_usd or 0)
        if rate > facts.max_hourly_usd:
            return Refusal(
                "too_expensive",
                f"With this job the team would burn ${rate:.2f}/h; its limit is ${facts.max_hourly_usd:.2f}/h.",
            )
    return None


def _of_the_budgets(facts: LaunchFacts) -> Refusal | None:
    for one, span in facts.budgets:
        if budget.reached(one):
            return Refusal(
                "budget_used_up",
                f"{one.name} is used up: ${one.spent_usd:.2f} of ${one.limit_usd:.2f}. It begins anew {span.anew}; "
                "an admin of the team can raise it.",
            )
    own, rate = facts.job_budget_usd, facts.quoted_usd
    if own is not None and rate is not None and rate > own * MINUTES:
        return Refusal(
            "budget_too_small",
            f"The job's budget of ${own:.2f} does not pay one minute at ${rate:.2f}/h. Raise it, or leave it empty.",
        )
    return None


def _of_sight(facts: LaunchFacts) -> Refusal | None:
    """No launch while we could not see the job afterwards."""
    if facts.listing_is_fresh:
        return None
    why = f": {facts.credential_failure}" if facts.listing_failed and facts.credential_failure else "."
    return Refusal("cannot_see", f"Your jobs at Dispersed cannot be seen at the moment{why}", waits=True)
