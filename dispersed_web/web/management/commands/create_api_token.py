"""Makes an API token for a member of a team, or for the team itself (--service), and prints it, this once."""

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
        parser.add_argument("user", metavar="EMAIL", nargs="?", help="the member; with --service nobody")
        parser.add_argument(
            "--team", required=True, help="the team as it stands in addresses, such as vision-lab"
        )
        parser.add_argument("--scope", choices=api_tokens.SCOPES, default="read")
        parser.add_argument("--name", default="command line")
        parser.add_argument("--days", type=int, default=90, help="how long it is valid, 365 at most")
        parser.add_argument(
            "--service", action="store_true", help="a token of the team, which outlives who made it"
        )

    @sensitive_variables()
    def handle(self, *, user: str | None, team: str, days: int, service: bool, **options: Any) -> None:
        if service == bool(user):
            raise CommandError("Name either a member or --service.")
        values: dict[str, Any] = {"name": options["name"], "scope": options["scope"]}
        values |= {
            "lifetime": dt.timedelta(days=days),
            "actor": keeping.OPERATOR,
            "now": database_now(),
        }
        place = people.find_team(team)
        try:
            if user:
                _, text = api_tokens.create(place, people.find_user(user), **values)
            else:
                _, text = api_tokens.create_service(place, **values)
        except keeping.TeamRefused as refused:
            raise CommandError(refused.sentence) from None
        self.stdout.write(text)
