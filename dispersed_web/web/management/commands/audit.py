"""``manage.py audit verify``: whether the chains of events are whole, and whether the database keeps them so."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from dispersed_web.clock import database_now
from dispersed_web.events import append_only, chain, verify
from dispersed_web.events.models import ChainHead
from dispersed_web.teams.models import Team
from dispersed_web.web.management import people


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["verify"])
        parser.add_argument("--team", metavar="SLUG", help="only this team's")

    def handle(self, *, act: str, team: str | None, **options: Any) -> None:
        chain.seal_waiting()
        now, broken = database_now(), 0
        for name, team_id in _chains(team):
            found = verify.check(team_id, now)
            verify.keep(found, now)
            broken += bool(found.fault)
            self.stdout.write(f"{name}: {_words(found)}")
        if not append_only.is_installed(connection):
            raise CommandError(
                "The database would let events be changed: its triggers are gone. Run migrate."
            )
        if broken:
            raise CommandError(f"{broken} broken. Compare with an export or a backup from before.")


def _chains(slug: str | None) -> list[tuple[str, uuid.UUID | None]]:
    if slug is not None:
        return [(slug, people.find_team(slug).pk)]
    names = {str(team_id): name for team_id, name in Team.objects.values_list("pk", "slug")}
    scopes = ChainHead.objects.order_by("pk").values_list("pk", flat=True)
    return [(names.get(scope, scope), chain.team_of(scope)) for scope in scopes]


def _words(found: verify.Check) -> str:
    waiting = f" {found.waiting} events wait to be sealed for long." if found.waiting else ""
    if found.fault:
        return f"BROKEN. {found.fault} Whole up to number {found.number}.{waiting}"
    return f"whole, {found.number} events, ends with {found.hash or 'nothing'}.{waiting}"
