"""What hangs on a credential as the rows say it, and the acts that need to know: replacing, deleting, retiring.

A retired or deleted credential's secret is destroyed only when nothing needs it any more: no job that may run, no launch
in doubt, none that never arrived and is still looked for, no job of others that only this key shows.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.clock import Clock
from dispersed_web.credentials import blast, health, keeping, retiring, succession
from dispersed_web.credentials.keeping import CredentialRefused
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.events.record import LAUNCHER, Actor
from dispersed_web.jobs import radius
from dispersed_web.jobs.departed import long_lost
from dispersed_web.jobs.launch import take_turn
from dispersed_web.jobs.models import ENDED, Job, Preset, UnmanagedJob
from dispersed_web.jobs.states import Status

# So long after a job's end its log may still be fetched.
LOGS_FOR = dt.timedelta(minutes=10)


def means(credential: Credential) -> str:
    """What it means for the running jobs that the credential does not work, as a sentence."""
    return blast.means(radius.of_jobs(credential))


def hangs_on(credential: Credential, is_over: bool) -> str:
    """What it means for its jobs that a retired credential expires, or did where ``is_over``, as a sentence."""
    return blast.hangs_on(radius.of_jobs(credential), is_over)


def is_needed(credential: Credential, now: dt.datetime) -> bool:
    """Whether anything here still needs the key."""
    jobs = Job.objects.filter(credential=credential)
    needs = ~Q(status__in=ENDED) | Q(stop_next_at__isnull=False) | Q(watch_until__gt=now)
    needs |= Q(status__in=ENDED, ended_at__gt=now - LOGS_FOR, launched_at__isnull=False)
    strangers = UnmanagedJob.objects.filter(~long_lost(now), credential=credential)
    return jobs.filter(needs).exists() or strangers.exists()


# Replacing ------------------------------------------------------------------------------------------------------------


@sensitive_variables()
def rotate(
    credential: Credential,
    public_key: str,
    secret_key: str,
    *,
    user: User,
    actor: Actor,
    clock: Clock,
    expires_at: dt.datetime | None = None,
) -> Credential:
    """Puts a new pair to use, after trying it: in the place of the old one where both are of one account or nothing needs
    the old one, else beside it, as a new credential of the same name. Gives back the credential that has the new pair.

    Raises :class:`CredentialRefused`.
    """
    began = clock()
    trial = keeping.try_pair(public_key, secret_key)
    same = keeping.same_account(credential, public_key, trial)
    pair = (public_key, secret_key)
    with transaction.atomic():
        waiting = _hold_queued(credential)
        now = clock()
        if same or (same is None and not is_needed(credential, now)):
            keeping.put_in_place(
                credential, pair, trial, actor=actor, began=began, now=now, expires_at=expires_at
            )
            return Credential.objects.select_related("team").get(pk=credential.pk)
        return succession.succeed(
            credential,
            pair,
            trial,
            user=user,
            actor=actor,
            began=began,
            now=now,
            follow=lambda old, new: _follow(old, new, waiting),
            expires_at=expires_at,
        )


def _hold_queued(credential: Credential) -> list[Job]:
    """The launches that were not sent yet, the key, and then the team's turn: nothing is claimed or asked for
    meanwhile."""
    rows = Job.objects.select_for_update(no_key=True).filter(credential=credential, status=Status.QUEUED)
    waiting = list(rows.only("pk").order_by("pk"))
    _hold_key(credential)
    take_turn(credential.team)
    return waiting


def _hold_key(credential: Credential) -> None:
    """Locks its row: after its jobs and before its team, in the order in which a sync notes what became of it."""
    list(Credential.objects.select_for_update(no_key=True).filter(pk=credential.pk).values_list("pk"))


def _follow(old: Credential, new: Credential, waiting: list[Job]) -> None:
    """What was not sent yet goes with the new keys; presets that named the old credential name the new one."""
    rows = Job.objects.filter(pk__in=[job.pk for job in waiting], status=Status.QUEUED, maybe_sent=0)
    rows.update(credential=new)
    for preset in Preset.objects.filter(team=old.team_id, values__credential=str(old.pk)):
        values = {**preset.values, "credential": str(new.pk)}
        Preset.objects.filter(pk=preset.pk).update(values=values)


# Deleting -------------------------------------------------------------------------------------------------------------


def delete(credential: Credential, *, actor: Actor, now: dt.datetime) -> None:
    """Destroys the secret. Jobs that another credential of the same account can stop go on with that one.

    Raises :class:`CredentialRefused` while it alone can stop a running job, or something with it is in doubt.
    """
    with transaction.atomic():
        held = Job.objects.select_for_update(no_key=True).filter(credential=credential)
        open_jobs = list(held.exclude(status__in=ENDED).only("pk", "status").order_by("pk"))
        _hold_key(credential)
        take_turn(credential.team)
        if why := blast.why_not_delete(radius.of_jobs(credential)):
            raise CredentialRefused("still_needed", why)
        _hand_on(credential, open_jobs)
        sentence = (
            f"{actor.label} deleted the credential “{credential.name}”. Its secret key was destroyed here; revoke it in the "
            "console of Dispersed too."
        )
        if not retiring.destroy(credential, "credential.deleted", sentence, actor=actor, now=now):
            raise CredentialRefused("gone", keeping.GONE_MEANWHILE)


def _hand_on(credential: Credential, open_jobs: list[Job]) -> None:
    """To the first credential that sees the same account. What was not sent is refused at its claim."""
    heirs = radius.same_account(credential)
    live = [job.pk for job in open_jobs if job.status != Status.QUEUED]
    if heirs and live:
        Job.objects.filter(pk__in=live).update(credential=heirs[0])
    UnmanagedJob.objects.filter(credential=credential).delete()


# The sweep ------------------------------------------------------------------------------------------------------------


def sweep(clock: Clock) -> None:
    """Probes, warns of expiries, and destroys what is retired and needed no more."""
    for credential in Credential.objects.exclude(state=CredentialState.GONE).select_related("team"):
        health.warn_of_expiry(credential, clock(), hangs_on)
        keeping.probe_again(credential, clock)
        if credential.state == CredentialState.RETIRED:
            end_retired(credential, clock())


def end_retired(credential: Credential, now: dt.datetime) -> bool:
    """Destroys the secret of a retired credential whose last job is over. True when it did."""
    with transaction.atomic():
        _hold_key(credential)
        take_turn(credential.team)
        rows = Credential.objects.filter(pk=credential.pk, state=CredentialState.RETIRED)
        if not rows.exists() or is_needed(credential, now):
            return False
        sentence = (
            f"The last job of the retired credential “{credential.name}” is over, so its secret key was destroyed here. "
            "Revoke it in the console of Dispersed too."
        )
        return retiring.destroy(credential, "credential.gone", sentence, actor=LAUNCHER, now=now)
