"""What stands above every page of a team, so that nobody can overlook it. Read from rows, the same for everybody."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Sum
from django.urls import reverse

from dispersed_web import plain_sql
from dispersed_web.autostop.models import Engine, Hold
from dispersed_web.credentials import canary, vault
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.jobs import sweeps, unstoppable
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.jobs.unstoppable import Unstoppable
from dispersed_web.teams import installation
from dispersed_web.teams.models import Team
from dispersed_web.web import around, words
from dispersed_web.web.words import Phrase, said, since

STUCK_AFTER = dt.timedelta(minutes=3)
STALE_AFTER = dt.timedelta(minutes=2)
NAMED = 5
# ``keyless``: see jobs/unstoppable.py; a key that does not open is told by the keys of the installation.
_STUCK = "job.stop_requested_at < %(stuck)s AND job.status <> 'QUEUED'"
COUNTS = f"""
SELECT COUNT(*),
    COUNT(*) FILTER (WHERE job.task = 'PERSISTENT' AND job.stop_requested_at IS NULL),
    COUNT(*) FILTER (
        WHERE job.verdict_state IN ({plain_sql.constants(around.HELD_STATES)}) OR job.blind_since IS NOT NULL),
    COUNT(*) FILTER (WHERE {_STUCK}),
    COUNT(*) FILTER (WHERE job.warned_at IS NOT NULL AND job.stop_requested_at IS NULL),
    COUNT(*) FILTER (WHERE job.missing_alarmed_at IS NOT NULL),
    COUNT(*) FILTER (WHERE job.credential_id IN (
        SELECT id FROM credentials_credential
        WHERE state IN ('gone', 'broken') OR refused_at IS NOT NULL OR cancel_refused_at IS NOT NULL)),
    SUM(job.hourly_rate_usd) FILTER (WHERE {_STUCK})
FROM jobs_job job
WHERE job.team_id = %(team)s AND NOT (job.status IN ({plain_sql.constants(ENDED)}))
"""  # noqa: S608 - of our own words
# For so long people are told that idleness is watched anew.
ANEW_FOR = dt.timedelta(hours=1)
LATE_WORDS = {
    "autostop": "no limit is checked",
    "stops": "stops are not sent",
    "sync": "what you see is old",
    "launches": "launches wait",
}


@dataclass(frozen=True)
class Banner:
    """``level`` is ``alarm``, ``warning`` or ``info``; ``of_age`` is left out where the page says the same. Several that
    ``fold`` are folded."""

    level: str
    text: Phrase
    url: str = ""
    action: str = ""
    of_age: bool = False
    folds: bool = False


@dataclass(frozen=True)
class Counts:
    """Of the team's jobs that have not ended. ``watched`` may be stopped for idleness, ``holdable`` are idle or silent,
    ``stuck`` were asked to stop and did not; what those cost is in USD per hour. ``warned`` were announced to stop,
    ``keyless`` have a key that stops nothing."""

    active: int
    watched: int
    holdable: int
    stuck: int
    warned: int
    stuck_usd: Decimal | None
    missing: int
    keyless: int


def count(team: Team, now: dt.datetime) -> Counts:
    found = plain_sql.select(COUNTS, {"team": team.pk, "stuck": now - STUCK_AFTER})[0]
    active, watched, holdable, stuck, warned, missing, keyless, stuck_usd = found
    usd = None if stuck_usd is None else Decimal(str(round(stuck_usd, 4)))
    return Counts(active, watched, holdable, stuck, warned, usd, missing, keyless)


@dataclass(frozen=True)
class Standing:
    """How the installation stands, the same for every team: whether it ``acts`` with its database, which of its keys fail,
    when each pass of the background work last ended, and how auto-stop itself is doing."""

    acts: bool
    troubles: list[canary.KeyTrouble]
    finished: dict[str, dt.datetime]
    engine: Engine | None


def standing() -> Standing:
    engine = Engine.objects.filter(pk=1).first()
    return Standing(installation.may_act(), canary.troubles(), sweeps.last_finished(), engine)


def of_team(
    team: Team,
    counts: Counts,
    keys: list[Credential],
    standing: Standing,
    now: dt.datetime,
) -> list[Banner]:
    """All of them, alarms first. ``keys`` are the team's credentials."""
    acts, troubles = standing.acts, standing.troubles
    lost = {trouble.key_id for trouble in troubles}
    stuck_here = unstoppable.find(team.pk, lost) if counts.active and (counts.keyless or lost) else []
    found = [
        *(_late(standing.finished, now) if acts else of_copy()),
        *_of_lost_keys(team, troubles, [job for job in stuck_here if job.fault == unstoppable.Fault.LOST]),
        *_of_unstoppable(team, [job for job in stuck_here if job.fault != unstoppable.Fault.LOST]),
        *_of_jobs(team, counts),
        *(_held(team, now) if counts.holdable else ()),
        *_of_keys(team, _opened(keys, troubles), counts, now),
        *(_of_engine(standing.engine, now) if counts.watched and acts else ()),
    ]
    order = ("alarm", "warning", "info")
    return sorted(found, key=lambda banner: order.index(banner.level))


