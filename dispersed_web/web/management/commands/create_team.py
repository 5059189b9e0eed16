"""Makes a team for a person who has an account."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dispersed_web.clock import database_now
from dispersed_web.recipes import starters
from dispersed_web.teams import keeping
from dispersed_web.web.management import people


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="as people read it, such as “Vision Lab”")
        parser.add_argument("--owner", required=True, metavar="EMAIL")

    def handle(self, *, name: str, owner: str, **options: Any) -> None:
        user = people.find_user(owner)
        try:
            team = keeping.create_team(name, user, actor=keeping.OPERATOR, now=database_now())
        except keeping.TeamRefused as refused:
            raise CommandError(refused.sentence) from None
        starters.install(team, database_now(), keeping.OPERATOR)
        self.stdout.write(f"Made the team {team.name} ({team.slug}); {user.email} owns it.")
