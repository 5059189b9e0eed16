"""The blast radius of a credential, read from the rows: see ``credentials/blast.py`` for what follows from it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from itertools import islice

from dispersed_web.credentials import usable
from dispersed_web.credentials.blast import Blast, LiveJob, Named
from dispersed_web.credentials.models import Credential, CredentialState, CredentialUser, UsableBy
from dispersed_web.credentials.use import may_use
from dispersed_web.jobs.models import ENDED, IN_CLOUD, Job, Origin, Preset, UnmanagedJob
from dispersed_web.jobs.states import Status
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.api_tokens import ROLE_OF_SCOPE
from dispersed_web.teams.models import ApiToken, Membership
from dispersed_web.teams.roles import lower_of

LATELY = dt.timedelta(days=30)
MOST = 50
STOPPING = (CredentialState.ACTIVE, CredentialState.DISABLED, CredentialState.RETIRED)


def same_account(credential: Credential) -> list[Credential]:
    """The team's other credentials that are proven to see and stop the same jobs: of the same account, working, and not
    refused a stop lately. Active ones first."""
    if not credential.account:
        return []
    rows = Credential.objects.filter(
        team=credential.team_id,
        api_url=credential.api_url,
        account=credential.account,
        state__in=STOPPING,
        failures=0,
        cancel_refused_at=None,
    ).exclude(pk=credential.pk)
    return sorted(rows, key=lambda one: (STOPPING.index(CredentialState(one.state)), one.name))


def of_jobs(credential: Credential) -> Blast:
    """Its jobs, and what else can stop them."""
    jobs = Job.objects.filter(credential=credential)
    running = jobs.filter(status__in=IN_CLOUD).select_related("owner").defer("spec", "spec_secrets_sealed")
    return Blast(
        running=tuple(_live(job) for job in running.order_by("-hourly_rate_usd", "created_at")),
        queued=jobs.filter(status=Status.QUEUED).count(),
        in_doubt=jobs.filter(status__in=[Status.LAUNCHING, Status.UNCONFIRMED]).count(),
        ending=jobs.filter(status__in=ENDED, stop_next_at__isnull=False).count(),
        unmanaged=UnmanagedJob.objects.filter(credential=credential).count(),
        others=tuple(one.name for one in same_account(credential)),
    )


def _live(job: Job) -> LiveJob:
    usd = job.hourly_rate_usd if job.hourly_rate_usd is not None else job.quoted_usd
    return LiveJob(
        job.pk, job.title, job.owner.called if job.owner else "", usd, is_found=job.origin == Origin.FOUND
    )


def of(credential: Credential, now: dt.datetime) -> Blast:
    """Everything that hangs on it, for its page."""
    jobs = of_jobs(credential)
    seats = _seats(credential)
    people = sorted(
        (one.user for one in seats if not one.user.is_service), key=lambda user: str(user).lower()
    )
    watched = Job.objects.filter(credential=credential, watch_until__gt=now, status__in=ENDED).count()
    return Blast(
        **{name: getattr(jobs, name) for name in _OF_JOBS},
        watched=watched,
        presets=_presets(credential),
        recipes=_recipes(credential, now),
        chosen=_chosen(credential),
        members=tuple(map(str, people)),
        tokens=_tokens(credential, seats, now),
    )


_OF_JOBS = ("running", "queued", "in_doubt", "ending", "unmanaged", "others")


def _seats(credential: Credential) -> list[Membership]:
    """The people and programs who may launch with it."""
    rows = Membership.objects.filter(team=credential.team_id, user__is_active=True).select_related("user")
    chosen = usable.chosen_of([credential])[credential.pk]
    return [one for one in rows if may_use(one.role, one.user_id, credential.usable_by, chosen)]


def _chosen(credential: Credential) -> tuple[str, ...]:
    if credential.usable_by != UsableBy.CHOSEN:
        return ()
    rows = CredentialUser.objects.filter(credential=credential).select_related("user")
    return tuple(sorted(str(row.user) for row in rows))


def _presets(credential: Credential) -> tuple[Named, ...]:
    """How many each person has: what they call them is their own."""
    rows = Preset.objects.filter(team=credential.team_id, values__credential=str(credential.pk))
    whose = Counter(row.user.called for row in rows.select_related("user"))
    return tuple(Named("1 preset" if n == 1 else f"{n} presets", who) for who, n in sorted(whose.items()))


def _recipes(credential: Credential, now: dt.datetime) -> tuple[Named, ...]:
    """Recipes name no credential, so it is those that were launched with it in the last 30 days."""
    lately = Job.objects.filter(credential=credential, created_at__gt=now - LATELY)
    used = lately.filter(recipe_version__isnull=False).order_by()
    recipes = Recipe.objects.filter(pk__in=used.values("recipe_version__recipe"), team=credential.team_id)
    shared = recipes.filter(visibility=Recipe.Visibility.TEAM)
    return tuple(Named(row.name) for row in shared.order_by("name")[:MOST])


def _tokens(credential: Credential, seats: Iterable[Membership], now: dt.datetime) -> tuple[Named, ...]:
    """Those that may launch with it, in the role that their scope leaves them; of the team's own nobody is named."""
    roles = {one.user_id: one.role for one in seats}
    chosen = usable.chosen_of([credential])[credential.pk]
    alive = ApiToken.objects.filter(team=credential.team_id, revoked_at=None, expires_at__gt=now)
    rows = alive.filter(user__in=roles).select_related("user").order_by("name", "pk")
    found = (
        row
        for row in rows
        if may_use(
            lower_of(roles[row.user_id], ROLE_OF_SCOPE[row.scope]),
            row.user_id,
            credential.usable_by,
            chosen,
        )
    )
    return tuple(Named(row.name, "" if row.user.is_service else str(row.user)) for row in islice(found, MOST))
