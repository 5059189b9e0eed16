"""The executions of a job, and what is kept of their output."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from dispersed_web.jobs.models.job import Job


class JobRun(models.Model):
    """One execution of a job on a node. A job has several when it is retried or spread over nodes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="runs")
    remote_uuid = models.CharField(max_length=128)
    status = models.CharField(max_length=32)
    started_at = models.DateTimeField(null=True)
    running_at = models.DateTimeField(null=True, help_text="First sight of RUNNING.")
    reachable_at = models.DateTimeField(null=True, help_text="First sight of RUNNING with an address.")
    ended_at = models.DateTimeField(null=True)
    hourly_rate_usd = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    node_urls = models.JSONField(default=list)
    access_tokens_sealed = models.TextField(blank=True)
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "remote_uuid"], name="run_once_per_remote_run")
        ]
        indexes: ClassVar = [
            models.Index(fields=["ended_at"], name="run_by_end", condition=models.Q(ended_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.job}: {self.status}"


class RunLog(models.Model):
    """The end of a run's output, masked and compressed, kept so that a finished job still tells why.

    Final when it was fetched after the end of the run was seen. Until then it is the last sight of a live run, or empty,
    and ``next_at`` says when it is asked for next; ``given_up`` is the sentence that says why it is not any more.
    """

    run = models.OneToOneField(JobRun, on_delete=models.CASCADE, primary_key=True, related_name="kept_log")
    content = models.BinaryField(help_text="zlib of the masked text; empty when there is none.")
    first = models.PositiveIntegerField(default=0, help_text="How many lines stood before it.")
    is_cut = models.BooleanField(default=False)
    is_final = models.BooleanField(default=False, help_text="Fetched after the run had ended.")
    failures = models.PositiveSmallIntegerField(default=0)
    fetched_at = models.DateTimeField(null=True, help_text="When the cloud last showed it.")
    next_at = models.DateTimeField(null=True)
    given_up = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["next_at"], name="run_log_waiting", condition=models.Q(is_final=False, given_up="")
            )
        ]

    def __str__(self) -> str:
        return f"Log of {self.run_id}"
