"""The frame around every page: navigation, trust in the margin, banners that nobody can overlook."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.jobs import states, sweeps
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.notifications import inbox
from dispersed_web.teams.models import Membership, Team
from dispersed_web.web import live

STUCK_AFTER = dt.timedelta(minutes=3)
STALE_AFTER = dt.timedelta(minutes=2)
# These pages say themselves, and of each credential, how old is what they show.
SAY_THEIR_AGE = frozenset({"jobs", "job", "job-logs", "job-activity", "job-events", "job-spec"})
# Every page has the frame; a banner may come so much later.
KEPT_S = 3


@dataclass(frozen=True)
class Banner:
    """``level`` is ``alarm``, ``warning`` or ``info``; ``of_age`` is left out where the page says the same."""

    level: str
    text: str
    url: str = ""
    action: str = ""
    of_age: bool = False


@dataclass
class Shell:
    team: Team | None = None
    teams: list[dict[str, str]] = field(default_factory=list)
    role: str = ""
    active: str = ""
    active_jobs: int = 0
    unread: int = 0
    synced_at: dt.datetime | None = None
    checked_at: dt.datetime | None = None
    simulated: bool = settings.DISPERSED_SIMULATED
    banners: list[Banner] = field(default_factory=list)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor. A fragment has no frame, so it costs nothing there."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or getattr(request, "htmx", False):
        return {"shell": Shell()}
    page = (request.resolver_match.url_name or "") if request.resolver_match else ""
    memberships = list(Membership.objects.filter(user=user.pk).select_related("team").order_by("team__name"))
    frame = Shell(
        teams=[{"name": one.team.name, "slug": one.team.slug, "role": one.role} for one in memberships],
        active=_section(page),
    )
    seat = getattr(request, "seat", None)
    team = seat.team if seat else _last_team(request, memberships)
    if team is None:
        return {"shell": frame}
    if request.session.get("team") != team.slug:
        request.session["team"] = team.slug
    frame.team = team
    frame.unread = _unread(request, team)
    frame.role = next((one.role for one in memberships if one.team_id == team.pk), "")
    known = live.kept(team, ("frame",), lambda: _known(team, timezone.now()), keep_s=KEPT_S)
    frame = replace(frame, **known)
    if page in SAY_THEIR_AGE:
        frame.banners = [banner for banner in frame.banners if not banner.of_age]
    return {"shell": frame}


def note_read(request: HttpRequest) -> None:
    """The person read notices: their browser's next page counts anew instead of remembering."""
    request.session["read"] = request.session.get("read", 0) + 1


def _unread(request: HttpRequest, team: Team) -> int:
    what = ("unread", request.user.pk, request.session.get("read", 0))
    return live.kept(team, what, lambda: inbox.unread(request.user), keep_s=KEPT_S)


def _section(url_name: str) -> str:
    """The item of the navigation that a page belongs to: ``job-logs`` is under Jobs, ``credential-add`` under Team."""
    if url_name == "team-home":
        return "home"
    first = url_name.partition("-")[0]
    return {"job": "jobs", "credential": "team", "account": "me"}.get(first.partition("_")[0], first)


def _last_team(request: HttpRequest, memberships: list[Membership]) -> Team | None:
    slug = request.session.get("team")
    teams = [one.team for one in memberships]
    return next((team for team in teams if team.slug == slug), teams[0] if teams else None)


def _known(team: Team, now: dt.datetime) -> dict[str, Any]:
    """What the frame shows of the team, the same for everybody in it."""
    active = Job.objects.filter(team=team).exclude(status__in=ENDED)
    stuck = Q(stop_requested_at__lt=now - STUCK_AFTER) & ~Q(status__in=[states.Status.QUEUED])
    counts = active.aggregate(
        all=Count("pk"),
        stuck=Count("pk", filter=stuck),
        missing=Count("pk", filter=Q(missing_alarmed_at__isnull=False)),
    )
    listed_at = Credential.objects.filter(team=team).aggregate(oldest=Min("listed_at"))["oldest"]
    finished = sweeps.last_finished()
    return {
        "active_jobs": counts["all"],
        "synced_at": listed_at,
        "checked_at": finished.get("autostop"),
        "banners": list(_banners(team, counts, listed_at, finished, now)),
    }


def _banners(
    team: Team,
    counts: dict[str, int],
    listed_at: dt.datetime | None,
    finished: dict[str, dt.datetime],
    now: dt.datetime,
) -> list[Banner]:
    jobs = reverse("web:jobs", args=[team.slug])
    banners = []
    if counts["stuck"]:
        many = "job does" if counts["stuck"] == 1 else "jobs do"
        text = f"{counts['stuck']} {many} not stop although it was asked for, and may still cost money."
        banners.append(Banner("alarm", text, f"{jobs}?show=attention", "Look"))
    if counts["missing"]:
        many = "1 running job" if counts["missing"] == 1 else f"{counts['missing']} running jobs"
        text = f"Dispersed does not show {many} any more, which may still cost money."
        banners.append(Banner("alarm", text, f"{jobs}?show=attention", "Look"))
    if late := sweeps.late(finished, now):
        text = (
            f"Background work is late ({', '.join(late)}): what you see may be old, and stops may be delayed."
        )
        banners.append(Banner("alarm", text))
    for name, failure in Credential.objects.filter(team=team, state=CredentialState.BROKEN).values_list(
        "name", "failure"
    ):
        text = f"The credential “{name}” does not work: {failure} Jobs that run with it cannot be stopped from here."
        banners.append(Banner("alarm", text, reverse("web:team", args=[team.slug]), "Credentials"))
    if listed_at and counts["all"] and now - listed_at > STALE_AFTER:
        failing = Credential.objects.filter(team=team).exclude(failure="").values_list("failure", flat=True)
        text = f"What is shown of the jobs is a while old. {failing.first() or ''}".rstrip()
        banners.append(Banner("warning", text, jobs, "Jobs", of_age=True))
    return banners