def folded(found: Iterable[Banner]) -> tuple[list[Banner], list[Banner]]:
    """The alarms that stand open, and those that are folded under them: each key that fails has one, while what tells that
    jobs go on and cost money is one each and always open. Pure."""
    alarms = [banner for banner in found if banner.level == "alarm"]
    shown = [banner for banner in alarms if not banner.folds]
    more = [banner for banner in alarms if banner.folds]
    if not shown:
        shown, more = more[:1], more[1:]
    return (shown, more) if len(more) > 1 else (shown + more, [])


def of_copy() -> list[Banner]:
    """For every page of a copy, whoever reads it."""
    return [Banner("alarm", said(f"{installation.what_to_do()}."))]


def _of_lost_keys(team: Team, troubles: list[canary.KeyTrouble], jobs: list[Unstoppable]) -> Iterator[Banner]:
    """Without a key nothing is lost yet, but what was sealed with it cannot be used until it is back."""
    if not troubles:
        return
    text = " ".join(trouble.sentence for trouble in troubles)
    if jobs:
        text += f" {_named(jobs)}. End in Dispersed’s console what cannot wait."
    text += (
        " Nothing was changed or deleted: everything works again when whoever runs this server puts the key back into "
        "DW_KEYS."
    )
    yield Banner("alarm", said(text), _active_jobs(team) if jobs else "", "Jobs" if jobs else "")


def _of_unstoppable(team: Team, jobs: list[Unstoppable]) -> Iterator[Banner]:
    """Jobs that run on whatever anybody presses here."""
    if jobs:
        them = "it" if len(jobs) == 1 else "them"
        text = (
            f"{_named(jobs)}, because {unstoppable.why(jobs)}. End in Dispersed’s console what cannot wait. A working "
            f"key of the same account, added under Credentials, can stop {them} again."
        )
        yield Banner("alarm", said(text), _active_jobs(team), "Jobs")


def _named(jobs: list[Unstoppable]) -> str:
    many = "1 running job" if len(jobs) == 1 else f"{len(jobs)} running jobs"
    total = f", {words.rate(unstoppable.rate_usd(jobs))} in all" if len(jobs) > 1 else ""
    named = ", ".join(f"“{job.title}” ({_facts_of(job)})" for job in jobs[:NAMED])
    more = f" and {len(jobs) - NAMED} more" if len(jobs) > NAMED else ""
    return f"{many} of this team cannot be stopped from here{total}: {named}{more}"


def _active_jobs(team: Team) -> str:
    return f"{reverse('web:jobs', args=[team.slug])}?show=active"


def _opened(keys: list[Credential], troubles: list[canary.KeyTrouble]) -> list[Credential]:
    """Without those of which the banner of the lost key speaks."""
    lost = {trouble.key_id for trouble in troubles}
    return [key for key in keys if vault.key_id_of(key.secret_sealed) not in lost]


def _facts_of(job: Unstoppable) -> str:
    rate = words.rate(job.rate_usd) if job.rate_usd else "rate not known"
    return f"{rate}, perhaps with “{job.perhaps_with}”" if job.perhaps_with else rate


def digest(banners: Iterable[Banner]) -> str:
    """Names what the banners say, apart from what ticks by itself."""
    parts = [(one.level, one.text.before, one.text.after, one.url) for one in banners]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _late(finished: dict[str, dt.datetime], now: dt.datetime) -> Iterator[Banner]:
    late = sweeps.late(finished, now)
    if not late:
        return
    means = ", ".join(LATE_WORDS[name] for name in late)
    last = min((finished[name] for name in late if name in finished), default=None)
    then = (
        f": {means}. Jobs go on and cost money: end in Dispersed’s console what cannot wait. Whoever runs this server must "
        "start it again (bin/run, or worker, beat and reconcile)."
    )
    if last is None:
        yield Banner("alarm", said(f"Background work has not run yet{then}"))
    else:
        yield Banner("alarm", since(last, now, "Background work has stood still for ", then))


