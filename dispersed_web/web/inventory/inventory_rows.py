"""What the inventory says of each job. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.jobs import missing, settling
from dispersed_web.jobs.departed import LOST
from dispersed_web.jobs.finding import UNRESOLVED_AFTER
from dispersed_web.jobs.making import title_of
from dispersed_web.jobs.models import Job, Origin, UnmanagedJob
from dispersed_web.jobs.sources import Source
from dispersed_web.web import words
from dispersed_web.web.job.job_notices import doubt
from dispersed_web.web.jobs.rows import Cost
from dispersed_web.web.words import DASH, NOTHING, Phrase, ago, said, since

STATUS_KINDS = {"RUNNING": "running", "CANCELLING": "stopping", "FAILING": "alarm", LOST: "alarm"}
# Where it comes from: a word, its colour, and what that means.
SOURCES = {
    Source.ELSEWHERE: ("Launched elsewhere", "grey", "In the console of Dispersed, or by another program."),
    Source.OTHER_INSTALLATION: (
        "Another installation",
        "violet",
        "Another Dispersed Web launched it, and may watch and stop it too.",
    ),
    Source.OTHER_TEAM: (
        "Another team here",
        "grey",
        "Another team of this installation has a key of the same account. Only that team acts on it.",
    ),
    Source.DUPLICATE: (
        "Started twice",
        "red",
        "It carries the mark of a job of the team. Somebody may have cloned it in the console.",
    ),
    Source.UNCLEAR: (
        "Team unknown",
        "red",
        "It was launched here, but no record says by which team. Look for its id in the console of Dispersed.",
    ),
}


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """``acts`` are those that the reader may do: adopt, stop, watch, unwatch, ignore, unignore."""

    id: int
    title: str
    uuid: str
    credential: str
    source: str
    source_tone: str
    source_note: str
    status_kind: str
    status: str
    gpu: str
    runtime: Phrase
    cost: Cost
    rate: str
    seen: Phrase
    note: Phrase
    twin: Job | None
    acts: tuple[str, ...]

    @property
    def short(self) -> str:
        """The end of its id, which tells jobs apart that were made one after the other."""
        return self.uuid[-6:]


def row(
    job: UnmanagedJob, now: dt.datetime, *, user_id: int, acts: bool, manages: bool, twin: Job | None = None
) -> InventoryRow:
    """One unmanaged job to the person ``user_id``, who may act at all or also ``manages`` the team's jobs."""
    begun = job.created_at or job.first_seen_at
    rate_usd = job.hourly_rate_usd
    source, tone, note = SOURCES[Source(job.source)]
    watchers = [user.pk for user in job.watched_by.all()]
    return InventoryRow(
        id=job.pk,
        title=job.title if job.is_hidden else title_of(job.title),
        uuid=job.remote_uuid,
        credential=job.credential.name,
        source=source,
        source_tone=tone,
        source_note=note,
        status_kind=STATUS_KINDS.get(job.status, "waiting"),
        status="Lost sight of" if job.status == LOST else job.status.capitalize(),
        gpu=job.gpu_label or DASH,
        runtime=since(begun, now) if begun <= now else said(DASH),
        cost=cost_of(job, now),
        rate="" if rate_usd is None else words.rate(rate_usd),
        seen=ago(job.first_seen_at, now),
        note=_note(job, now, len(watchers), user_id in watchers),
        twin=twin,
        acts=_acts(job, user_id in watchers, acts, manages),
    )


def cost_of(job: UnmanagedJob, now: dt.datetime) -> Cost:
    """As if it had cost its present price since it was made."""
    begun, rate_usd = job.created_at or job.first_seen_at, job.hourly_rate_usd
    if rate_usd is None:
        return Cost(DASH, Decimal(0), None, None)
    so_far = rate_usd * Decimal(max((now - begun).total_seconds(), 0)) / 3600
    return Cost(words.running_cost(so_far), Decimal(0), begun, rate_usd)


def _note(job: UnmanagedJob, now: dt.datetime, watchers: int, by_me: bool) -> Phrase:
    if job.ignored_at is not None:
        by = f" by {job.ignored_by}" if job.ignored_by else ""
        return ago(job.ignored_at, now, f"Ignored{by} ")
    if job.status == LOST and job.missing_since is not None:
        return ago(job.missing_since, now, "Dispersed stopped showing it ", "; its end was not seen")
    if by_me:
        others = f" and {watchers - 1} more" if watchers > 1 else ""
        return said(f"Watched by you{others}")
    return said(f"Watched by {watchers}") if watchers else NOTHING


def _acts(job: UnmanagedJob, watched: bool, may_act: bool, manages: bool) -> tuple[str, ...]:
    if job.is_hidden or not may_act:
        return ()
    owns = job.source != Source.OTHER_INSTALLATION or manages
    live = job.status != LOST
    return (
        *(("adopt", "stop") if owns and live else ()),
        "unwatch" if watched else "watch",
        "unignore" if job.ignored_at is not None else "ignore",
    )


@dataclass(frozen=True, slots=True)
class LostRow:
    """A job of the team that is not as it should be: ``what``, what is ``known``, and what to ``do``. ``tone`` and ``kind``
    are colour and shape."""

    job: Job
    tone: str
    kind: str
    what: Phrase
    known: str
    do: str
    may_settle: bool = False


def missing_row(job: Job, now: dt.datetime) -> LostRow:
    """The cloud does not show it, and its end was not seen."""
    at = job.missing_since or now
    stopping = (
        "Its stop is sent again and again." if job.stop_requested_at else "It can be stopped all the same."
    )
    alarmed = job.missing_alarmed_at is not None
    return LostRow(
        job,
        "red" if alarmed else "amber",
        "alarm" if alarmed else "unknown",
        since(at, now, "not shown by Dispersed for "),
        missing.cost_span(job, now).words or "Its price is not known.",
        f"Look for {job.remote_uuid} in the console of Dispersed. {stopping} It is looked for on and on.",
        settling.may_be_settled(job, now),
    )


def doubtful_row(job: Job, now: dt.datetime, zone: dt.tzinfo) -> LostRow:
    """Nobody knows whether its launch arrived."""
    at = job.unknown_since or job.created_at
    needs_human = now - at > UNRESOLVED_AFTER
    do = "Do not launch it again before this is known, or say that the new one replaces it."
    if needs_human:
        do = f"Look for “{job.marker}” in the console of Dispersed, and stop it there if it is not wanted."
    return LostRow(
        job,
        "red" if needs_human else "violet",
        "alarm" if needs_human else "unknown",
        since(at, now, "no clear answer for "),
        doubt(job, now, zone),
        do,
        settling.may_be_settled(job, now),
    )


def found_row(job: Job, now: dt.datetime) -> LostRow:
    """It turned up after all."""
    at = job.launched_at or job.created_at
    so_far = job.meter.read(now)
    known = "" if so_far is None else f"It has cost about {words.money(so_far)}."
    if job.origin == Origin.FOUND:
        what, do = (
            "launched here, without a record, ",
            "It is limited and stopped as any job. Say who answers for it.",
        )
    else:
        what, do = "turned up after it was given up, ", "Stop it if you launched another one in its place."
    if job.stop_requested_at:
        do = "It is being stopped."
    return LostRow(job, "blue", "running", ago(at, now, f"{what}made "), known, do)
