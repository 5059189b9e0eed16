"""Which jobs cannot be stopped from here, because no key of their team that reaches them works.

A job counts from the moment its launch may have left until its end was seen. Which keys reach it: its own, and those of the
same team that are proven to be of the same account at the same cloud.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from dispersed_web.credentials import vault
from dispersed_web.credentials.clients import secret_place
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import IN_CLOUD, IN_DOUBT
from dispersed_web.teams.models import Installation

MAY_RUN = IN_CLOUD | IN_DOUBT
OF_JOBS = ("title", "status", "remote_uuid", "credential", "hourly_rate_usd", "quoted_usd", "team__name")


class Fault(StrEnum):
    """Why a key stops nothing."""

    DESTROYED = "destroyed"
    LOST = "lost"
    REFUSED = "refused"
    STOPS_REFUSED = "stops refused"


WORDS = {
    Fault.DESTROYED: "its key was destroyed here",
    Fault.LOST: "its key cannot be opened here",
    Fault.REFUSED: "its key does not work",
    Fault.STOPS_REFUSED: "Dispersed lets its key stop nothing",
}


@dataclass(frozen=True)
class Key:
    """What matters of a credential: ``opens`` says that its secret can be read, ``is_refused`` that the cloud takes the key
    no more, ``stops_are_refused`` that the cloud refused its last stop. ``account`` is empty where nobody knows it."""

    id: uuid.UUID
    name: str
    cloud: str
    account: str
    state: str
    opens: bool = True
    is_refused: bool = False
    stops_are_refused: bool = False


@dataclass(frozen=True)
class Unstoppable:
    """A job that may run on; ``rate_usd`` is what it costs per hour, None where that is not known. ``perhaps_with`` names
    a working key of which nobody knows whether it is of the same account, empty where there is none."""

    job_id: uuid.UUID
    title: str
    remote_uuid: str
    team_id: uuid.UUID
    team_name: str
    rate_usd: Decimal | None
    fault: Fault
    perhaps_with: str = ""


# Pure ----------------------------------------------------------------------------------------------------------------------


def fault_of(key: Key) -> Fault | None:
    """Why nothing can be stopped with it; ``None`` when it works. Disabled and retired keys stop as others do."""
    if key.state == CredentialState.GONE:
        return Fault.DESTROYED
    if not key.opens:
        return Fault.LOST
    if key.is_refused or key.state == CredentialState.BROKEN:
        return Fault.REFUSED
    return Fault.STOPS_REFUSED if key.stops_are_refused else None


def out_of_reach(status: str, own: Key, keys: Iterable[Key]) -> tuple[Fault, str] | None:
    """Of a job in ``status`` with the key ``own``, whose team has ``keys``: what is wrong with its key, and a key that may
    stop it perhaps. ``None`` when it can be stopped, or has not begun or has ended."""
    fault = fault_of(own)
    if fault is None or status not in MAY_RUN:
        return None
    working = [one for one in keys if one.id != own.id and one.cloud == own.cloud and fault_of(one) is None]
    if own.account and any(one.account == own.account for one in working):
        return None
    unproven = sorted(one.name for one in working if not own.account or not one.account)
    return fault, unproven[0] if unproven else ""


def rate_usd(jobs: Iterable[Unstoppable]) -> Decimal:
    """What they cost together per hour, as far as it is known."""
    return sum((job.rate_usd for job in jobs if job.rate_usd), Decimal(0))


def by_team(jobs: Iterable[Unstoppable]) -> dict[uuid.UUID, list[Unstoppable]]:
    """The same, by the team whose they are."""
    found: dict[uuid.UUID, list[Unstoppable]] = defaultdict(list)
    for job in jobs:
        found[job.team_id].append(job)
    return dict(found)


def why(jobs: Iterable[Unstoppable]) -> str:
    """What is wrong with their keys, as a part of a sentence."""
    faults = {job.fault for job in jobs}
    return " or ".join(WORDS[fault] for fault in Fault if fault in faults)


# Rows ----------------------------------------------------------------------------------------------------------------------


def find(team_id: uuid.UUID | None = None, lost: Collection[str] | None = None) -> list[Unstoppable]:
    """Of one team, or of all, by team and title.

    ``lost`` are the ids of the encryption keys that are missing or wrong, where that is known: then what the rows say is
    believed. Without it each credential is opened once and forgotten.
    """
    rows = Credential.objects.all()
    if team_id is not None:
        rows = rows.filter(team=team_id)
    installation = Installation.get().uuid
    keys = {row.pk: _key(row, lost, installation) for row in rows}
    of_team: dict[uuid.UUID, list[Key]] = defaultdict(list)
    for row in rows:
        of_team[row.team_id].append(keys[row.pk])
    faulty = [pk for pk, key in keys.items() if fault_of(key)]
    if not faulty:
        return []
    found = []
    jobs = Job.objects.filter(status__in=MAY_RUN, credential__in=faulty).select_related("team")
    for job in jobs.only(*OF_JOBS).order_by("team__name", "title", "pk").iterator():
        told = out_of_reach(job.status, keys[job.credential_id], of_team[job.team_id])
        if told:
            found.append(_told(job, *told))
    return found


def _key(row: Credential, lost: Collection[str] | None, installation: uuid.UUID) -> Key:
    if row.state == CredentialState.GONE:
        opens = False
    elif lost is None:
        opens = vault.opens(row.secret_sealed, secret_place(row), installation)
    else:
        opens = vault.key_id_of(row.secret_sealed) not in lost
    return Key(
        row.pk,
        row.name,
        row.api_url,
        row.account,
        row.state,
        opens=opens,
        is_refused=row.refused_at is not None,
        stops_are_refused=row.cancel_refused_at is not None,
    )


def _told(job: Job, fault: Fault, perhaps_with: str) -> Unstoppable:
    rate = job.hourly_rate_usd if job.hourly_rate_usd is not None else job.quoted_usd
    team = job.team
    return Unstoppable(
        job.pk, job.title, job.remote_uuid or "", team.pk, team.name, rate, fault, perhaps_with
    )
