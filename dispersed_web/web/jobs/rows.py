"""What a row of the jobs table says of a job: one row, one story. Pure: a job and a moment in, plain words out.

The status is in the reader's words with its detail; colour always comes with a shape and a word. Only what needs a
person is tinted.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.jobs import states, stop
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import REASON_WORDS, Reason, Status
from dispersed_web.web import words
from dispersed_web.web.job import lease_words
from dispersed_web.web.job.lease_words import ALONE, Around, is_warned, stops_of
from dispersed_web.web.job.lease_words import cost_since_asked as cost_since_asked
from dispersed_web.web.jobs.row_acts import Act, acts_of
from dispersed_web.web.words import DASH, NBSP, NOTHING, Phrase, ago, said, since

ASSIGN_MS = 300_000
START_MS = 300_000
SURPRISE = Decimal("1.05")
LOOK_EVERY = dt.timedelta(minutes=1)
# As long as an address is awaited after the container runs; see ``connection.py``.
STARTING = dt.timedelta(minutes=3)
NOT_LAUNCHED = frozenset({Reason.REFUSED, Reason.NEVER_ARRIVED, Reason.EXPIRED})


@dataclass(frozen=True, slots=True)
class Story:
    """The status in words. ``kind`` picks shape and colour: running, waiting, stopping, alarm, unknown, completed,
    stopped or failed. ``hint`` says more than has room in a row."""

    kind: str
    label: str
    detail: Phrase = NOTHING
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost that goes on from ``base_usd`` with ``hourly_rate_usd`` since ``since``; all of it an estimate."""

    text: str
    base_usd: Decimal
    since: dt.datetime | None
    hourly_rate_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``tone`` is ``warned``, ``alarmed`` or empty."""

    id: str
    tone: str
    title: str
    owner: str
    story: Story
    gpu: str
    runtime: Phrase
    cost: Cost
    rate: str
    rate_note: str
    stops: Phrase
    why: Phrase
    acts: tuple[Act, ...]
    tags: tuple[str, ...] = ()


def row(job: Job, now: dt.datetime, zone: dt.tzinfo, around: Around = ALONE) -> Row:
    """What the table says of ``job`` at ``now`` to a reader in ``zone``."""
    stops, why = stops_of(job, now, zone, around)
    return Row(
        id=str(job.pk),
        tone=tone_of(job, now, around),
        title=job.title,
        owner=str(job.owner) if job.owner else "left the team",
        story=story_of(job, now, zone, around),
        gpu=job.gpu_label or DASH,
        runtime=runtime_of(job, now),
        cost=cost_of(job, now),
        rate=rate_of(job),
        rate_note=rate_note_of(job),
        stops=stops,
        why=why,
        acts=acts_of(job, now, around),
        tags=tuple(tag.name for tag in getattr(job, "shown_tags", ())),
    )


def story_of(job: Job, now: dt.datetime, zone: dt.tzinfo, around: Around = ALONE) -> Story:
    """The status and its detail, as people say them."""
    if not job.is_active:
        return _ended(job, now, zone)
    if job.stop_requested_at is not None:
        return _stopping(job, now, zone)
    if job.missing_since is not None:
        kind = "alarm" if job.missing_alarmed_at else "waiting"
        return Story(kind, "Lost sight of", since(job.missing_since, now, "not shown for "))
    if job.state == Status.UNCONFIRMED:
        return Story("unknown", "No clear answer", said(looking(job, now, zone)))
    if is_starting(job, now):
        begun = job.run_running_at or job.running_at or now
        return Story("waiting", "Starting", since(begun, now, "no address yet, "))
    if is_without_address(job, now) and not _has_more_to_tell(job, now):
        return Story("waiting", "Running", said("no address, not reachable"))
    if job.state == Status.RUNNING:
        hint = lease_words.use_hint(job, now, zone)
        return Story("running", "Running", lease_words.use_of(job, now, zone, around), hint)
    return _going(job, now)


def _going(job: Job, now: dt.datetime) -> Story:
    match job.state:
        case Status.QUEUED:
            return Story("waiting", "Queued", said(job.reason_text or "about to be sent"))
        case Status.LAUNCHING:
            return Story("waiting", "Launching", said("being sent to Dispersed"))
        case Status.PENDING:
            limit = words.round_duration(timeout_s(job, "assign"))
            return Story("waiting", "Waiting for a node", since(_begin(job), now, after=f" of {limit}"))
        case Status.ASSIGNED:
            return Story("waiting", "Node assigned", since(job.assigned_at or _begin(job), now, after=" ago"))
        case Status.PREPARING:
            limit = words.round_duration(timeout_s(job, "start"))
            begun = job.run_started_at or job.assigned_at or _begin(job)
            return Story("waiting", "Pulling image", since(begun, now, after=f" of {limit}"))
        case Status.FAILING:
            return Story("alarm", "Failing", said("the cloud is ending it"))
    return Story("stopping", "Being stopped", said("by the cloud or its console"))


def _has_more_to_tell(job: Job, now: dt.datetime) -> bool:
    """What ends it soon, or keeps it, matters more than that nobody can connect."""
    return job.verdict_state == "quiet" or is_warned(job) or lease_words.is_protected(job, now)


def is_starting(job: Job, now: dt.datetime) -> bool:
    """The container of a machine to connect to runs, and an address is awaited."""
    begun = _begun_without_address(job)
    return begun is not None and now - begun < STARTING


def is_without_address(job: Job, now: dt.datetime) -> bool:
    """A machine to connect to runs for so long without an address that it will hardly get one."""
    begun = _begun_without_address(job)
    return begun is not None and now - begun >= STARTING


def _begun_without_address(job: Job) -> dt.datetime | None:
    if job.state != Status.RUNNING or job.task == "BATCH" or job.reachable_at is not None:
        return None
    return job.run_running_at or job.running_at


def _stopping(job: Job, now: dt.datetime, zone: dt.tzinfo) -> Story:
    asked = job.stop_requested_at or now
    if job.state in states.IN_DOUBT:
        return Story("unknown", "Stops when found", said(looking(job, now, zone)))
    if stop.is_stuck(job, now):
        return Story("alarm", "Stop not confirmed", ago(asked, now, "asked "))
    if job.stop_sent_at is None:
        return Story("stopping", "Stopping", ago(asked, now, "asked "))
    return Story("stopping", "Stop sent", ago(asked, now, "asked "))


def _ended(job: Job, now: dt.datetime, zone: dt.tzinfo) -> Story:
    if job.is_stopping:
        return Story("stopping", "Ended, making sure", said("a second look follows"))
    at = words.clock_time(job.ended_at, now, zone) if job.ended_at else ""
    why = REASON_WORDS[Reason(job.reason)] if job.reason else ""
    detail = said(", ".join(filter(None, (why, at))))
    if job.state == Status.COMPLETED:
        return Story("completed", "Completed", detail)
    if job.reason in NOT_LAUNCHED:
        return Story("failed", "Not launched", detail)
    if job.state == Status.FAILED:
        return Story("failed", "Failed", said(short_reason(job) or at))
    return Story("stopped", "Stopped", detail)


def short_reason(job: Job) -> str:
    """Why it failed without the words that its label says already."""
    text = job.reason_text.removeprefix("The job failed: ").removeprefix("The job failed ")
    return text.rstrip(".")


def looking(job: Job, now: dt.datetime, zone: dt.tzinfo) -> str:
    """How long a launch in doubt is looked for."""
    known = known_by(job)
    if job.state == Status.LAUNCHING or known is None:
        return "looking for it"
    if now > known:
        return "still looking for it"
    return f"looking for it, known by {words.clock_time(known, now, zone)}"


def known_by(job: Job) -> dt.datetime | None:
    """When it is certain whether a launch in doubt arrived, to the full minute: the first look after the fence."""
    if job.fence_at is None:
        return None
    latest = job.fence_at + LOOK_EVERY
    return dt.datetime.fromtimestamp(math.ceil(latest.timestamp() / 60) * 60, dt.UTC)


def tone_of(job: Job, now: dt.datetime, around: Around = ALONE) -> str:
    """How loudly the row asks for somebody: ``alarmed``, ``warned`` or not at all."""
    if stop.is_stuck(job, now) or (job.is_active and job.missing_alarmed_at):
        return "alarmed"
    needs_somebody = is_warned(job) or lease_words.is_too_dear(job) or around.holds(job)
    return "warned" if needs_somebody else ""


def runtime_of(job: Job, now: dt.datetime) -> Phrase:
    """For how long it has run or ran; a dash before it runs."""
    if job.running_at is None:
        return said(DASH)
    if job.is_active:
        return since(job.running_at, now)
    return said(words.duration(job.runtime(now) or dt.timedelta(0)))


def cost_of(job: Job, now: dt.datetime) -> Cost:
    """What it has cost, and at what rate that goes on."""
    meter = job.meter
    total = meter.read(now)
    going = meter.since is not None and meter.hourly_rate_usd is not None
    text = DASH if total is None else (words.running_cost if going else words.money)(total)
    return Cost(text, meter.spent_usd, meter.since if going else None, meter.hourly_rate_usd)


def rate_of(job: Job) -> str:
    """Its price per hour; until the cloud names one, the quoted one with a mark."""
    if job.hourly_rate_usd is not None:
        return words.rate(job.hourly_rate_usd)
    return f"≈{NBSP}{words.rate(job.quoted_usd)}" if job.quoted_usd is not None and job.is_active else ""


def rate_note_of(job: Job) -> str:
    """What the price is compared with, where it is clearly higher."""
    if lease_words.is_too_dear(job) and job.rate_cap_usd is not None:
        return f", cap{NBSP}{words.money(job.rate_cap_usd)}"
    if is_rate_surprise(job) and job.quoted_usd:
        return f", quoted{NBSP}{words.money(job.quoted_usd)}"
    return ""


def is_rate_surprise(job: Job) -> bool:
    """The node costs clearly more than what was quoted at launch."""
    if job.hourly_rate_usd is None or not job.quoted_usd:
        return False
    return job.hourly_rate_usd > job.quoted_usd * SURPRISE


def timeout_s(job: Job, which: str) -> int:
    """The cloud's own limit for finding a node (``assign``) or starting the container (``start``), in seconds."""
    name, default = ("assign_ms", ASSIGN_MS) if which == "assign" else ("start_ms", START_MS)
    value = getattr(job, name) if hasattr(job, name) else job.spec_value(f"max_timeout_{name}")
    return (int(value) if str(value).isdecimal() else default) // 1000


def _begin(job: Job) -> dt.datetime:
    return job.launched_at or job.created_at
