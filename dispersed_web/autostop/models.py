"""What auto-stop remembers: verdicts that changed, stops it would have made, stops it holds back, and its own pulse."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class VerdictChange(models.Model):
    """A verdict that differed from the one before, with the numbers it used."""

    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="verdicts")
    run = models.ForeignKey("jobs.JobRun", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    state = models.CharField(max_length=10)
    rule = models.CharField(max_length=20, blank=True)
    confidence = models.CharField(max_length=6)
    stop_at = models.DateTimeField(null=True)
    sentence = models.TextField()
    evidence = models.JSONField(default=list)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["job", "-at"], name="verdicts_of_job")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.state}: {self.sentence}"


class ObservedStop(models.Model):
    """A stop for idleness that was only observed, and whether the job was used again afterwards."""

    team = models.ForeignKey("teams.Team", on_delete=models.CASCADE, related_name="observed_stops")
    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="observed_stops")
    run = models.ForeignKey("jobs.JobRun", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(help_text="When it would have been stopped.")
    quiet_since = models.DateTimeField()
    sentence = models.TextField()
    hourly_rate_usd = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    used_again_at = models.DateTimeField(null=True)
    used_again = models.CharField(max_length=120, blank=True, help_text="By what, in words.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "quiet_since"], name="observed_once_per_quiet_time")
        ]
        indexes: ClassVar = [models.Index(fields=["team", "-at"], name="observed_of_team")]

    def __str__(self) -> str:
        return f"{self.job} at {self.at:%Y-%m-%d %H:%M}"


class Hold(models.Model):
    """A team's stops for idleness held back because too many came at once; a person decides."""

    class Kind(models.TextChoices):
        MANY_DUE = "many_due"
        ALL_SILENT = "all_silent"

    class Decision(models.TextChoices):
        STOP = "stop"
        KEEP = "keep"
        PASSED = "passed"

    team = models.ForeignKey("teams.Team", on_delete=models.CASCADE, related_name="holds")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    opened_at = models.DateTimeField()
    sentence = models.TextField()
    job_ids = models.JSONField(default=list)
    proven_since = models.DateTimeField(
        null=True, help_text="Since then every watched job's signal is fresh again."
    )
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decision = models.CharField(max_length=6, choices=Decision.choices, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team"], condition=Q(decided_at=None), name="one_open_hold_a_team"
            )
        ]

    def __str__(self) -> str:
        return self.sentence


class Engine(models.Model):
    """The one row of the engine's own pulse."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    trusted_since = models.DateTimeField(
        null=True, help_text="Idleness is inferred only from what was observed since then."
    )
    why = models.CharField(max_length=120, blank=True, help_text="Why trust began anew.")
    away_since = models.DateTimeField(null=True, help_text="Begin of the last outage that gave notice anew.")
    resumed_at = models.DateTimeField(null=True, help_text="Its end.")
    receiver_ok_at = models.DateTimeField(null=True, help_text="Last time the heartbeat address answered.")
    receiver_failed_at = models.DateTimeField(null=True)
    receiver_error = models.CharField(max_length=120, blank=True)
    late_told_at = models.DateTimeField(null=True, help_text="When people were told that the engine is late.")

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="engine_is_one")]

    def __str__(self) -> str:
        return "The engine"

    @classmethod
    def get(cls) -> Engine:
        return cls.objects.get_or_create(id=1)[0]


class BudgetMark(models.Model):
    """A budget that passed 50, 80 or 100 % in its period: told once."""

    key = models.CharField(
        max_length=120, primary_key=True, help_text="Whose budget, of which period, and the percent."
    )
    team = models.ForeignKey("teams.Team", on_delete=models.CASCADE, related_name="budget_marks")
    percent = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
