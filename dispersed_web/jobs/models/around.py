"""What stands around the jobs: jobs of others on the same keys, prices, and when each pass last finished."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class UnmanagedJob(models.Model):
    """A live job on a team's key that was not launched here. Shown and counted, never stopped by itself."""

    class Source(models.TextChoices):
        """What its marker says of who launched it."""

        ELSEWHERE = "elsewhere", "launched elsewhere"
        OTHER_INSTALLATION = "installation", "launched by another installation"
        OTHER_TEAM = "team", "launched by another team"
        DUPLICATE = "duplicate", "carries the mark of a job that is here already"
        UNCLEAR = "unclear", "launched here, by a team that cannot be told"

    credential = models.ForeignKey(
        "credentials.Credential", on_delete=models.CASCADE, related_name="unmanaged_jobs"
    )
    remote_uuid = models.CharField(max_length=128)
    title = models.CharField(max_length=200)
    task = models.CharField(max_length=16)
    status = models.CharField(max_length=32)
    gpu_label = models.CharField(max_length=80, blank=True)
    hourly_rate_usd = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    created_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source.choices, default=Source.ELSEWHERE)
    echo = models.JSONField(default=dict, help_text="What the cloud shows of its specification; no secrets.")
    missing_since = models.DateTimeField(
        null=True, help_text="Since then the cloud does not show it, and no end was seen."
    )
    ignored_at = models.DateTimeField(null=True)
    ignored_rate_usd = models.DecimalField(
        max_digits=10, decimal_places=4, null=True, help_text="Its price when it was ignored."
    )
    ignored_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    watched_by = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="+", help_text="Who hears of its end and of what it costs."
    )
    told_at = models.DateTimeField(null=True, help_text="When its watchers last heard of it.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["credential", "remote_uuid"], name="unmanaged_job_once")
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_hidden(self) -> bool:
        """It is, or may be, another team's: neither its title nor its address is told, and nobody here acts on it."""
        return self.source in (self.Source.OTHER_TEAM, self.Source.UNCLEAR)


class Sweep(models.Model):
    """When each recurring pass last finished. The pages and the health check say so when one is late."""

    name = models.CharField(primary_key=True, max_length=20)
    finished_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Market(models.Model):
    """What a credential could rent, and at what price, when it was last asked."""

    credential = models.OneToOneField("credentials.Credential", on_delete=models.CASCADE, primary_key=True)
    gpus = models.JSONField(default=list)
    offers = models.JSONField(default=list)
    fetched_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True)
    due_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Market of {self.credential}"


class CloudCatalog(models.Model):
    """The cloud's own recipes as a credential saw them when it was last asked."""

    credential = models.OneToOneField("credentials.Credential", on_delete=models.CASCADE, primary_key=True)
    recipes = models.JSONField(default=list)
    fetched_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True)
    due_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Recipes seen by {self.credential}"
