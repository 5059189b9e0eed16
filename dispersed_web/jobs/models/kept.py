"""What people keep with jobs: tags, stars, presets of the launch form, calendar feeds."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from dispersed_web.jobs.models.job import Job


class JobTag(models.Model):
    """One word on a job, for finding it. Lower case; shared by the team."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="tags")
    team = models.ForeignKey("teams.Team", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "name"], name="job_tag_once"),
            models.CheckConstraint(condition=~Q(name=""), name="job_tag_is_not_empty"),
        ]
        indexes: ClassVar = [models.Index(fields=["team", "name"], name="job_tag_of_team")]

    def __str__(self) -> str:
        return self.name


class JobStar(models.Model):
    """A person's favourite."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="stars")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "job"], name="job_star_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.job}"


class Preset(models.Model):
    """A person's filling of the launch form, of a recipe or of the custom form. It holds no secrets."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="presets")
    team = models.ForeignKey("teams.Team", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    recipe = models.ForeignKey("recipes.Recipe", null=True, on_delete=models.CASCADE, related_name="+")
    values = models.JSONField(default=dict, help_text="Fields of the launch form as typed.")
    answers = models.JSONField(default=dict, help_text="Answers to the recipe's inputs as typed.")
    is_usual = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "team", "name"], name="preset_once_per_name"),
            models.UniqueConstraint(
                fields=["user", "team"], condition=Q(is_usual=True), name="preset_one_usual"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CalendarFeed(models.Model):
    """A private address at which a calendar program reads planned stops. Its token is stored as a digest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(
        "teams.Team", null=True, on_delete=models.CASCADE, related_name="+", help_text="Empty: all my jobs."
    )
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "team"], name="calendar_feed_once_per_team"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(team=None), name="calendar_feed_once_for_oneself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.team or 'my jobs'}"
