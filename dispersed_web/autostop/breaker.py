"""The brake on the brake: when too many jobs of a team would stop for idleness at once, something else is wrong, so all
of them are held and a person is asked. Hard limits pass. The rules are pure; the rows are below them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, QuerySet

from dispersed_web.autostop.activity import Confidence
from dispersed_web.autostop.models import Hold
from dispersed_web.events.models import Audience
from dispersed_web.events.record import ENGINE, Actor, record
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status

WINDOW = dt.timedelta(minutes=10)
FEW = 3
SHARE = 0.2
# At most one stop for idleness a team in this time; after a hold that nobody decided, one in the longer time.
PACE = dt.timedelta(seconds=10)
SLOW_PACE = dt.timedelta(minutes=5)
PROVEN_AFTER = dt.timedelta(minutes=30)
DECISION_HOLDS = dt.timedelta(hours=1)
SILENT_FOR = dt.timedelta(minutes=5)
# Where more of the watched jobs cannot be heard, or have a key that fails, what is heard of the others proves nothing.
DEAF_SHARE = 0.1
EVERYWHERE = (
    "Unusually many jobs of this whole installation would be stopped for idleness at once, so those of this team are held "
    "too: decide whether they may be stopped."
)


def trips(due: int, watched: int) -> bool:
    """Whether so many of a team's watched jobs, due or stopped within ten minutes, are too many at once."""
    return due >= FEW and due > SHARE * watched


def pace(last_stop_at: dt.datetime | None, now: dt.datetime, *, slowly: bool) -> bool:
    """Whether one more stop for idleness may go out."""
    return last_stop_at is None or now - last_stop_at >= (SLOW_PACE if slowly else PACE)


def many_everywhere(due: Mapping[uuid.UUID, Sequence[Job]], now: dt.datetime) -> bool:
    """Whether too many jobs of all teams together are due, by team, or were stopped just now. Teams with few jobs each
    would else lose them all by a fault of ours. What is held in a team for a reason of its own says nothing of others."""
    own = Hold.objects.filter(team__in=due, decided_at=None).exclude(sentence=EVERYWHERE)
    held = set(own.values_list("team", flat=True))
    free = 0
    for team_id, jobs in due.items():
        undecided, stopped = _undecided(team_id, jobs, now)
        if undecided and team_id not in held and not _too_many(team_id, undecided, stopped):
            free += len(undecided)
    if not free:
        return False
    lately = Hold.objects.filter(decided_at__gt=now - DECISION_HOLDS, decision=Hold.Decision.STOP)
    decided = {job_id for ids in lately.values_list("job_ids", flat=True) for job_id in ids}
    every = Job.objects.filter(stop_reason=Reason.IDLE, stop_requested_at__gt=now - WINDOW)
    went = every.exclude(pk__in=decided).count()
    return trips(free + went, _monitored(Job.objects.all()).count() + went)


def admit(
    team_id: uuid.UUID, due: Sequence[Job], now: dt.datetime, *, many_elsewhere: bool = False
) -> set[uuid.UUID]:
    """Which of the jobs that are due for idleness may be stopped now; the others are held, or wait for their turn.
    ``many_elsewhere``: too many are due in all teams together."""
    if not due:
        return set()
    idle_stops = Job.objects.filter(team=team_id, stop_reason=Reason.IDLE)
    last_stop_at = (
        idle_stops.order_by("-stop_requested_at").values_list("stop_requested_at", flat=True).first()
    )
    hold = Hold.objects.filter(team=team_id, decided_at=None).first()
    if hold is not None:
        _add(hold, due)
        slowly = hold.proven_since is not None and now - hold.proven_since >= PROVEN_AFTER
        return {due[0].pk} if slowly and pace(last_stop_at, now, slowly=True) else set()
    free, stopped = _undecided(team_id, due, now)
    why = _too_many(team_id, free, stopped) or (EVERYWHERE if free and many_elsewhere else "")
    if why:
        _open(team_id, Hold.Kind.MANY_DUE, [job.pk for job in free], why, now)
        due = [job for job in due if job not in free]
    return {due[0].pk} if due and pace(last_stop_at, now, slowly=False) else set()


