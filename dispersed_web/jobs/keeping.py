"""What people keep with a job: its title here, notes, tags and stars. The cloud knows nothing of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
import uuid
from collections.abc import Collection, Iterable, Sequence

from django.db import transaction

from dispersed_web import plain_sql
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor, record
from dispersed_web.jobs import marker
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job, JobStar, JobTag

LONGEST_TITLE = 120
LONGEST_NOTES = 20_000
LONGEST_TAG = 40
MOST_TAGS = 20
MOST_SUGGESTIONS = 100
_CONTROLS = frozenset({"Cc", "Cs", "Cf", "Zl", "Zp"})
_TURNS_TEXT = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BETWEEN_TAGS = re.compile(r"[,;\n]")


# Title ---------------------------------------------------------------------------------------------------------------


def clean_title(text: str) -> str:
    """The title in the form in which it is stored, by the rules of a launch. Raises :class:`JobError`."""
    title = text.strip()
    if not title:
        raise JobError("invalid", "A job needs a title.", field="title")
    if len(title) > LONGEST_TITLE:
        raise JobError("invalid", f"A title has at most {LONGEST_TITLE} characters.", field="title")
    odd = any(unicodedata.category(char) in _CONTROLS - {"Cf"} for char in title)
    if odd or _TURNS_TEXT.search(title):
        raise JobError("invalid", "The title must be one line without control characters.", field="title")
    if marker.find([title]):
        sentence = "A title may not contain a marker such as dw-x7k2-…: jobs are found again by it."
        raise JobError("invalid", sentence, field="title")
    return title


def rename(job: Job, title: str, *, actor: Actor, now: dt.datetime) -> bool:
    """Gives the job another title here; False when it is the same. A job that was sent keeps its title at the cloud.

    Raises :class:`JobError` for a title that cannot be.
    """
    title = clean_title(title)
    with transaction.atomic():
        before = Job.objects.select_for_update(no_key=True).values_list("title", flat=True).get(pk=job.pk)
        if before == title:
            return False
        Job.objects.filter(pk=job.pk).update(title=title)
        record(
            job.team_id,
            actor,
            "job.renamed",
            ("job", job.pk),
            f"{actor.label} renamed the job from “{before}” to “{title}”.",
            now=now,
            data={"before": before, "after": title},
        )
    job.title = title
    return True


def launch_title(job: Job) -> str:
    """The title that it was launched with."""
    renamed = Event.objects.filter(subject_type="job", subject_id=str(job.pk), kind="job.renamed")
    first = renamed.order_by("id").values_list("data", flat=True).first()
    return str(first["before"]) if first else job.title


# Notes ---------------------------------------------------------------------------------------------------------------


def notes_version(text: str) -> str:
    """Names a text of notes, so that whoever changes it can say which one they saw."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def clean_notes(text: str) -> str:
    """The notes in the form in which they are stored. Raises :class:`JobError`."""
    plain = text.encode(errors="ignore").decode().replace("\0", "")
    notes = plain.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    if len(notes) > LONGEST_NOTES:
        sentence = f"Notes have at most {LONGEST_NOTES:,} characters; these have {len(notes):,}."
        raise JobError("invalid", sentence, field="notes")
    return notes


def set_notes(job: Job, text: str, *, seen: str | None, actor: Actor, now: dt.datetime) -> bool:
    """Stores the notes (markdown); False when they are the same. ``seen`` is the :func:`notes_version` of what the
    writer saw, ``None`` from one who looked at nothing.

    Raises :class:`JobError`, with the code ``outdated`` when somebody else changed them meanwhile.
    """
    notes = clean_notes(text)
    before = Job.objects.values_list("notes", flat=True).get(pk=job.pk)
    if notes == before:
        return False
    if seen is not None and seen != notes_version(before):
        raise _notes_moved()
    with transaction.atomic():
        if not Job.objects.filter(pk=job.pk, notes=before).update(notes=notes):
            raise _notes_moved()
        sentence = f"{actor.label} {'changed' if notes else 'removed'} the notes."
        record(job.team_id, actor, "job.notes_changed", ("job", job.pk), sentence, now=now)
    job.notes = notes
    return True


def _notes_moved() -> JobError:
    return JobError(
        "outdated",
        "Somebody changed these notes while you wrote, so yours were not saved. Look at theirs, then save again.",
        field="notes",
    )


# Tags ----------------------------------------------------------------------------------------------------------------


