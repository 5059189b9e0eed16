"""Whose a live job of the cloud is, as far as its marker and our rows tell. Pure.

A marker says which installation launched it, never which team: that only a row tells. Where two teams have keys of one
account, each key lists the other team's jobs too.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from dispersed_web.jobs import marker
from dispersed_web.jobs.models import UnmanagedJob

Source = UnmanagedJob.Source


class Ours(StrEnum):
    """It is this team's, and needs no place among the unmanaged ones."""

    CLAIMED = "claimed"  # a row here has it
    LATE = "late"  # its launch is here and still lacks its uuid
    RECORDLESS = "recordless"  # launched here, but no row knows of it: a backup was restored


@dataclass(frozen=True)
class Marked:
    """The row that carries a marker."""

    team_id: uuid.UUID
    remote_uuid: str | None


@dataclass(frozen=True)
class Sighting:
    """One job of a listing: its ``mark``, the row that ``marked`` it, the team whose row claims it, and whether keys of
    several teams show the account."""

    team_id: uuid.UUID
    installation: str
    mark: str | None
    marked: Marked | None
    claimed_by: uuid.UUID | None
    is_shared: bool


def source_of(seen: Sighting) -> Source | Ours:
    """Whose it is. A row that claims it outweighs its marker, and another team's row keeps it out of this team's hands."""
    if seen.claimed_by is not None:
        return Ours.CLAIMED if seen.claimed_by == seen.team_id else Source.OTHER_TEAM
    if seen.mark is None:
        return Source.ELSEWHERE
    if not marker.is_of(seen.mark, seen.installation):
        return Source.OTHER_INSTALLATION
    if seen.marked is None:
        return Source.UNCLEAR if seen.is_shared else Ours.RECORDLESS
    if seen.marked.team_id != seen.team_id:
        return Source.OTHER_TEAM
    return Ours.LATE if seen.marked.remote_uuid is None else Source.DUPLICATE
