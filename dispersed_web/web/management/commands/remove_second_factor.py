"""``manage.py remove_second_factor EMAIL``: for somebody who lost phone, keys and recovery codes."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from dispersed_web.accounts.models import User
from dispersed_web.clock import database_now
from dispersed_web.teams.keeping import OPERATOR
from dispersed_web.web.people import mfa_events
from dispersed_web.web.people.mfa_events import Factors


class Command(BaseCommand):
    help = "Removes a person's second factors and recovery codes; the person and the owners of their teams are told."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"Nobody here has the address {email}.")
        with transaction.atomic():
            before = Factors.of(user)
            if not before.words:
                raise CommandError(f"{user} has no second factor.")
            Authenticator.objects.filter(user=user).delete()
            mfa_events.tell_change(user, before, Factors.of(user), database_now(), OPERATOR)
        self.stdout.write(
            f"{user} signs in with the password alone now. Have them set up a second factor again."
        )
