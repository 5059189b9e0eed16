"""The tokens with which a team's programs act, and the public keys that its jobs let in."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from dispersed_web.teams.models.team import Team


class ApiToken(models.Model):
    """A program's token for one team: a person's own, or one of the team, whose ``user`` is a service account with a
    membership of its own. Only its SHA-256 is kept: it is random, so a slow hash would add nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="api_tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    scope = models.CharField(
        max_length=8, choices=[("read", "Read"), ("operate", "Read and operate"), ("admin", "Administer")]
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    last_used_ip = models.GenericIPAddressField(null=True)
    revoked_at = models.DateTimeField(null=True)
    expiry_told_days = models.PositiveSmallIntegerField(
        null=True, help_text="How many days ahead of its expiry somebody was warned last."
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(scope__in=["read", "operate", "admin"]), name="api_token_scope_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class TeamSshKey(models.Model):
    """A public key that every member may give to a job, such as that of a jump host."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="ssh_keys")
    name = models.CharField(max_length=60)
    line = models.TextField("public key", help_text="As it stands in the .pub file.")
    fingerprint = models.CharField(max_length=60)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "fingerprint"], name="team_ssh_key_once_per_team")
        ]

    def __str__(self) -> str:
        return self.name
