"""What was observed of running jobs: samples in buckets of five minutes, and where the reading of each log stands."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

BUCKET = dt.timedelta(minutes=5)
KEPT = dt.timedelta(days=60)


class Source(models.TextChoices):
    HEARTBEAT = "heartbeat"
    LOG = "log"


def bucket_start(at: dt.datetime) -> dt.datetime:
    """The start of the bucket that ``at`` falls into."""
    width = int(BUCKET.total_seconds())
    return dt.datetime.fromtimestamp(int(at.timestamp()) // width * width, dt.UTC)


class Bucket(models.Model):
    """Five minutes of one source of one run, of each of its machines apart. ``…_at`` is the latest moment at which the value
    was above its threshold (see ``thresholds.py``); an empty value means that the source never spoke of it."""

    run = models.ForeignKey("jobs.JobRun", on_delete=models.CASCADE, related_name="buckets")
    source = models.CharField(max_length=9, choices=Source.choices)
    start = models.DateTimeField()
    node = models.CharField(
        max_length=12, blank=True, default="", help_text="Which machine; empty where it does not say."
    )
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    gap = models.DurationField(
        default=dt.timedelta(0), help_text="The longest time between two samples in it."
    )
    period_s = models.PositiveIntegerField(default=60, help_text="How often samples are meant to come.")

    # Heartbeat
    gpu_top = models.PositiveSmallIntegerField(null=True, help_text="Percent, of the busiest GPU.")
    gpu_busy = models.PositiveIntegerField(default=0, help_text="How many samples were above the threshold.")
    gpu_at = models.DateTimeField(null=True)
    cpu_top = models.FloatField(null=True, help_text="Cores.")
    cpu_at = models.DateTimeField(null=True)
    net_top = models.BigIntegerField(null=True, help_text="Bytes a minute.")
    net_at = models.DateTimeField(null=True)
    ssh_open = models.PositiveSmallIntegerField(null=True, help_text="Open sessions, as last said.")
    key_at = models.DateTimeField(null=True, help_text="The latest keystroke in any of them.")
    busy_at = models.DateTimeField(null=True, help_text="Last time the workload called itself busy.")
    phase = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=200, blank=True)

    # Log
    lines = models.PositiveIntegerField(default=0, help_text="Distinct new lines that are no noise.")
    lines_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "source", "start", "node"], name="bucket_once"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="bucket_source_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["start"], name="bucket_by_age")]

    def __str__(self) -> str:
        return f"{self.source} of {self.run_id} at {self.start:%H:%M}"


class LogWatch(models.Model):
    """Where the reading of one run's log stands. Of its lines only hashes are kept, of masked text."""

    run = models.OneToOneField(
        "jobs.JobRun", on_delete=models.CASCADE, primary_key=True, related_name="log_watch"
    )
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True, help_text="Last time the log could be read.")
    tail = models.JSONField(default=list, help_text="Hashes of the last lines.")
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["due_at"], name="log_watch_due")]

    def __str__(self) -> str:
        return f"Log of {self.run_id}"
