"""Events: one table that is a job's timeline, the team's audit log and the outbox of notices."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class ActorKind(models.TextChoices):
    PERSON = "person"
    TOKEN = "token"  # noqa: S105 - a word, not a password
    ENGINE = "engine"
    CLOUD = "cloud"


class Audience(models.TextChoices):
    """Who is told beyond the page: nobody, the job's owner, or the owner and the team's admins."""

    NOBODY = ""
    JOB_OWNER = "job_owner"
    ADMINS = "admins"


class Event(models.Model):
    """One thing that happened, with who did it, a sentence for people and the numbers behind it."""

    team = models.ForeignKey("teams.Team", on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=40, help_text="noun.verb, such as job.launched")
    subject_type = models.CharField(max_length=20)
    subject_id = models.CharField(max_length=36)
    actor_kind = models.CharField(max_length=8, choices=ActorKind.choices)
    actor_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_label = models.CharField(max_length=120)
    sentence = models.TextField()
    data = models.JSONField(default=dict)
    audience = models.CharField(max_length=12, choices=Audience.choices, blank=True)
    fanned_out_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id", "-id"], name="event_of_subject"),
            models.Index(fields=["team", "-id"], name="event_of_team"),
            models.Index(
                fields=["id"],
                name="event_to_fan_out",
                condition=models.Q(fanned_out_at=None) & ~models.Q(audience=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind}: {self.sentence}"
