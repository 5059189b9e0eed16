"""What rows must know beside their jobs: the decision that is open in the team, and which of its jobs cannot be seen."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from django.templatetags.static import static
from django.urls import reverse

from dispersed_web.autostop.models import Hold
from dispersed_web.autostop.policy import State
from dispersed_web.credentials.health import SIGHT_LOST_AFTER
from dispersed_web.jobs.figures import Stale
from dispersed_web.teams.models import Team
from dispersed_web.web.job.lease_words import Around
from dispersed_web.web.jobs import cells

# What is held is idle and due, or silent.
HELD_STATES = (State.WARNED.value, State.DUE.value)


def open_hold(team_id: uuid.UUID) -> Hold | None:
    """The stops for idleness that wait for a person."""
    return Hold.objects.filter(team=team_id, decided_at=None).first()


def around(hold: Hold | None, stale: Iterable[Stale], now: dt.datetime) -> Around:
    """The surroundings of the team's rows at ``now``."""
    unseen = frozenset(
        one.credential_id for one in stale if one.listed_at is None or now - one.listed_at > SIGHT_LOST_AFTER
    )
    held = frozenset(hold.job_ids) if hold else frozenset()
    return Around(held=held, unseen=unseen)


def places_of(team: Team, hold: Hold | None) -> cells.Places:
    """Where the rows of the team's jobs lead to."""
    slug = team.slug
    return cells.Places(
        jobs=reverse("web:jobs", args=[slug]),
        launch=reverse("web:launch", args=[slug]),
        icons=static("icons.svg"),
        hold=reverse("web:hold", args=[slug, hold.pk]) if hold else "",
    )