def _of_jobs(team: Team, counts: Counts) -> Iterator[Banner]:
    look = f"{reverse('web:jobs', args=[team.slug])}?show=attention"
    if counts.stuck:
        many = "1 job does" if counts.stuck == 1 else f"{counts.stuck} jobs do"
        cost = f", up to {words.rate(counts.stuck_usd)}" if counts.stuck_usd else ""
        text = f"{many} not stop although it was asked for, and may still cost money{cost}."
        yield Banner("alarm", said(text), look, "Look")
    if counts.missing:
        many = "1 running job" if counts.missing == 1 else f"{counts.missing} running jobs"
        text = f"Dispersed does not show {many} any more, which may still cost money."
        yield Banner("alarm", said(text), look, "Look")


def _held(team: Team, now: dt.datetime) -> Iterator[Banner]:
    hold = around.open_hold(team.pk)
    if hold is None:
        return
    held = Job.objects.filter(team=team, pk__in=hold.job_ids, stop_requested_at=None).exclude(
        status__in=ENDED
    )
    sums = held.aggregate(count=Count("pk"), usd=Sum("hourly_rate_usd"))
    jobs = f"{sums['count']} job{'s' * (sums['count'] != 1)}"
    what = (
        f"The heartbeats of {jobs} fell silent at once; nothing has been inferred from that for "
        if hold.kind == Hold.Kind.ALL_SILENT
        else f"Many jobs became idle at once; {jobs} {'has' if sums['count'] == 1 else 'have'} been held for "
    )
    cost = f" They cost {words.rate(sums['usd'])}." if sums["usd"] else ""
    text = since(hold.opened_at, now, what, f".{cost} An admin must decide.")
    yield Banner("alarm", text, reverse("web:hold", args=[team.slug, hold.pk]), "Decide")


def _of_keys(team: Team, keys: list[Credential], counts: Counts, now: dt.datetime) -> Iterator[Banner]:
    page = reverse("web:credentials", args=[team.slug])
    for key in keys:
        if key.state == CredentialState.BROKEN:
            text = (
                f"The credential “{key.name}” does not work: {key.failure} Nothing is launched with it until it works "
                "again."
            )
            yield Banner("alarm", said(text), page, "Credentials", folds=True)
    off = max((key for key in keys if key.clock_is_off()), key=_offset_s, default=None)
    if off is not None:
        text = (
            f"The clocks of this server and of Dispersed differ by {_offset_s(off)} s. Until this server’s clock is set, "
            "nothing is launched, and no job is stopped for idleness."
        )
        yield Banner("warning", said(text))
    listed_at = min((key.listed_at for key in keys if key.listed_at), default=None)
    if listed_at and counts.active and now - listed_at > STALE_AFTER:
        failure = next((key.failure for key in keys if key.failure), "")
        text = f"What is shown of the jobs is a while old. {failure}".rstrip()
        url = reverse("web:jobs", args=[team.slug])
        yield Banner("warning", said(text), url, "Jobs", of_age=True)


def _offset_s(key: Credential) -> int:
    return abs(key.clock_offset_ms or 0) // 1000


def _of_engine(engine: Engine | None, now: dt.datetime) -> Iterator[Banner]:
    """How auto-stop itself is doing, for teams whose jobs it watches."""
    if engine is None:
        return
    ok_at, failed_at = engine.receiver_ok_at, engine.receiver_failed_at
    if ok_at is not None and failed_at is not None and ok_at < failed_at:
        error = f": {engine.receiver_error}" if engine.receiver_error else ""
        after = (
            f"{error}. Their silence counts against no job, so idle jobs may run on. Whoever runs this server must see to "
            "its public address."
        )
        yield Banner("warning", since(ok_at, now, "Heartbeats have not reached this server for ", after))
    if engine.trusted_since is not None and now - engine.trusted_since < ANEW_FOR:
        why = f", because {engine.why}" if engine.why else ""
        after = f"{why}. Stops for idleness come later than usual; all other limits hold."
        yield Banner("info", since(engine.trusted_since, now, "Idleness has been counted anew for ", after))
