"""Several jobs of one form: the same but for their titles, each a job of its own.

All or nothing: they are asked for in one transaction, so a cap or a budget that the third would pass refuses the first two
as well, and nobody has to find out how many there are. Each has the form's token with its number, so the same form sent
again gives the same jobs.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.db import transaction

from dispersed_web.jobs import launch, marker
from dispersed_web.jobs.errors import FormAlreadyUsed, LaunchRefused
from dispersed_web.jobs.keeping import LONGEST_TITLE
from dispersed_web.jobs.launch import Ask, Order
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Team

MOST = 20


def titles(title: str, count: int) -> list[str]:
    """The title alone for one job, else numbered ones, cut where they would be too long. Pure."""
    if count == 1:
        return [title]
    return [f"{title[: LONGEST_TITLE - len(tail)]}{tail}" for tail in (f" #{n}" for n in range(1, count + 1))]


def tokens(identity: str, count: int) -> list[str]:
    """What is stored with each job of a form. Pure."""
    return [identity] if count == 1 else [f"{identity}:{number}" for number in range(1, count + 1)]


def launched_by(team: Team, identity: str) -> list[Job]:
    """The jobs that a form launched, in their order."""
    found = Job.objects.filter(team=team, form_token__startswith=identity).order_by(
        "created_at", "form_token"
    )
    return [job for job in found if job.form_token == identity or job.form_token.startswith(f"{identity}:")]


def request_all(
    order: Order,
    count: int,
    ask: Ask,
    *,
    same_again: bool = False,
    supersedes: uuid.UUID | None = None,
) -> list[Job]:
    """Stores the wish to launch ``count`` jobs and returns them; the same form sent again returns the same ones.

    Raises what :func:`launch.request` raises, and :class:`FormAlreadyUsed` when the form launched another number.
    """
    if not 1 <= count <= MOST:
        raise LaunchRefused("invalid", f"Between 1 and {MOST} copies.", field="copies")
    if count > 1 and supersedes is not None:
        raise LaunchRefused("invalid", "Several cannot take the place of one job.", field="copies")
    with transaction.atomic():
        if count > 1:  # one alone may lock the job that it replaces, which comes before the team
            launch.take_turn(ask.team)
        before = launched_by(ask.team, ask.form_token)
        if before and len(before) != count:
            raise FormAlreadyUsed(before[0].pk)
        jobs = [
            launch.request(
                replace(
                    order, title=title, spec=replace(order.spec, title=title_for_the_cloud(title, order))
                ),
                replace(ask, form_token=token),
                same_again=same_again,
                supersedes=supersedes,
                copies_of=ask.form_token if count > 1 else "",
            )
            for title, token in zip(titles(order.title, count), tokens(ask.form_token, count), strict=True)
        ]
        # Only now it is surely this form's turn: the same one may have been sent for several a moment before.
        others = [job for job in launched_by(ask.team, ask.form_token) if job not in jobs]
        if others:
            raise FormAlreadyUsed(others[0].pk)
        return jobs


def title_for_the_cloud(title: str, order: Order) -> str:
    """As the order has it, unless the title was numbered."""
    return order.spec.title if title == order.title else marker.ascii_title(title)