def clean_tag(text: str) -> str:
    """One tag in the form in which it is stored: lower case, one line. Raises :class:`JobError`."""
    name = " ".join(text.lower().split())
    if (
        not name
        or any(unicodedata.category(char) in _CONTROLS for char in name)
        or _BETWEEN_TAGS.search(name)
    ):
        raise JobError("invalid", "A tag is one or more words without commas.", field="tags")
    if len(name) > LONGEST_TAG:
        raise JobError("invalid", f"A tag has at most {LONGEST_TAG} characters.", field="tags")
    return name


def read_tags(text: str) -> tuple[str, ...]:
    """The tags in what somebody typed, apart by commas. Raises :class:`JobError`."""
    return clean_tags(word for word in _BETWEEN_TAGS.split(text) if word.strip())


def clean_tags(names: Iterable[str]) -> tuple[str, ...]:
    """The tags without repeats, in the order given. Raises :class:`JobError` for too many."""
    tags = tuple(dict.fromkeys(clean_tag(name) for name in names))
    if len(tags) > MOST_TAGS:
        raise JobError("invalid", f"A job has at most {MOST_TAGS} tags.", field="tags")
    return tags


def tags_of(job: Job) -> list[str]:
    """The names of its tags, in the order of the alphabet."""
    return list(JobTag.objects.filter(job=job).order_by("name").values_list("name", flat=True))


def change_tags(
    job: Job, *, add: Sequence[str] = (), remove: Sequence[str] = (), actor: Actor, now: dt.datetime
) -> bool:
    """Adds and removes tags; False when nothing changes. Raises :class:`JobError`, and then changes nothing."""
    wanted, unwanted = clean_tags(add), {name.lower() for name in remove}
    with transaction.atomic():
        before = _held_tags(job)
        return _replace_tags(job, before, (before - unwanted) | set(wanted), actor, now)


def set_tags(job: Job, names: Iterable[str], *, actor: Actor, now: dt.datetime) -> bool:
    """Gives the job exactly these tags; False when it has them. Raises :class:`JobError`."""
    wanted = set(clean_tags(names))
    with transaction.atomic():
        return _replace_tags(job, _held_tags(job), wanted, actor, now)


def _held_tags(job: Job) -> set[str]:
    """The tags, with the job's row held, so that two who add at the same moment do not go beyond the most."""
    Job.objects.select_for_update(no_key=True).only("pk").get(pk=job.pk)
    return set(tags_of(job))


def _replace_tags(job: Job, before: set[str], after: set[str], actor: Actor, now: dt.datetime) -> bool:
    added, removed = sorted(after - before), sorted(before - after)
    if not added and not removed:
        return False
    if len(after) > MOST_TAGS:
        raise JobError("invalid", f"A job has at most {MOST_TAGS} tags.", field="tags")
    JobTag.objects.filter(job=job, name__in=removed).delete()
    JobTag.objects.bulk_create(JobTag(job=job, team_id=job.team_id, name=name) for name in added)
    parts = [
        f"{word} {', '.join(names)}" for word, names in (("added", added), ("removed", removed)) if names
    ]
    record(
        job.team_id,
        actor,
        "job.tagged",
        ("job", job.pk),
        f"{actor.label} changed the tags: {'; '.join(parts)}.",
        now=now,
        data={"added": added, "removed": removed},
    )
    return True


def suggestions(team_id: uuid.UUID) -> list[str]:
    """The team's tags, the most used first."""
    sql = (
        "SELECT name FROM jobs_jobtag WHERE team_id = %s GROUP BY name ORDER BY COUNT(*) DESC, name LIMIT %s"
    )
    return [name for (name,) in plain_sql.select(sql, (team_id, MOST_SUGGESTIONS))]


# Stars ---------------------------------------------------------------------------------------------------------------


def star(job: Job, user_id: int) -> None:
    """Makes it the person's favourite. Nobody else sees that, so there is no event of it."""
    JobStar.objects.get_or_create(job=job, user_id=user_id)


def unstar(job: Job, user_id: int) -> None:
    """Takes the person's star off; nothing happens where there is none."""
    JobStar.objects.filter(job=job, user=user_id).delete()


def is_starred(job: Job, user_id: int) -> bool:
    """Whether this person has starred the job."""
    return JobStar.objects.filter(job=job, user=user_id).exists()


def starred(user_id: int, job_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """The person's favourites among these jobs."""
    ids = list(job_ids)
    if not ids:
        return set()
    sql = f"SELECT job_id FROM jobs_jobstar WHERE user_id = %s AND job_id IN ({plain_sql.places(ids)})"  # noqa: S608
    return {plain_sql.as_uuid(job_id) for (job_id,) in plain_sql.select(sql, [user_id, *ids])}
