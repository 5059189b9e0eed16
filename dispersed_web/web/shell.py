"""The frame around every page: navigation, trust in the margin, banners that nobody can overlook."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from dispersed_web.accounts import second_factor
from dispersed_web.credentials.models import Credential
from dispersed_web.notifications import inbox
from dispersed_web.teams import belonging, installation
from dispersed_web.teams.belonging import Belonging
from dispersed_web.teams.models import Team
from dispersed_web.web import banners, live, own_stops
from dispersed_web.web.banners import Banner, Standing, digest

# These pages say themselves, and of each credential, how old is what they show.
SAY_THEIR_AGE = frozenset({"jobs", "job", "job-logs", "job-activity", "job-events", "job-spec"})
OF_KEYS = ("name", "state", "failure", "listed_at", "clock_offset_ms", "secret_sealed")
# Every page has the frame; a banner may come so much later.
KEPT_S = 3
BANNERS_KEPT_S = 5


@dataclass
class Shell:
    team: Team | None = None
    teams: list[dict[str, str]] = field(default_factory=list)
    role: str = ""
    active: str = ""
    active_jobs: int = 0
    warned: int = 0
    own_stops: Banner | None = None
    unread: int = 0
    synced_at: dt.datetime | None = None
    checked_at: dt.datetime | None = None
    simulated: bool = settings.DISPERSED_SIMULATED
    banners: list[Banner] = field(default_factory=list)
    banners_shown: str = ""
    says_age: bool = False

    @property
    def alarms(self) -> dict[str, list[Banner]]:
        shown, more = banners.folded(self.banners)
        return {"shown": shown, "more": more}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor. A fragment has no frame, so it costs nothing there."""
    user = getattr(request, "user", None)
    if getattr(request, "htmx", False):
        return {"shell": Shell()}
    if user is None or not user.is_authenticated:
        return {"shell": Shell(banners=_of_copy())}
    page = (request.resolver_match.url_name or "") if request.resolver_match else ""
    memberships = belonging.everywhere(user.pk)
    frame = Shell(
        teams=[{"name": one.team.name, "slug": one.team.slug, "role": one.role} for one in memberships],
        active=_section(page),
    )
    seat = getattr(request, "seat", None)
    team = seat.team if seat else _last_team(request, _open_to(request, memberships))
    if team is None:
        return {"shell": replace(frame, banners=_of_copy())}
    if request.session.get("team") != team.slug:
        request.session["team"] = team.slug
    frame.team = team
    frame.unread = _unread(request)
    frame.role = next((one.role for one in memberships if one.team.pk == team.pk), "")
    whole = with_banners(replace(frame, **_kept(team)), says_age=page in SAY_THEIR_AGE)
    whole.own_stops = _own_stops(request, whole, page)
    return {"shell": whole}


def _of_copy() -> list[Banner]:
    """What pages without a team show, too. Where the database does not answer the page itself says so."""
    try:
        return [] if installation.may_act() else banners.of_copy()
    except DatabaseError:
        return []


def with_banners(frame: Shell, *, says_age: bool) -> Shell:
    """The frame of a page that shows its banners. One that ``says_age`` of what it shows needs none for that."""
    shown = [banner for banner in frame.banners if not (says_age and banner.of_age)]
    return replace(frame, banners=shown, banners_shown=digest(shown), says_age=says_age)


def bare(team: Team, *, says_age: bool) -> Shell:
    """What a part of a page needs of the frame: the banners."""
    return with_banners(Shell(team=team, banners=_kept(team)["banners"]), says_age=says_age)


def recent_banners(team: Team, *, says_age: bool) -> str:
    """Names the banners of some seconds ago, so that a part that is made anew with every change does not look for them
    each time."""
    key = f"banners:{team.pk}:{says_age}"
    return cache.get_or_set(key, lambda: bare(team, says_age=says_age).banners_shown, BANNERS_KEPT_S)


def news(team: Team) -> dict[str, Any]:
    """What the frame shows of the team, so that it stays true while only a part of the page is fetched."""
    known = _kept(team)
    moments = {name: known[name] for name in ("synced_at", "checked_at")}
    told = {name: at.isoformat() for name, at in moments.items() if at}
    return told | {"active_jobs": known["active_jobs"]}


def standing() -> Standing:
    """How the installation stands, as of some seconds ago."""
    return cache.get_or_set("standing", banners.standing, KEPT_S)


def note_read(request: HttpRequest) -> None:
    """The person read notices: their browser's next page counts anew instead of remembering."""
    request.session["read"] = request.session.get("read", 0) + 1


def _unread(request: HttpRequest) -> int:
    """Of all the person's teams, so no team's version says when it changes."""
    key = f"unread:{request.user.pk}:{request.session.get('read', 0)}"
    return cache.get_or_set(key, lambda: inbox.unread(request.user), KEPT_S)


def _own_stops(request: HttpRequest, frame: Shell, page: str) -> Banner | None:
    """Asked for only where something of the team is announced to stop at all."""
    if not frame.warned or frame.team is None or page in own_stops.TOLD_ON:
        return None
    here = request.resolver_match.kwargs.get("job_id") if request.resolver_match else None
    return own_stops.banner(request.user.pk, frame.team, timezone.now(), but=here)


def _section(url_name: str) -> str:
    """The item of the navigation that a page belongs to: ``job-logs`` is under Jobs, ``credential-add`` under Team."""
    if url_name == "team-home":
        return "home"
    first = url_name.partition("-")[0]
    return {
        "job": "jobs",
        "recipe": "recipes",
        "credential": "team",
        "credentials": "team",
        "secret": "team",
        "secrets": "team",
        "inventory": "jobs",
        "account": "me",
        "mfa": "me",
        "usersessions": "me",
    }.get(first.partition("_")[0], first)


def _open_to(request: HttpRequest, memberships: list[Belonging]) -> list[Belonging]:
    """Without those of teams that want a second factor which the person does not have."""
    if not any(one.team.require_mfa for one in memberships) or second_factor.has_one(request.user.pk):
        return memberships
    return [one for one in memberships if not one.team.require_mfa]


def _last_team(request: HttpRequest, memberships: list[Belonging]) -> Team | None:
    slug = request.session.get("team")
    teams = [one.team for one in memberships]
    first = next((one.team for one in memberships if one.is_default), teams[0] if teams else None)
    return next((team for team in teams if team.slug == slug), first)


def _kept(team: Team) -> dict[str, Any]:
    return live.kept(team, ("frame",), lambda: _known(team, timezone.now()), keep_s=KEPT_S)


def _known(team: Team, now: dt.datetime) -> dict[str, Any]:
    """What the frame shows of the team, the same for everybody in it."""
    counts = banners.count(team, now)
    keys = list(Credential.objects.filter(team=team).only(*OF_KEYS).order_by("name"))
    stands = standing()
    return {
        "active_jobs": counts.active,
        "warned": counts.warned,
        "synced_at": min((key.listed_at for key in keys if key.listed_at), default=None),
        "checked_at": stands.finished.get("autostop"),
        "banners": banners.of_team(team, counts, keys, stands, now),
    }
