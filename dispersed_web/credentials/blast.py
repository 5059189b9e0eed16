"""What hangs on one credential: shown before it is disabled, replaced or deleted. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal

NAMED = 3


@dataclass(frozen=True)
class LiveJob:
    """A job in the cloud. ``usd`` is what it costs per hour, ``None`` where nobody knows; ``is_found`` says that it was
    found without a record."""

    id: uuid.UUID
    title: str
    owner: str
    usd: Decimal | None
    is_found: bool = False


@dataclass(frozen=True)
class Named:
    """A preset, recipe or token, and whose it is."""

    name: str
    whose: str = ""


@dataclass(frozen=True)
class Blast:
    """``in_doubt`` are launches whose answer is not clear, ``ending`` jobs whose end is not sure yet, ``watched`` launches
    that never arrived and are still looked for, ``unmanaged`` jobs of the account that were not launched here;
    ``others`` the credentials that can stop the same jobs, because they are of the same account."""

    running: tuple[LiveJob, ...] = ()
    queued: int = 0
    in_doubt: int = 0
    ending: int = 0
    watched: int = 0
    unmanaged: int = 0
    others: tuple[str, ...] = ()
    presets: tuple[Named, ...] = ()
    recipes: tuple[Named, ...] = ()
    chosen: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    tokens: tuple[Named, ...] = ()

    @property
    def usd(self) -> Decimal:
        """What the running jobs cost together per hour, as far as it is known."""
        return sum((job.usd for job in self.running if job.usd), Decimal(0))

    @property
    def is_alone(self) -> bool:
        """Whether nothing else here can stop its running jobs."""
        return bool(self.running) and not self.others


def why_not_delete(blast: Blast) -> str:
    """Why it must stay for now, as a sentence; empty where it may be deleted."""
    if blast.in_doubt:
        return (
            f"{_count(blast.in_doubt, 'launch', 'launches')} with it {_is(blast.in_doubt)} in doubt: only with this key can "
            "it be found out whether a job runs. Wait until that is clear."
        )
    found = sum(job.is_found for job in blast.running)
    if found:
        return (
            f"{_count(found, 'job', 'jobs')} that {_was(found)} found without a record {_runs(found)} on it. Stop "
            f"{'it' if found == 1 else 'them'} first."
        )
    if blast.is_alone:
        count = len(blast.running)
        return (
            f"It alone can stop {_count(count, 'running job', 'running jobs')} (${blast.usd:.2f}/h). Stop "
            f"{'it' if count == 1 else 'them'} first, or replace the keys instead."
        )
    if blast.ending:
        return f"The end of {_count(blast.ending, 'job', 'jobs')} is not sure yet. That takes a minute; then try again."
    return ""


def means(blast: Blast) -> str:
    """What it means for jobs that the cloud refuses the key, as a sentence."""
    running = len(blast.running)
    doubt = (
        f" Of {_count(blast.in_doubt, 'launch', 'launches')} in doubt nobody can tell what became of "
        f"{'it' if blast.in_doubt == 1 else 'them'}."
        if blast.in_doubt
        else ""
    )
    if not running:
        return f"No job runs with it.{doubt}" if not blast.in_doubt else doubt.strip()
    what = f"{_count(running, 'job', 'jobs')} ({titles(blast)}; ${blast.usd:.2f}/h)"
    if blast.others:
        return f"{what} can still be stopped with “{blast.others[0]}”.{doubt}"
    return f"{what} cannot be stopped from here until it works again.{doubt}"


def hangs_on(blast: Blast, is_over: bool) -> str:
    """What it means for jobs that a retired key expires, or did where ``is_over``, as a sentence."""
    running, doubt = len(blast.running), blast.in_doubt
    if not running and not doubt:
        return "No job runs with it any more, so there is nothing to do."
    what = f"{_count(running, 'job', 'jobs')} ({titles(blast)}; ${blast.usd:.2f}/h)"
    if not running:
        what = _count(doubt, "launch in doubt", "launches in doubt")
    elif doubt:
        what += f" and {_count(doubt, 'launch in doubt', 'launches in doubt')}"
    if blast.others:
        return f"{what} can then be stopped with “{blast.others[0]}”."
    if is_over:
        return f"{what} cannot be seen or stopped from here any more. End in Dispersed's console what cannot wait."
    return (
        f"After that {what} cannot be seen or stopped from here. Stop them before, or let the key last longer at "
        "Dispersed."
    )


def titles(blast: Blast) -> str:
    """The first few running jobs by name."""
    named = ", ".join(f"“{job.title}”" for job in blast.running[:NAMED])
    more = len(blast.running) - NAMED
    return f"{named} and {more} more" if more > 0 else named


def _count(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{number} {many}"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _runs(number: int) -> str:
    return "runs" if number == 1 else "run"
