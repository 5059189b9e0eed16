"""Lets a person see the installation's teams from outside, and stop a job in an emergency; with --remove no longer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from dispersed_web.accounts.models import User
from dispersed_web.clock import database_now
from dispersed_web.events.security import tell_person
from dispersed_web.teams.keeping import OPERATOR
from dispersed_web.web.management import people


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--remove", action="store_true", help="take the right away again")

    def handle(self, *, email: str, remove: bool, **options: Any) -> None:
        user = people.find_user(email)
        if user.is_service:
            raise CommandError("A program administers no installation.")
        with transaction.atomic():
            if not remove:
                people.make_sure_of(user)
            rows = User.objects.filter(pk=user.pk, is_site_admin=remove)
            changed = rows.update(is_site_admin=not remove)
            if changed:
                does = "no longer administers" if remove else "administers"
                kind = "account.site_admin_ended" if remove else "account.site_admin"
                sentence = f"{OPERATOR.label} decided that {user} {does} this installation."
                tell_person(user, kind, sentence, database_now(), actor=OPERATOR)
        does = "does not administer" if remove else "administers"
        self.stdout.write(f"{user.email} {does} this installation{'' if changed else ', as before'}.")