def _undecided(team_id: uuid.UUID, due: Sequence[Job], now: dt.datetime) -> tuple[list[Job], QuerySet[Job]]:
    """Of the team's jobs that are due and of those that were stopped just now, those that no person let go."""
    decided = _decided(team_id, now, DECISION_HOLDS, decision=Hold.Decision.STOP)
    went = _of(team_id).filter(stop_reason=Reason.IDLE, stop_requested_at__gt=now - WINDOW)
    return [job for job in due if str(job.pk) not in decided], went.exclude(pk__in=decided)


def _too_many(team_id: uuid.UUID, free: Sequence[Job], stopped: QuerySet[Job]) -> str:
    """Why these are too many at once, of the team's jobs or of those of one of its credentials; empty where they are
    not."""
    due = Counter(job.credential_id for job in free)
    went, watched = _by_key(stopped), _by_key(_monitored(_of(team_id)))
    if due and trips(due.total() + went.total(), watched.total() + went.total()):
        return _many(due.total(), went.total(), f"{watched.total() + went.total()} watched jobs")
    for key, count in due.items():
        if trips(count + went[key], watched[key] + went[key]):
            return _many(count, went[key], f"{watched[key] + went[key]} watched jobs of one credential")
    return ""


def watch_proofs(now: dt.datetime) -> None:
    """Notes since when what a team's jobs say can be believed, for the holds of many that nobody decides. To be called in
    every pass: one in which they could not be heard begins the time anew."""
    for hold in Hold.objects.filter(decided_at=None, kind=Hold.Kind.MANY_DUE):
        heard = _can_be_heard(hold.team_id)
        if heard != (hold.proven_since is not None):
            Hold.objects.filter(pk=hold.pk).update(proven_since=now if heard else None)


def _can_be_heard(team_id: uuid.UUID) -> bool:
    watched = _monitored(_of(team_id))
    deaf = watched.filter(Q(blind_since__isnull=False) | Q(credential__failures__gt=0)).count()
    return deaf <= DEAF_SHARE * watched.count()


def watch_for_silence(team_ids: Iterable[uuid.UUID], now: dt.datetime) -> None:
    """Holds a team's jobs when many heartbeats fell silent together: then the way here is broken, not each machine."""
    for team_id in team_ids:
        silent = _watched(_of(team_id)).filter(
            blind_since__gt=now - SILENT_FOR - WINDOW, blind_since__isnull=False, credential__failures=0
        )
        decided = _decided(team_id, now, SILENT_FOR + WINDOW, kind=Hold.Kind.ALL_SILENT)
        ids = [pk for pk in silent.values_list("pk", flat=True)[:1000] if str(pk) not in decided]
        watched = _monitored(_of(team_id)).count()
        if trips(len(ids), watched):
            _open(team_id, Hold.Kind.ALL_SILENT, ids, _silent(len(ids), watched), now)


def decide(hold: Hold, decision: str, actor: Actor, now: dt.datetime) -> bool:
    """A person's decision: ``stop`` lets the held jobs be stopped as they come due, ``keep`` counts them as used now.
    False when somebody decided before."""
    with transaction.atomic():
        jobs = Job.objects.filter(pk__in=hold.job_ids, team=hold.team_id, stop_requested_at=None)
        if decision == Hold.Decision.KEEP:
            jobs.update(confirmed_at=now, limits_version=F("limits_version") + 1)
        jobs.update(evaluate_at=now)
        rows = Hold.objects.filter(pk=hold.pk, decided_at=None)
        if not rows.update(decided_at=now, decided_by=actor.user_id, decision=decision):
            transaction.set_rollback(True)
            return False
        word = "may be stopped" if decision == Hold.Decision.STOP else "count as used now"
        sentence = f"{actor.label} decided: the {len(hold.job_ids)} held jobs {word}."
        record(hold.team_id, actor, "team.hold_decided", ("team", hold.team_id), sentence, now=now)
    return True


