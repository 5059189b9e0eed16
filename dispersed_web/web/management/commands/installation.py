"""Which installation may act with this database: shows it, or makes this one the holder."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dispersed_web import commands
from dispersed_web.clock import database_now
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.teams import installation
from dispersed_web.teams.models import Installation


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["show", "adopt"])
        parser.add_argument("--sure", metavar="ID", help="what would be typed, for scripts")

    def handle(self, *, act: str, sure: str | None, **options: Any) -> None:
        own, held_by = settings.INSTALLATION_ID, Installation.get().holder
        if act == "show":
            self._show(own, held_by)
        else:
            self._adopt(own, held_by, sure)

    def _show(self, own: str, held_by: str) -> None:
        self.stdout.write(f"This installation: {own}\nThe database is held by: {held_by or 'nobody yet'}")
        if not held_by:
            self.stdout.write(
                "Nobody launches or stops anything with it. To make this installation the holder: "
                + commands.named("installation adopt")
            )
        elif held_by == own:
            self.stdout.write("It launches, stops and sends notices.")
        else:
            self.stdout.write("It only looks: it launches and stops nothing and sends no notices.")

    def _adopt(self, own: str, held_by: str, sure: str | None) -> None:
        if held_by == own:
            self.stdout.write("This installation holds the database already. Nothing was changed.")
            return
        running = Job.objects.exclude(status__in=ENDED).count()
        self.stdout.write(
            f"The database is held by {held_by or 'nobody'}. Once {own} holds it, the {running} jobs in it that have not "
            "ended are stopped at their limits from here, and people get notices from here. If the other installation "
            "still runs with a database of its own, both would act on the same jobs: stop it first."
        )
        typed = sure if sure is not None else input(f"Type {own} to go on: ")
        if typed.strip() != own:
            raise CommandError("That is not the id of this installation. Nothing was changed.")
        if not installation.adopt(held_by, database_now()):
            raise CommandError("Another installation took the database meanwhile. Nothing was changed.")
        self.stdout.write(
            f"{own} holds the database now. It acts within seconds; no process needs a restart."
        )
