"""The log of a run: fetched through the client once for all who watch, made harmless and masked, and told apart from
what is not a log.

A sight is joined to the one before it where it goes on from that, so that the beginning stays when the cloud shows only
the end, and a line keeps its number.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from dataclasses import dataclass, field

from django.core.cache import cache
from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials import vault
from dispersed_web.credentials.clients import client_for
from dispersed_web.dispersed import DispersedError, NotFound
from dispersed_web.jobs import log_store, runs, specs
from dispersed_web.jobs.log_lines import Lines
from dispersed_web.jobs.log_text import presentable, presentable_in_colour
from dispersed_web.jobs.models import Job, JobRun

KEPT_S = 3
# A log that takes long to make ready is asked for less often: that takes at most a fifth of a processor.
COST_FACTOR = 5
STALE_S = 10
REMEMBERED_S = 600
QUOTED_CHARS = 300
MOST_NEAR = 1

_near: dict[str, Lines] = {}


@dataclass(frozen=True)
class Log:
    """The end of one run's output. ``trouble`` is a sentence when it cannot be had now, and then the lines are those of
    ``seen_at``, if there was such a sight; ``retry_after_s`` are the seconds that the cloud then asked to wait, and with
    ``is_gone`` it knows of no such run. ``is_cut`` says that there was more before the lines. Not ``is_given``: the cloud
    answered, and said nothing of a log. Line numbers hold as long as ``epoch``, the text as long as ``version``."""

    lines: Lines = field(default_factory=Lines)
    trouble: str = ""
    is_cut: bool = False
    is_given: bool = True
    is_gone: bool = False
    retry_after_s: float | None = None
    seen_at: dt.datetime | None = None
    epoch: str = ""
    version: str = ""

    @property
    def text(self) -> str:
        """Without colours."""
        return self.lines.text()


@sensitive_variables()
def secrets_of(job: Job) -> list[str]:
    """The secret values that the job was launched with, as far as they are known here: of a job that was launched
    elsewhere none are. Raises :class:`vault.CannotOpen`."""
    spec = specs.restore(job)
    secret = [row["name"] for row in job.spec.get("env", ()) if row["secret"]]
    hidden = [spec.env[name] for name in secret if name in spec.env]
    if spec.registry_secret:
        hidden.append(spec.registry_secret.reveal())
    hidden += [volume.secret.reveal() for volume in spec.volumes if volume.secret]
    if heartbeat := specs.heartbeat_url(job):
        hidden.append(heartbeat.rpartition("/")[2])
    return hidden


@sensitive_variables()
def quoted(job: Job, text: str) -> str:
    """What the cloud says of the job, as one line of at most 300 characters: it may quote a secret that the job was
    launched with. Empty when these cannot be told."""
    try:
        shown = presentable(text, secrets_of(job))
    except (
        vault.CannotOpen,
        LookupError,
        ValueError,
    ):  # an end is noted whatever is wrong with the specification
        return ""
    return " ".join(shown.split())[:QUOTED_CHARS]


@sensitive_variables()
def read(job: Job, run: JobRun, now: dt.datetime, unless: str = "") -> Log:
    """The run's log, a few seconds old at most; however many watch, the cloud is asked once. Never raises for a fault of
    the cloud or the key. Without its lines when their version is ``unless``, which the caller has already."""
    known = cache.get(_key(run))
    if known is None or (known[1] < time.time() and _is_my_turn(run, known[1])):
        return fetch(job, run, now)
    log: Log = known[0]
    if unless and log.version == unless:
        return log
    lines = _lines(run, log.version)
    return fetch(job, run, now) if lines is None else dataclasses.replace(log, lines=lines)


def _is_my_turn(run: JobRun, fresh_until: float) -> bool:
    """Whether to ask for what is old. While somebody does, what was fresh a moment ago is good enough for others."""
    return time.time() - fresh_until > STALE_S or cache.add(f"{_key(run)}:turn", True, STALE_S)


@sensitive_variables()
def fetch(job: Job, run: JobRun, now: dt.datetime) -> Log:
    """As :func:`read`, but asked for now, whatever is known; one request, tried once. What was seen is kept."""
    began = time.monotonic()
    before = _before(run)
    found = _after(before, _fetch(job, run), run, now)
    is_seen = found.is_given and not found.trouble
    if is_seen and log_store.is_wanted(run, now):
        log_store.note(run, log_store.Sight(found.lines.pack(), found.lines.first, found.is_cut), now)
    _remember(run, found, before is not None and before.version == found.version, time.monotonic() - began)
    cache.delete(f"{_key(run)}:turn")
    return found


@sensitive_variables()
def _fetch(job: Job, run: JobRun) -> Log:
    try:
        known = [*secrets_of(job), *_tokens(job, run)]
        with client_for(job.credential, team_id=job.team_id, purpose="logs", patient=False) as client:
            remote = client.get_job_run(run.remote_uuid)
    except DispersedError as error:
        is_gone = isinstance(error, NotFound)
        return Log(trouble=error.sentence, retry_after_s=error.retry_after_s, is_gone=is_gone)
    except (vault.CannotOpen, ValueError) as error:
        return Log(trouble=f"The log cannot be read: {error}")
    known += [token.reveal() for token in remote.access_tokens]
    lines = Lines.of(presentable_in_colour(remote.logs or "", known))
    return Log(lines, is_given=remote.logs is not None)


@sensitive_variables()
def _tokens(job: Job, run: JobRun) -> list[str]:
    if not run.access_tokens_sealed:
        return []
    return vault.unseal(run.access_tokens_sealed, runs.token_place(job, run.remote_uuid)).split("\n")


def _after(before: Log | None, found: Log, run: JobRun, now: dt.datetime) -> Log:
    """What is known when ``found`` was seen after ``before``."""
    if found.trouble or not found.is_given:
        if before is None:
            return found
        said = {name: getattr(found, name) for name in ("trouble", "is_given", "is_gone", "retry_after_s")}
        return dataclasses.replace(before, **said)
    if before and run.ended_at and not len(found.lines):
        found = dataclasses.replace(found, lines=before.lines)  # the node is gone, and its lines with it
    joined = before.lines.joined(found.lines) if before else None
    lines = (joined or found.lines).last()
    known = {"is_cut": lines.first > 0, "epoch": lines.opening}
    if joined is not None and before is not None:
        known = {"is_cut": known["is_cut"] or before.is_cut, "epoch": before.epoch}
    return dataclasses.replace(found, lines=lines, seen_at=now, version=lines.digest, **known)


# What was seen last ----------------------------------------------------------------------------------------------------


def of_kept(run: JobRun, kept: log_store.Kept) -> Log:
    """What is kept of a run, as a log, with what was said when it was given up."""
    key = f"kept:{run.pk}:{kept.fetched_at}"
    lines = _near.get(key)
    if lines is None:
        whole = log_store.load(run)
        lines = _keep_near(key, Lines.unpack(whole.packed, whole.first) if whole else Lines())
    said = {"trouble": kept.given_up, "is_cut": kept.is_cut, "seen_at": kept.fetched_at}
    return Log(lines, epoch=lines.opening, version=lines.digest, **said)


def _before(run: JobRun) -> Log | None:
    """What was seen of the run before, here or by another process."""
    known = cache.get(_key(run))
    lines = _lines(run, known[0].version) if known and known[0].seen_at else None
    if lines is not None:
        return dataclasses.replace(known[0], lines=lines)
    kept = log_store.look(run)
    return dataclasses.replace(of_kept(run, kept), trouble="") if kept and kept.fetched_at else None


def _lines(run: JobRun, version: str) -> Lines | None:
    """The text of this version; unpacked once for several questions in a row."""
    if version in _near:
        return _near[version]
    found = cache.get(f"{_key(run)}:text")
    if found is None or found[0] != version:
        return None
    return _keep_near(version, Lines.unpack(found[2], found[1]))


def _keep_near(key: str, lines: Lines) -> Lines:
    """Keeps the last text in this process: it is large, and asked for in parts."""
    if len(_near) >= MOST_NEAR:
        _near.clear()
    _near[key] = lines
    return lines


def _remember(run: JobRun, log: Log, is_same: bool, took_s: float) -> None:
    """Its text apart: who has it already needs only the rest."""
    text_key = f"{_key(run)}:text"
    if not (is_same and cache.touch(text_key, REMEMBERED_S)):
        cache.set(text_key, (log.version, log.lines.first, log.lines.pack()), REMEMBERED_S)
    _keep_near(log.version, log.lines)
    fresh_until = time.time() + max(KEPT_S, COST_FACTOR * took_s)
    cache.set(_key(run), (dataclasses.replace(log, lines=Lines()), fresh_until), REMEMBERED_S)


def _key(run: JobRun) -> str:
    return f"log:{run.pk}"
