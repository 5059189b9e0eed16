"""Gives a person an account, if they have none, and a place in a team."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts import addresses
from dispersed_web.accounts.models import User
from dispersed_web.clock import database_now
from dispersed_web.recipes import starters
from dispersed_web.teams import keeping
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Role
from dispersed_web.web.management import people


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "team", help="the team as it stands in addresses, such as vision-lab, or its name"
        )
        parser.add_argument("--role", choices=[role.value for role in Role], default=Role.MEMBER.value)
        parser.add_argument("--name", default="", help="the person's name, for a new account")
        parser.add_argument(
            "--create-team", action="store_true", help="make the team if there is none of this name"
        )
        parser.add_argument(
            "--password", action="store_true", help="print a first password instead of a link to choose one"
        )

    def handle(self, *, email: str, team: str, role: str, **options: Any) -> None:
        try:
            validate_email(email)
            with transaction.atomic():
                user, password = self._account(email, options)
                place = self._place(user, team, role, options["create_team"])
        except ValidationError:
            raise CommandError(f"{email!r} is no e-mail address.") from None
        except keeping.TeamRefused as refused:
            raise CommandError(refused.sentence) from None
        self.stdout.write(f"{user.email} is {role} of {place.name} ({place.slug}).")
        if password:
            self.stdout.write(
                f"First password: {password}\nThey should change it under Profile and security."
            )
        elif not user.has_usable_password():
            self.stdout.write(
                f"They choose a password here within an hour:\n{people.set_password_link(user)}"
            )

    @sensitive_variables()
    def _account(self, email: str, options: dict[str, Any]) -> tuple[User, str]:
        """The person, and the password of an account that was made with one."""
        user = User.objects.filter(email__iexact=email).first()
        if user:
            people.make_sure_of(user)
            return user, ""
        password = "-".join(secrets.token_hex(3) for _ in range(4)) if options["password"] else ""
        user = User.objects.create_user(email, password or None, name=options["name"])
        addresses.vouch(user)
        return user, password

    def _place(self, user: User, name: str, role: str, create: bool) -> Team:
        now = database_now()
        team = Team.objects.filter(slug=slugify(name)).first()
        if team is None and create:
            if role != Role.OWNER:
                raise CommandError("The first member of a new team is its owner: add --role owner.")
            team = keeping.create_team(name, user, actor=keeping.OPERATOR, now=now)
            starters.install(team, now, keeping.OPERATOR)
            return team
        team = team or people.find_team(name)
        keeping.add_member(team, user, role, actor=keeping.OPERATOR, now=now)
        return team
