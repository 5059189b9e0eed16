"""Teams, who belongs to them, and the tokens with which their programs act."""

from __future__ import annotations

import secrets
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F

from dispersed_web.teams.roles import Role

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
HOUR_S = 3600


def new_installation_code() -> str:
    return "".join(secrets.choice(CROCKFORD) for _ in range(4))


class Installation(models.Model):
    """This installation's one row. Its code stands in the marker of every job it launches, which keeps two
    installations apart that share one account of the cloud; its uuid is part of what every stored secret is bound to."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    uuid = models.UUIDField(default=uuid.uuid4)
    code = models.CharField(max_length=4, default=new_installation_code)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="installation_is_one")]

    def __str__(self) -> str:
        return self.code

    @classmethod
    def get(cls) -> Installation:
        return cls.objects.get_or_create(id=1)[0]


class Team(models.Model):
    """A group of people who share credentials, jobs and limits."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=60, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(
        default=1, help_text="Moves with every visible change; live pages compare it."
    )
    launch_seq = models.BigIntegerField(
        default=0, help_text="Bumped first in every claim, so that claims count in turn."
    )

    default_lifetime_s = models.PositiveIntegerField(default=24 * HOUR_S)
    max_lifetime_s = models.PositiveIntegerField(default=7 * 24 * HOUR_S)
    warn_lead_s = models.PositiveIntegerField(default=15 * 60)
    max_active_jobs = models.PositiveIntegerField(null=True, blank=True)
    max_hourly_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    launches_frozen = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(default_lifetime_s__gte=60)
                & models.Q(max_lifetime_s__gte=F("default_lifetime_s")),
                name="team_lifetimes_are_ordered",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def bump(team_id: uuid.UUID) -> None:
        """Tells live pages that something visible changed."""
        Team.objects.filter(pk=team_id).update(version=F("version") + 1)


class Membership(models.Model):
    """One person's role in one team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=[(role.value, role.value.title()) for role in Role])
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "user"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.team}"


class ApiToken(models.Model):
    """A person's token for one team. Only its SHA-256 is kept: it is random, so a slow hash would add nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="api_tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    scope = models.CharField(max_length=8, choices=[("read", "Read"), ("operate", "Read and operate")])
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(scope__in=["read", "operate"]), name="api_token_scope_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
