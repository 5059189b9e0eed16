"""What the job page shows of what people keep with it."""

from __future__ import annotations

from functools import partial
from typing import Any

from dispersed_web.jobs import handover, keeping
from dispersed_web.jobs.models import Job
from dispersed_web.teams.roles import Action
from dispersed_web.web import markdown
from dispersed_web.web.access import Seat


def around_title(seat: Seat, job: Job) -> dict[str, Any]:
    """What stands beside the title on every tab. A template that does not show the star asks nothing for it."""
    user_id = seat.actor.user_id
    return {
        "may_name": seat.may(Action.LAUNCH),
        "may_give": handover.may_hand_over(job, seat.role, user_id),
        "is_starred": partial(keeping.is_starred, job, user_id),
    }


def notes(job: Job) -> dict[str, Any]:
    """The job's notes as safe HTML."""
    return {"notes_html": markdown.render(job.notes) if job.notes else ""}


def tags(job: Job) -> dict[str, Any]:
    """The tags, and the team's as suggestions, which only a page with their form asks for."""
    return {
        "tags": keeping.tags_of(job),
        "tag_suggestions": partial(keeping.suggestions, job.team_id),
        "longest_tag": keeping.LONGEST_TAG,
    }
