"""Events as lines of the audit log: what they are about, who acted and from where, and what was changed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.urls import reverse

from dispersed_web.accounts import browsers
from dispersed_web.accounts.models import User
from dispersed_web.credentials.models import Credential
from dispersed_web.events import search, security
from dispersed_web.events.models import ActorKind, Event
from dispersed_web.events.search import Wanted
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import queries
from dispersed_web.teams.models import Team
from dispersed_web.web.audit.differences import Difference, differences

PAGE_SIZE = 50
ICONS = {
    "job": "jobs",
    "recipe": "recipes",
    "preset": "file",
    "unmanaged": "search",
    "credential": "key",
    "secret": "lock",
    "member": "user",
    "invitation": "mail",
    "token": "terminal",
    "sshkey": "key",
    "calendar": "clock",
    "channel": "bell",
    "budget": "money",
    "team": "team",
    "export": "download",
    "audit": "shield",
    "account": "user",
}
_TONES = {
    "credential.broken": "red",
    "credential.works": "green",
    "job.missing": "red",
    "job.warning_failed": "red",
    "job.recordless": "red",
    "unmanaged.unclear": "red",
    "unmanaged.lost": "red",
    "job.duplicate": "red",
    "job.stop_unconfirmed": "red",
    "job.warned": "amber",
    "job.unconfirmed": "violet",
    "team.frozen": "amber",
    "channel.broken": "red",
    "audit.broken": "red",
    "account.sign_in_failed": "amber",
    "account.attempts": "red",
    "account.mfa_removed": "red",
}
ACTORS = {
    ActorKind.PERSON: "in the browser",
    ActorKind.TOKEN: "by an API token",
    ActorKind.ENGINE: "by itself",
    ActorKind.CLOUD: "seen at Dispersed",
}


@dataclass(frozen=True)
class Line:
    """One event. ``by`` names who acted where the sentence does not; ``url`` and ``title`` are of what it is about, where
    the reader may see it. The rest is for those who read the whole log: ``how`` it was done, from which ``browser``, and
    what was ``changed``. ``from_`` are address and browser for the person of an account's event."""

    event: Event
    icon: str
    tone: str
    by: str
    url: str = ""
    title: str = ""
    how: str = ""
    browser: str = ""
    changed: tuple[Difference, ...] = ()
    from_: tuple[str, ...] = ()

    @property
    def has_more(self) -> bool:
        return bool(self.changed or self.event.ip_address or self.event.chain_number)


def lines(team: Team, reader: User, wanted: Wanted | None = None, size: int = PAGE_SIZE) -> list[Line]:
    """A page of the team's events, newest first."""
    events = list(search.of_team(team.pk, wanted or Wanted())[:size])
    about = _subjects(team, reader, events)
    return [line(event, *about.get((event.subject_type, event.subject_id), ("", ""))) for event in events]


def account_lines(user: User, before: int | None = None, size: int = PAGE_SIZE) -> list[Line]:
    """A page of the events of one's own account, without saying what the person themselves did."""
    found = search.of_account(user.pk, Wanted(before=before))[:size]
    return [_of_account(line(event), user) for event in found]


def _of_account(line: Line, user: User) -> Line:
    """``from_`` where the person may read it and the sentence does not say it."""
    event = line.event
    whence = (event.ip_address, line.browser) if security.may_tell_whence(event) else ()
    from_ = tuple(one for one in whence if one and one not in event.sentence)
    return replace(line, by="" if event.actor_user_id == user.pk else line.by, from_=from_)


def line(event: Event, url: str = "", title: str = "") -> Line:
    """An event as a line; ``url`` and ``title`` are of the page of what it tells of."""
    return Line(
        event,
        ICONS.get(event.kind.partition(".")[0], "info"),
        _TONES.get(event.kind, ""),
        "" if event.sentence.startswith(event.actor_label) else event.actor_label,
        url,
        title,
        ACTORS.get(ActorKind(event.actor_kind), ""),
        browsers.name_of(event.user_agent) if event.user_agent else "",
        tuple(differences(event.data)),
    )


def _subjects(team: Team, reader: User, events: Iterable[Event]) -> dict[tuple[str, str], tuple[str, str]]:
    """Address and title of what the events are about, of what the reader may see: one query for each type."""
    ids: dict[str, set[str]] = {}
    for event in events:
        ids.setdefault(event.subject_type, set()).add(event.subject_id)
    rows = {
        "job": ("job", Job.objects.filter(team=team), "title"),
        "credential": ("credential", Credential.objects.filter(team=team), "name"),
        "recipe": ("recipe", queries.visible_to(reader.pk, team).exclude(current=None), "name"),
    }
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for kind, (page, known, name) in rows.items():
        wanted = [one for one in ids.get(kind, ()) if _is_uuid(one)]
        if not wanted:
            continue
        for pk, title in known.filter(pk__in=wanted).values_list("pk", name):
            found[kind, str(pk)] = (reverse(f"web:{page}", args=[team.slug, pk]), title)
    return found


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
