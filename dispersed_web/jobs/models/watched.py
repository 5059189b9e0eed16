"""What auto-stop keeps in a job's row: its limits, what was chosen for it, what people said of it, the last verdict."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Watched(models.Model):
    """The columns of :class:`dispersed_web.jobs.models.Job` that ``autostop/`` reads and writes."""

    # Limits, copied at launch
    lifetime_s = models.PositiveIntegerField(null=True)
    ceiling_s = models.PositiveIntegerField(null=True)
    warn_lead_s = models.PositiveIntegerField(default=900)
    extend_until = models.DateTimeField(null=True)
    limits_version = models.PositiveIntegerField(
        default=1, help_text="Moves with every extension; a stop names the one it saw."
    )
    stop_at = models.DateTimeField(
        null=True, help_text="As last computed, for sorting; decisions compute it afresh."
    )
    warned_for = models.DateTimeField(null=True, help_text="The stop time that people were warned of.")
    warned_at = models.DateTimeField(null=True)
    evaluate_at = models.DateTimeField(default=timezone.now)
    reminded_for = models.DateTimeField(null=True, help_text="The stop time that people were reminded of.")
    warning_delivered_at = models.DateTimeField(
        null=True, help_text="When the last warning reached somebody on some way."
    )
    warning_failed_at = models.DateTimeField(
        null=True, help_text="When every way of the last warning had failed."
    )

    # Auto-stop: what the launcher chose inside the team's bounds; empty follows the team's policy
    idle_limit_s = models.PositiveIntegerField(null=True)
    checkin_every_s = models.PositiveIntegerField(null=True)
    uses_logs = models.BooleanField(default=False, help_text="Whether silent logs mean that it is idle.")
    log_noise = models.JSONField(
        default=list, help_text="Log lines that contain one of these are no activity."
    )
    budget_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    rate_cap_usd = models.DecimalField("highest price per hour", max_digits=10, decimal_places=4, null=True)
    choices_changed_at = models.DateTimeField(
        null=True, help_text="Last change of the above on the running job; gives a full warning anew."
    )

    # What people said of it
    confirmed_at = models.DateTimeField(
        null=True, help_text="Last time somebody said that it is in use: extended, protected, answered."
    )
    connected_at = models.DateTimeField(null=True, help_text="Last time somebody opened its connection.")
    kept_until = models.DateTimeField(
        null=True,
        help_text="Its container asked to be kept so long: no person said so, and no hard limit moves.",
    )
    protected_until = models.DateTimeField(null=True)
    protected_reason = models.CharField(max_length=200, blank=True)
    rate_exceeded_at = models.DateTimeField(null=True)
    rate_accepted_at = models.DateTimeField(null=True)

    # The last verdict, for lists; decisions are made afresh
    verdict_state = models.CharField(max_length=10, blank=True)
    verdict_rule = models.CharField(max_length=20, blank=True)
    confidence = models.CharField(max_length=6, blank=True)
    quiet_since = models.DateTimeField(null=True)
    blind_since = models.DateTimeField(null=True)
    blind_told_at = models.DateTimeField(null=True)
    idle_limit_now_s = models.PositiveIntegerField(null=True, help_text="The idle limit that holds now.")
    silence_told_at = models.DateTimeField(null=True, help_text="When a BATCH job's silence was told.")
    stop_evidence = models.JSONField(default=dict, help_text="What the stop was decided on.")
    heartbeat_digest = models.CharField(
        max_length=64, null=True, unique=True, help_text="SHA-256 of the token in its heartbeat address."
    )
    # The run that the verdict is bound to
    current_run = models.ForeignKey("JobRun", null=True, on_delete=models.SET_NULL, related_name="+")
    run_started_at = models.DateTimeField(null=True, help_text="When that run got its node.")
    run_running_at = models.DateTimeField(null=True, help_text="When that run was first seen RUNNING.")
    reachable_at = models.DateTimeField(
        null=True, help_text="Since when one of its live runs has an address; people were told then."
    )

    class Meta:
        abstract = True
