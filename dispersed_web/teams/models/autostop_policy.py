"""What a team wants of auto-stop."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F
from django.utils import timezone

from dispersed_web.durations import HOUR_S
from dispersed_web.teams.models.team import Team


def a_week_from_now() -> dt.datetime:
    return timezone.now() + dt.timedelta(days=7)


class AutostopPolicy(models.Model):
    """What a team wants of auto-stop: its defaults, and the bounds inside which members may deviate for a job.

    It holds for running jobs too; a change that makes one due gives the full warning from ``changed_at`` on. Lifetimes
    stand on :class:`Team` and are copied at launch.
    """

    class Mode(models.TextChoices):
        OBSERVE = "observe"
        ENFORCE = "enforce"

    team = models.OneToOneField(
        Team, on_delete=models.CASCADE, primary_key=True, related_name="autostop_policy"
    )
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.OBSERVE)
    observe_until = models.DateTimeField(
        null=True,
        default=a_week_from_now,
        help_text="When observing turns into enforcing by itself; empty: never.",
    )

    # Idleness known by a heartbeat (high confidence), and by meaningful logs (medium)
    high_idle_s = models.PositiveIntegerField(default=60 * 60)
    high_idle_max_s = models.PositiveIntegerField(default=8 * HOUR_S)
    high_lead_s = models.PositiveIntegerField(default=15 * 60)
    medium_idle_s = models.PositiveIntegerField(default=90 * 60)
    medium_idle_max_s = models.PositiveIntegerField(default=8 * HOUR_S)
    medium_lead_s = models.PositiveIntegerField(default=20 * 60)

    boot_grace_s = models.PositiveIntegerField(
        default=20 * 60, help_text="After the start of a run: so long nothing counts as idle."
    )

    # Without a capable signal nothing is inferred: a person is asked
    checkin_first_s = models.PositiveIntegerField(default=2 * HOUR_S)
    checkin_every_s = models.PositiveIntegerField(default=4 * HOUR_S)
    checkin_every_max_s = models.PositiveIntegerField(default=12 * HOUR_S)
    checkin_answer_s = models.PositiveIntegerField(default=30 * 60)

    schedule = models.JSONField(null=True, help_text="Zone and weekly stop times; see autostop/schedule.py.")
    schedule_changed_at = models.DateTimeField(null=True)

    # Budgets in USD; empty: none
    team_day_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    team_month_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    member_day_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    member_month_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    budget_stops = models.BooleanField(
        default=True, help_text="Whether a budget that is used up stops running jobs."
    )

    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(high_idle_s__gte=60, medium_idle_s__gte=60)
                & models.Q(high_idle_max_s__gte=F("high_idle_s"))
                & models.Q(medium_idle_max_s__gte=F("medium_idle_s")),
                name="policy_idle_limits_are_ordered",
            ),
            models.CheckConstraint(
                condition=models.Q(checkin_first_s__gte=60, checkin_every_s__gte=60, checkin_answer_s__gte=60)
                & models.Q(checkin_every_max_s__gte=F("checkin_every_s")),
                name="policy_checkins_are_ordered",
            ),
            models.CheckConstraint(
                condition=models.Q(mode__in=["observe", "enforce"]), name="policy_mode_known"
            ),
            *(
                models.CheckConstraint(
                    condition=models.Q((name, None)) | models.Q((f"{name}__gt", 0)),
                    name=f"policy_{name}_positive",
                )
                for name in ("team_day_usd", "team_month_usd", "member_day_usd", "member_month_usd")
            ),
        ]

    def __str__(self) -> str:
        return f"Auto-stop policy of {self.team}"

    @classmethod
    def of(cls, team_id: uuid.UUID) -> AutostopPolicy:
        """The team's policy; the first look makes it."""
        found = cls.objects.filter(pk=team_id).first()
        return found or cls.objects.get_or_create(team_id=team_id)[0]
