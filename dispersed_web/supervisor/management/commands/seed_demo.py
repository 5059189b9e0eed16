"""``manage.py seed_demo FILE``: a team, two people and a credential of the sandbox, for looking around."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.text import slugify
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts import addresses
from dispersed_web.accounts.models import User
from dispersed_web.clock import database_now
from dispersed_web.credentials import keeping as credentials
from dispersed_web.credentials.models import Credential
from dispersed_web.events.record import Actor
from dispersed_web.recipes import starters
from dispersed_web.teams import keeping
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Role

TEAM_NAME = "Demo lab"
CREDENTIAL_NAME = "Sandbox"


class Command(BaseCommand):
    help = (
        "Makes what of the demo is missing: the team “Demo lab”, its owner and member, a sandbox credential."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, help="JSON: people (e-mail → password), public_key, secret_key"
        )

    @sensitive_variables()
    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DISPERSED_SIMULATED:
            raise CommandError("The demo works with the sandbox; DW_DISPERSED_URL names the real Dispersed.")
        demo = json.loads(options["file"].read_text())
        team = Team.objects.filter(slug=slugify(TEAM_NAME)).first() or make_team(demo["people"])
        starters.install(team, database_now(), keeping.OPERATOR)
        make_credential(team, demo["public_key"], demo["secret_key"])


@sensitive_variables()
@transaction.atomic
def make_team(people: dict[str, str]) -> Team:
    """The team with its people; the first of them owns it. Whoever has an account already keeps their password."""
    now = database_now()
    owner, *others = (
        User.objects.filter(email=email).first() or make_person(email, password)
        for email, password in people.items()
    )
    team = keeping.create_team(TEAM_NAME, owner, actor=keeping.OPERATOR, now=now)
    for user in others:
        keeping.add_member(team, user, Role.MEMBER, actor=keeping.OPERATOR, now=now)
    return team


@sensitive_variables()
def make_person(email: str, password: str) -> User:
    """An account of the demo, whose address counts as confirmed."""
    user = User.objects.create_user(email, password, name=email.partition("@")[0].title())
    addresses.vouch(user)
    return user


@sensitive_variables()
def make_credential(team: Team, public_key: str, secret_key: str) -> None:
    """The credential, made when missing, at the address where the sandbox is this time."""
    known = Credential.objects.filter(team=team, public_key=public_key)
    if known.exists():
        known.exclude(api_url=settings.DISPERSED_URL).update(api_url=settings.DISPERSED_URL)
        return
    owner = User.objects.filter(memberships__team=team, memberships__role=Role.OWNER).earliest(
        "memberships__joined_at"
    )
    try:
        credentials.add(
            team,
            CREDENTIAL_NAME,
            public_key,
            secret_key,
            user=owner,
            actor=Actor.person(owner),
            clock=database_now,
        )
    except credentials.CredentialRefused as error:
        raise CommandError(f"The sandbox's key was not taken: {error.sentence}") from None
