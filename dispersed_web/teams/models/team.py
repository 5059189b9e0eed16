"""The team."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F

from dispersed_web.durations import HOUR_S


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
    require_mfa = models.BooleanField(
        default=False, help_text="Whether members need a second factor to reach this team."
    )
    deleted_at = models.DateTimeField(
        null=True,
        help_text="Then nobody belongs to it any more and its secrets are gone; jobs and events stay.",
    )

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