def close_passed(now: dt.datetime) -> None:
    """Closes holds whose jobs have all ended, or are not idle or silent any more."""
    for hold in Hold.objects.filter(decided_at=None, opened_at__lt=now - WINDOW):
        waiting = Q(verdict_state__in=["warned", "due"]) | Q(blind_since__isnull=False)
        if not _watched(_of(hold.team_id)).filter(waiting, pk__in=hold.job_ids).exists():
            Hold.objects.filter(pk=hold.pk, decided_at=None).update(
                decided_at=now, decision=Hold.Decision.PASSED
            )


def silence_is_excused(team_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """The teams whose silent heartbeats are held: they count as blind for as long as nobody decided."""
    rows = Hold.objects.filter(team__in=list(team_ids), decided_at=None, kind=Hold.Kind.ALL_SILENT)
    return set(rows.values_list("team", flat=True))


def _of(team_id: uuid.UUID) -> QuerySet[Job]:
    return Job.objects.filter(team=team_id)


def _watched(jobs: QuerySet[Job]) -> QuerySet[Job]:
    return jobs.filter(task="PERSISTENT", status=Status.RUNNING, stop_requested_at=None)


def _monitored(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Those that can be stopped for idleness at all: the others say nothing of whether their signals are right."""
    return _watched(jobs).filter(confidence__in=[Confidence.HIGH, Confidence.MEDIUM])


def _by_key(jobs: QuerySet[Job]) -> Counter[uuid.UUID]:
    """How many there are of each credential."""
    return Counter(dict(jobs.order_by().values_list("credential").annotate(Count("pk"))))


def _decided(team_id: uuid.UUID, now: dt.datetime, lately: dt.timedelta, **what: str) -> set[str]:
    """Jobs of which a person decided so lately: they are not asked for again at once."""
    by_people = [Hold.Decision.STOP, Hold.Decision.KEEP]
    rows = Hold.objects.filter(team=team_id, decided_at__gt=now - lately, decision__in=by_people, **what)
    return {job_id for ids in rows.values_list("job_ids", flat=True) for job_id in ids}


def _add(hold: Hold, due: Sequence[Job]) -> None:
    known = set(hold.job_ids)
    new = [str(job.pk) for job in due if str(job.pk) not in known]
    if new:
        Hold.objects.filter(pk=hold.pk).update(job_ids=[*hold.job_ids, *new])


def _open(
    team_id: uuid.UUID, kind: str, job_ids: Sequence[uuid.UUID], sentence: str, now: dt.datetime
) -> None:
    try:
        with transaction.atomic():
            Hold.objects.create(
                team_id=team_id,
                kind=kind,
                opened_at=now,
                proven_since=now if kind == Hold.Kind.MANY_DUE and _can_be_heard(team_id) else None,
                sentence=sentence,
                job_ids=[str(one) for one in job_ids],
            )
            record(
                team_id, ENGINE, "team.hold", ("team", team_id), sentence, now=now, audience=Audience.ADMINS
            )
    except IntegrityError:
        return  # another engine, or an earlier pass, holds them already


def _many(due: int, went: int, of_what: str) -> str:
    """``went``: how many of them were stopped within the last minutes, and cannot be held any more."""
    if went:
        return (
            f"{due + went} of {of_what} became idle at once. That is unusual. {went} of them {_is(went)} stopped before it "
            "was seen; the others are held: decide whether they may be stopped."
        )
    return (
        f"{due} of {of_what} would be stopped for idleness at once. That is unusual, so all of them are "
        "held: decide whether they may be stopped."
    )


def _is(count: int) -> str:
    return "was" if count == 1 else "were"


def _silent(silent: int, watched: int) -> str:
    return (
        f"The heartbeats of {silent} of {watched} watched jobs fell silent at the same time. Nothing is inferred from "
        "that: look whether this server can be reached from the machines, then decide."
    )
