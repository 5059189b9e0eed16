"""``manage.py setup_code``: the code with which the first account of an installation is made in the browser."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.urls import reverse
from django.utils import timezone

from dispersed_web import commands
from dispersed_web.teams import first_run


class Command(BaseCommand):
    help = "Prints the code that the first account of this installation needs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at-start",
            action="store_true",
            help="say nothing where there is an account, or no database yet",
        )

    def handle(self, *args: Any, at_start: bool, **options: Any) -> None:
        try:
            empty = first_run.is_empty()
        except DatabaseError:
            if at_start:
                return
            raise CommandError(f"The database is not up to date. Run: {commands.named('migrate')}") from None
        if empty:
            first_run.note_code_printed(timezone.now())
            address = f"{settings.PUBLIC_URL}{reverse('web:setup')}"
            self.stdout.write(
                f"Nobody has an account yet. Open {address} with the code {first_run.setup_code()}"
            )
        elif not at_start:
            raise CommandError("There is an account already, so the code is worth nothing any more.")
