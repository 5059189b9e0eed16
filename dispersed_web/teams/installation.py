"""Which installation may act with this database: the one whose ``DW_INSTALLATION_ID`` stands in it as the holder.

A copy of the database under another id only looks. Without that it would launch and stop other people's jobs, because it
has their keys.
"""

from __future__ import annotations

from django.conf import settings

from dispersed_web.teams.models import Installation

ONLY_LOOKS = (
    "This is a copy of another installation’s database, so it only looks: it launches and stops nothing and sends no "
    "notices. Use the original, or stop the job in Dispersed’s console."
)


class OnlyLooks(Exception):
    """This installation may not act with this database. ``sentence`` says so for people; nothing was done."""

    def __init__(self) -> None:
        super().__init__(ONLY_LOOKS)
        self.sentence = ONLY_LOOKS


def may_act() -> bool:
    """Whether this installation holds the database. One query; a database that nobody holds yet is claimed."""
    held_by = Installation.get().holder or claim()
    return held_by == settings.INSTALLATION_ID


def claim() -> str:
    """Makes this installation the holder where there is none; who holds the database then. Of two that claim at once one
    wins."""
    Installation.get()
    Installation.objects.filter(pk=1, holder="").update(holder=settings.INSTALLATION_ID)
    return Installation.objects.values_list("holder", flat=True).get(pk=1)


def adopt(held_by: str) -> bool:
    """Makes this installation the holder in place of ``held_by``; False when another one holds it by now."""
    rows = Installation.objects.filter(pk=1, holder=held_by)
    return bool(rows.update(holder=settings.INSTALLATION_ID))
