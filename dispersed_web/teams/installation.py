"""Which installation may act with this database: the one whose ``DW_INSTALLATION_ID`` stands in it as the holder.

A copy of the database under another id only looks. Without that it would launch and stop other people's jobs, because it
has their keys. The holder is written when the database is made (``jobs/starting.py``), and by whoever runs the server with
the command ``installation adopt``; nothing else that touches a database makes it its own.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction

from dispersed_web import commands
from dispersed_web.errors import DomainError
from dispersed_web.events.models import Audience
from dispersed_web.events.record import record
from dispersed_web.teams.keeping import OPERATOR
from dispersed_web.teams.models import Installation, Team

_MEANS = "so it only looks: it launches and stops nothing and sends no notices"
ONLY_LOOKS = (
    f"This is a copy of another installation’s database, {_MEANS}. Use the original, or end in Dispersed’s "
    "console what cannot wait."
)
UNHELD = (
    "This database holds keys or jobs, and it does not say which installation may act with it. It may be a copy, "
    f"{_MEANS}. Should nobody else use it,"
)


class OnlyLooks(DomainError):
    """This installation may not act with this database; nothing was done."""

    def __init__(self) -> None:
        super().__init__("only_looks", ONLY_LOOKS)


def may_act() -> bool:
    """Whether this installation holds the database. One query."""
    return Installation.get().holder == settings.INSTALLATION_ID


def what_to_do() -> str:
    """Where this installation may not act: why, and the command that changes it, for whoever runs this server."""
    command = commands.named("installation adopt")
    if not Installation.get().holder:
        return f"{UNHELD} whoever runs this server says so with: {command}"
    return f"{ONLY_LOOKS} Whoever runs this server can make it the original: {command}"


def claim() -> str:
    """To be called for a database that is new. Makes this installation the holder where there is none; who holds the
    database then. Of two that claim at once one wins."""
    Installation.get()
    Installation.objects.filter(pk=1, holder="").update(holder=settings.INSTALLATION_ID)
    return Installation.objects.values_list("holder", flat=True).get(pk=1)


def adopt(held_by: str, now: dt.datetime) -> bool:
    """Makes this installation the holder in place of ``held_by``; False when another one holds it by now. The admins of
    every team are told: should this be a copy, it acts on their jobs from now on."""
    with transaction.atomic():
        rows = Installation.objects.filter(pk=1, holder=held_by)
        if not rows.update(holder=settings.INSTALLATION_ID):
            return False
        own = settings.INSTALLATION_ID
        instead = f" in place of “{held_by}”" if held_by else ""
        sentence = (
            f"{OPERATOR.label} made the installation “{own}” the one that acts with this database{instead}."
        )
        data = {"before": {"holder": held_by}, "after": {"holder": own}}
        kind, about = "team.installation_adopted", ("installation", 1)
        record(None, OPERATOR, kind, about, sentence, now=now, data=data)
        for team_id in Team.objects.filter(deleted_at=None).order_by("pk").values_list("pk", flat=True):
            record(team_id, OPERATOR, kind, about, sentence, now=now, data=data, audience=Audience.ADMINS)
    return True
