"""Finding launches whose answer was not clear: by their marker in a complete listing, or by proof that they never came.

A job that was created is seen within seconds. That it was not created is believed only when at least three complete
listings, the last of them begun after the fence, do not show it: from then on a request still under way is too old for
the cloud. Where the cloud does not enforce a time window there is no such proof, and a person decides.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, Q

from dispersed_web.clock import Clock
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import BadReply, Client, DispersedError, Outcome
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.events.models import Audience, Event
from dispersed_web.events.record import CLOUD, LAUNCHER, record
from dispersed_web.jobs import marker
from dispersed_web.jobs.adopt import adopt
from dispersed_web.jobs.alone import alone
from dispersed_web.jobs.models import IN_CLOUD, Job
from dispersed_web.jobs.states import Reason, Status

LISTINGS_NEEDED = 3
LISTED_BEFORE = dt.timedelta(minutes=15)
WATCH = dt.timedelta(days=30)
SCHEDULE_S = [3, 8, 15, 30, 60]
UNRESOLVED_AFTER = dt.timedelta(hours=24)
RARELY_S = 3600
LISTING_LAG = dt.timedelta(seconds=60)


def credentials_to_look_with(now: dt.datetime) -> list[uuid.UUID]:
    """The credentials with launches in doubt that are due for another look."""
    answering = (
        Q(credential__failures=0) | Q(credential__sync_due_at=None) | Q(credential__sync_due_at__lte=now)
    )
    rows = Job.objects.filter(answering, status=Status.UNCONFIRMED, next_try_at__lte=now)
    return list(rows.order_by().values_list("credential", flat=True).distinct()[:100])


def look(credential: Credential, client: Client, clock: Clock) -> None:
    """Looks once for every launch in doubt of ``credential``. A listing that fails proves nothing and changes nothing."""
    began = clock()
    jobs = list(Job.objects.filter(credential=credential, status=Status.UNCONFIRMED, next_try_at__lte=began))
    if not jobs:
        return
    oldest = min(dt.datetime.fromtimestamp((job.x_time_ms or 0) / 1000, dt.UTC) for job in jobs)
    try:
        listed = client.complete_jobs(older_than=oldest - LISTED_BEFORE)
        _refuse_if_it_hides_jobs(credential, listed, oldest, began)
    except DispersedError:
        for job in jobs:
            _look_again(job, began)
        return
    found = by_marker(listed)
    for job in jobs:
        with alone(job, "told found or not"):
            _conclude(job, found.get(job.marker, []), credential, began, clock())


def _refuse_if_it_hides_jobs(
    credential: Credential, listed: Iterable[RemoteJob], oldest: dt.datetime, began: dt.datetime
) -> None:
    """A listing without a live job that must be in it is wrong about others too. Raises BadReply."""
    due = Job.objects.filter(
        credential=credential,
        status__in=IN_CLOUD,
        missing_since=None,
        launched_at__range=(oldest, began - LISTING_LAG),
    )
    hidden = set(due.values_list("remote_uuid", flat=True)) - {remote.uuid for remote in listed}
    if hidden:
        raise BadReply("A list of the cloud lacks jobs that it has.", outcome=Outcome.UNKNOWN)


def marker_of(remote: RemoteJob) -> str | None:
    """The marker in any of the three places that a listing returns."""
    label = remote.docker.launch_label if remote.docker else None
    return marker.find((remote.title, remote.description, label))


def by_marker(listed: Iterable[RemoteJob]) -> dict[str, list[RemoteJob]]:
    """Marker → the cloud's jobs that carry it, oldest first."""
    found: dict[str, list[RemoteJob]] = defaultdict(list)
    for remote in listed:
        mark = marker_of(remote)
        if mark and remote.uuid not in {other.uuid for other in found[mark]}:
            found[mark].append(remote)
    for remotes in found.values():
        remotes.sort(key=lambda remote: (remote.created_at is None, remote.created_at))
    return found


