"""The encryption of stored secrets: checks every one, seals them anew with the first key, or destroys a team's."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dispersed_web.clock import database_now
from dispersed_web.credentials import canary, rotation, vault
from dispersed_web.jobs import unstoppable
from dispersed_web.jobs.unstoppable import Unstoppable
from dispersed_web.teams.keeping import OPERATOR
from dispersed_web.teams.models import Team
from dispersed_web.web import words
from dispersed_web.web.shredding import RunningJobs, shred


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser(
            "check", help="opens every stored secret and names what cannot be opened; 1 if anything cannot"
        )
        acts.add_parser("rotate", help="seals with the first key of DW_KEYS what was sealed with another")
        destroying = acts.add_parser("shred", help="destroys every stored secret of one team, for good")
        destroying.add_argument("--team", required=True, metavar="SLUG")
        destroying.add_argument(
            "--force", action="store_true", help="even while jobs run that only these keys can stop"
        )
        destroying.add_argument("--sure", metavar="SLUG", help="what would be typed, for scripts")

    def handle(self, *, act: str, **options: Any) -> None:
        if act == "check":
            self._check()
        elif act == "rotate":
            self._rotate()
        else:
            self._shred(options["team"], options["force"], options["sure"])

    def _check(self) -> None:
        canary.ensure()
        found = rotation.check(database_now())
        self.stdout.write(
            f"Keys given: {', '.join(key_id for key_id, _ in settings.KEYRING)} (the first seals)"
        )
        for (column, key_id), rows in sorted(found.rows.items()):
            lost = found.unreadable[column, key_id]
            told = f", {lost:,} CANNOT BE OPENED" if lost else ""
            self.stdout.write(f"  {column}: {rows:,} under key {key_id or '(damaged)'}{told}")
        for trouble in found.troubles:
            self.stdout.write(trouble.sentence)
        for one in found.damaged:
            self.stdout.write(f"Damaged: {one.column}, row {one.row_id}. {one.why}")
        if found.is_well:
            self.stdout.write(f"All {sum(found.rows.values()):,} stored secrets can be opened.")
        jobs = self._name_the_unstoppable()
        if not found.is_well:
            raise CommandError("Some stored secrets cannot be opened. Nothing was changed.", returncode=1)
        if jobs:
            raise CommandError("Some running jobs cannot be stopped from here.", returncode=1)

    def _name_the_unstoppable(self) -> list[Unstoppable]:
        jobs = unstoppable.find()
        if not jobs:
            self.stdout.write("Every running job can be stopped.")
            return jobs
        self.stdout.write("CANNOT BE STOPPED FROM HERE (stop them in Dispersed’s console):")
        for job in jobs:
            rate = words.rate(job.rate_usd) if job.rate_usd else "rate not known"
            perhaps = f"; perhaps with “{job.perhaps_with}”" if job.perhaps_with else ""
            self.stdout.write(
                f"  {job.team_name}: “{job.title}”, {rate}, Dispersed’s id {job.remote_uuid or 'not known'}: "
                f"{unstoppable.WORDS[job.fault]}{perhaps}"
            )
        self.stdout.write(f"  {len(jobs)} in all, {words.rate(unstoppable.rate_usd(jobs))}")
        return jobs

    def _rotate(self) -> None:
        first = vault.first_key_id()
        done = rotation.rotate_and_record(
            database_now(),
            lambda column, count: self.stdout.write(f"  {column}: {count:,} sealed anew"),
            OPERATOR,
        )
        self.stdout.write(f"{done.sealed_anew:,} secrets sealed anew with key {first}.")
        for key_id, count in sorted(done.unreadable.items()):
            self.stdout.write(
                f"{count:,} under key {key_id or '(damaged)'} could not be opened and were left as they are."
            )
        for key_id, rows in done.left.items():
            self.stdout.write(f"{rows:,} rows left under key {key_id}")
            if not rows:
                self._say_it_may_go(key_id)
        if done.unreadable or any(done.left.values()):
            raise CommandError(
                "Not everything is sealed with the first key. Keep the others, and run it again."
            )

    def _say_it_may_go(self, key_id: str) -> None:
        if canary.forget_unused(key_id):
            return
        self.stdout.write(
            f"  {key_id} may be removed from DW_KEYS once every process runs with the new ring."
        )

    def _shred(self, slug: str, force: bool, sure: str | None) -> None:
        team = Team.objects.filter(slug=slug).first()
        if team is None:
            raise CommandError(f"There is no team “{slug}”.")
        self.stdout.write(
            f"This destroys every stored secret of {team.name}: keys of Dispersed, secrets, what its jobs were launched "
            "with, its webhook. Backups still hold them."
        )
        typed = sure if sure is not None else input(f"Type {slug} to go on: ")
        if typed.strip() != slug:
            raise CommandError("That is not the name of the team. Nothing was changed.")
        try:
            for column, count in shred(team, database_now(), force=force).items():
                self.stdout.write(f"  {column}: {count:,} destroyed")
        except RunningJobs as refused:
            raise CommandError(f"{refused} Nothing was changed.") from None
