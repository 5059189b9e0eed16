"""Bringing in past jobs of a credential: one row is one request, and how far it came."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class HistoryImport(models.Model):
    """One pass through the ended jobs of a credential, then through their runs, page by page."""

    class State(models.TextChoices):
        JOBS = "jobs", "reading past jobs"
        RUNS = "runs", "reading what they cost"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    OPEN = (State.JOBS, State.RUNS)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    credential = models.ForeignKey(
        "credentials.Credential", on_delete=models.CASCADE, related_name="history_imports"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField(default=timezone.now)
    since = models.DateTimeField(help_text="Older jobs are left out.")
    state = models.CharField(max_length=6, choices=State.choices, default=State.JOBS)
    next_page = models.PositiveIntegerField(default=1)
    seen = models.PositiveIntegerField(default=0, help_text="Ended jobs that the cloud showed.")
    brought_in = models.PositiveIntegerField(default=0)
    priced = models.PositiveIntegerField(default=0, help_text="Of these, those whose runs were found.")
    is_cut = models.BooleanField(default=False, help_text="There were more than are brought in at once.")
    next_try_at = models.DateTimeField(default=timezone.now)
    failures = models.PositiveSmallIntegerField(default=0, help_text="In a row.")
    failure = models.TextField(blank=True)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["credential"], condition=Q(state__in=["jobs", "runs"]), name="history_import_one_open"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["credential", "-asked_at"], name="history_import_latest")]

    def __str__(self) -> str:
        return f"Past jobs of {self.credential}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN
