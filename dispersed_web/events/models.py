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
    """Who is told beyond the page: nobody, the job's owner, the owner and the team's admins, the person it is about, or
    that person and the team's owners."""

    NOBODY = ""
    JOB_OWNER = "job_owner"
    ADMINS = "admins"
    PERSON = "person"
    OWNERS = "owners"


class Event(models.Model):
    """One thing that happened, with who did it, a sentence for people and the numbers behind it."""

    team = models.ForeignKey(
        "teams.Team",
        null=True,
        on_delete=models.CASCADE,
        related_name="events",
        help_text="Empty for what concerns one person's account alone.",
    )
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
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    chain_number = models.BigIntegerField(
        null=True, help_text="Its place in its team's chain; empty until it is chained."
    )
    chain_hash = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 over it and the one before it."
    )

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id", "-id"], name="event_of_subject"),
            models.Index(fields=["team", "-id"], name="event_of_team"),
            models.Index(
                fields=["id"],
                name="event_to_fan_out",
                condition=models.Q(fanned_out_at=None) & ~models.Q(audience=""),
            ),
            models.Index(fields=["id"], name="event_to_chain", condition=models.Q(chain_number=None)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "chain_number"], name="event_once_in_its_chain")
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind}: {self.sentence}"


class ChainHead(models.Model):
    """The end of one chain of events, of a team's or of those of accounts (``accounts``), and what its last check found."""

    scope = models.CharField(primary_key=True, max_length=36, help_text="The team's uuid, or accounts.")
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)
    checked_at = models.DateTimeField(null=True)
    checked_number = models.BigIntegerField(default=0, help_text="Up to here it was whole.")
    fault = models.TextField(blank=True, help_text="The first thing that is wrong with it, as a sentence.")

    def __str__(self) -> str:
        return f"{self.scope}: {self.number}"
