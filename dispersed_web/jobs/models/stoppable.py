"""The wish to stop a job, and how far it got."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from dispersed_web.jobs.states import Reason


class Stoppable(models.Model):
    """The columns of :class:`dispersed_web.jobs.models.Job` that ``jobs/stop.py`` and ``jobs/pursuit.py`` write."""

    stop_requested_at = models.DateTimeField(null=True)
    stop_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    stop_reason = models.CharField(max_length=20, choices=[(r.value, r.value) for r in Reason], blank=True)
    stop_note = models.CharField(max_length=200, blank=True)
    stop_token = models.UUIDField(null=True)
    stop_attempts = models.PositiveIntegerField(default=0)
    stop_next_at = models.DateTimeField(
        null=True, help_text="When the stop is pursued again; empty once its end is sure."
    )
    stop_lease_until = models.DateTimeField(null=True)
    stop_sent_at = models.DateTimeField(null=True)
    stop_error = models.TextField(blank=True)
    stop_alarmed = models.PositiveSmallIntegerField(default=0, help_text="How many alarms were raised.")
    end_seen_at = models.DateTimeField(
        null=True, help_text="First sight of the end; a second one makes it sure."
    )

    class Meta:
        abstract = True

    @property
    def is_stopping(self) -> bool:
        """A stop was asked for and its end is not yet sure."""
        return self.stop_requested_at is not None and self.stop_next_at is not None