def _conclude(
    job: Job, remotes: list[RemoteJob], credential: Credential, began: dt.datetime, now: dt.datetime
) -> None:
    if remotes:
        # The oldest that no other job holds: a person may have adopted one of them by hand.
        taken = next((remote for remote in remotes if adopt(job, remote, now, late=True)), None)
        if taken is None:
            _look_again(job, now)
        for twin in remotes:
            if twin is not (taken or remotes[0]):
                alarm_of_twin(job, twin, now)
        return
    refused = job.reason == Reason.REFUSED
    proved = job.absent_lists + 1 >= LISTINGS_NEEDED and job.fence_at is not None and began > job.fence_at
    if refused or (proved and credential.probe.get("window_enforced") is True):
        _give_up(job, began, now)
    else:
        Job.objects.filter(pk=job.pk, status=Status.UNCONFIRMED).update(absent_lists=F("absent_lists") + 1)
        _look_again(job, now)


def _give_up(job: Job, began: dt.datetime, now: dt.datetime) -> None:
    refused = job.reason == Reason.REFUSED
    why = (
        job.reason_text
        if refused
        else "It never reached Dispersed: complete listings do not show it, and a request of that age is refused there."
    )
    with transaction.atomic():
        changed = Job.objects.filter(pk=job.pk, status=Status.UNCONFIRMED, remote_uuid=None).update(
            status=Status.FAILED,
            reason=Reason.REFUSED if refused else Reason.NEVER_ARRIVED,
            reason_text=why,
            ended_at=now,
            watch_until=now + WATCH,
            stop_next_at=None,
        )
        if changed:
            record(
                job.team_id,
                CLOUD,
                "job.refused" if refused else "job.never_arrived",
                ("job", job.pk),
                why,
                now=now,
                data={"listing_began": began.isoformat(), "absent_lists": job.absent_lists + 1},
                audience=Audience.JOB_OWNER,
            )


def _look_again(job: Job, now: dt.datetime) -> None:
    waited = (now - (job.unknown_since or now)).total_seconds()
    delay = next((step for step in SCHEDULE_S if step > waited), SCHEDULE_S[-1])
    if waited > UNRESOLVED_AFTER.total_seconds():
        delay = RARELY_S
    Job.objects.filter(pk=job.pk, status=Status.UNCONFIRMED).update(
        next_try_at=now + dt.timedelta(seconds=delay)
    )
    if job.unknown_since and now - job.unknown_since > UNRESOLVED_AFTER:
        _ask_a_person(job, now)


def ask_people(now: dt.datetime) -> None:
    """Launches in doubt for a day: also those of a key that shows nothing any more, with which nobody looks."""
    old = Job.objects.filter(status=Status.UNCONFIRMED, unknown_since__lt=now - UNRESOLVED_AFTER)
    for job in old.defer("spec", "spec_secrets_sealed")[:100]:
        with alone(job, "told of"):
            _ask_a_person(job, now)


def _ask_a_person(job: Job, now: dt.datetime) -> None:
    """A day without certainty: the admins are told once. Looking goes on."""
    kind = "job.unresolved"
    if Event.objects.filter(subject_type="job", subject_id=str(job.pk), kind=kind).exists():
        return
    sentence = (
        "For a day it could not be found out whether this launch reached Dispersed. Look for it in the console of "
        f"Dispersed by “{job.marker}”, and stop it there if it is not wanted. If it is not there, say so on the job's "
        "page. Looking goes on."
    )
    record(job.team_id, LAUNCHER, kind, ("job", job.pk), sentence, now=now, audience=Audience.ADMINS)


def alarm_of_twin(job: Job, twin: RemoteJob, now: dt.datetime) -> None:
    """Another job carries this one's marker: said once, never stopped by itself, as somebody may have cloned it in the
    console."""
    told = Event.objects.filter(subject_type="job", subject_id=str(job.pk), kind="job.duplicate")
    if told.filter(data__remote_uuid=twin.uuid).exists():
        return
    record(
        job.team_id,
        CLOUD,
        "job.duplicate",
        ("job", job.pk),
        f"Dispersed shows another job for this launch. Look at it in its console: {twin.uuid}",
        now=now,
        data={"remote_uuid": twin.uuid},
        audience=Audience.ADMINS,
    )
