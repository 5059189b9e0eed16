"""Makes an API token for a member of a team and prints it, this once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.views.decorators.debug import sensitive_variables

from dispersed_web.clock import database_now
from dispersed_web.teams import api_tokens, keeping
from dispersed_web.web.management import people


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="EMAIL")
        parser.add_argument(
            "--team", required=True, help="the team as it stands in addresses, such as vision-lab"
        )
        parser.add_argument("--scope", choices=api_tokens.SCOPES, default="read")
        parser.add_argument("--name", default="command line")
        parser.add_argument("--days", type=int, default=90, help="how long it is valid, 365 at most")

    @sensitive_variables()
    def handle(self, *, user: str, team: str, scope: str, name: str, days: int, **options: Any) -> None:
        try:
            _, text = api_tokens.create(
                people.find_team(team),
                people.find_user(user),
                name=name,
                scope=scope,
                lifetime=dt.timedelta(days=days),
                actor=keeping.OPERATOR,
                now=database_now(),
            )
        except keeping.TeamRefused as refused:
            raise CommandError(refused.sentence) from None
        self.stdout.write(text)
