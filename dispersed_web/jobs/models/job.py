"""The job. One row is one launch: it exists before the cloud hears of it and after the cloud forgot it.

What auto-stop keeps in the row stands in ``watched.py``, the wish to stop it in ``stoppable.py``.
"""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from dispersed_web.costs.estimate import Meter
from dispersed_web.credentials.cloud import cloud_name
from dispersed_web.jobs import states
from dispersed_web.jobs.lookups import InStatuses
from dispersed_web.jobs.models.stoppable import Stoppable
from dispersed_web.jobs.models.watched import Watched
from dispersed_web.jobs.models.words import ENDED, IN_CLOUD, LOCAL_ONLY, Origin
from dispersed_web.jobs.states import Reason, Status


class Job(Watched, Stoppable, models.Model):
    """One launch of one container specification on one credential."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("teams.Team", on_delete=models.PROTECT, related_name="jobs")
    credential = models.ForeignKey("credentials.Credential", on_delete=models.PROTECT, related_name="jobs")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who answers for it: who launched it, until it is handed over.",
    )
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.LAUNCHED)
    created_at = models.DateTimeField(default=timezone.now)
    title = models.CharField(max_length=120)
    task = models.CharField(max_length=10, choices=[("BATCH", "BATCH"), ("PERSISTENT", "PERSISTENT")])
    status = models.CharField(
        max_length=12, choices=[(s.value, s.value) for s in Status], default=Status.QUEUED
    )
    reason = models.CharField(max_length=20, choices=[(r.value, r.value) for r in Reason], blank=True)
    reason_text = models.TextField(blank=True, help_text="Why it ended or waits, as a sentence.")

    # What is launched. The spec here is without secrets; these are sealed beside it.
    spec = models.JSONField()
    spec_secrets_sealed = models.TextField(blank=True)
    spec_fingerprint = models.CharField(max_length=64)
    form_token = models.CharField(max_length=128)
    marker = models.CharField(max_length=32, unique=True)
    gpu_label = models.CharField(max_length=80, blank=True)
    quoted_usd = models.DecimalField("quoted price per hour", max_digits=10, decimal_places=4, null=True)

    # Where the specification came from
    recipe_version = models.ForeignKey(
        "recipes.RecipeVersion", null=True, on_delete=models.PROTECT, related_name="jobs"
    )
    answers = models.JSONField(default=dict, help_text="What was answered to the recipe; no secrets.")
    cook_uuid = models.CharField(
        max_length=128, blank=True, help_text="The recipe of the cloud that it is cooked from."
    )

    asked_with = models.UUIDField(
        null=True, help_text="The API token that asked for it: its scope still bounds it when it is sent."
    )
    secret_refs = models.JSONField(
        default=dict, help_text="Which parts of the specification name a secret of the team: part to its id."
    )

    # What people keep with it
    notes = models.TextField(blank=True)

    # The claim, and what became of the one request
    send_by = models.DateTimeField(help_text="After this it is never sent.")
    next_try_at = models.DateTimeField(default=timezone.now)
    claims = models.PositiveSmallIntegerField(default=0)
    maybe_sent = models.PositiveSmallIntegerField(default=0)
    claim_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    x_time_ms = models.BigIntegerField(null=True)
    nonce = models.CharField(max_length=32, blank=True)
    unknown_since = models.DateTimeField(null=True)
    fence_at = models.DateTimeField(
        null=True, help_text="From here on a request still under way is refused as too old."
    )
    absent_lists = models.PositiveSmallIntegerField(default=0)
    watch_until = models.DateTimeField(
        null=True, help_text="Until then a job we gave up on is still looked for."
    )
    superseded_by = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="supersedes")

    # As the cloud knows it
    cloud = models.CharField(max_length=255, blank=True, help_text="Which cloud its credential is for.")
    remote_uuid = models.CharField(max_length=128, null=True)
    remote_status = models.CharField(max_length=32, blank=True, help_text="The cloud's own word.")
    launched_at = models.DateTimeField(
        null=True, help_text="When the cloud took it; billing is assumed from here."
    )
    assigned_at = models.DateTimeField(null=True)
    running_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    missing_since = models.DateTimeField(
        null=True, help_text="Since then the cloud does not show it, and no end was seen."
    )
    missing_alarmed_at = models.DateTimeField(null=True)
    hourly_rate_usd = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    spent_usd = models.DecimalField(
        max_digits=12, decimal_places=4, default=Decimal(0), help_text="Of runs that ended."
    )
    spending_since = models.DateTimeField(null=True, help_text="Start of the run that bills now.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in Status]), name="job_status_known"
            ),
            models.CheckConstraint(condition=Q(task__in=["BATCH", "PERSISTENT"]), name="job_task_known"),
            models.CheckConstraint(condition=Q(maybe_sent__in=[0, 1]), name="job_sent_at_most_once"),
            models.CheckConstraint(
                condition=~Q(status__in=[*IN_CLOUD, "COMPLETED"]) | Q(remote_uuid__isnull=False),
                name="job_in_cloud_has_remote_uuid",
            ),
            models.CheckConstraint(
                condition=Q(stop_requested_at=None, stop_reason="")
                | (Q(stop_requested_at__isnull=False) & ~Q(stop_reason="")),
                name="job_stop_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(lifetime_s=None) | Q(lifetime_s__gte=60), name="job_lifetime_is_a_minute_or_more"
            ),
            models.CheckConstraint(
                condition=Q(idle_limit_s=None) | Q(idle_limit_s__gte=60),
                name="job_idle_limit_is_a_minute_or_more",
            ),
            models.CheckConstraint(
                condition=Q(checkin_every_s=None) | Q(checkin_every_s__gte=60),
                name="job_checkin_is_a_minute_or_more",
            ),
            models.CheckConstraint(
                condition=Q(protected_until=None) | ~Q(protected_reason=""),
                name="job_protection_has_a_reason",
            ),
            models.UniqueConstraint(fields=["team", "form_token"], name="job_once_per_form"),
            models.UniqueConstraint(fields=["credential", "remote_uuid"], name="job_once_per_remote_job"),
            # Over all teams: two of them may have keys of one account, and only one owns a job.
            models.UniqueConstraint(fields=["cloud", "remote_uuid"], name="job_once_per_cloud"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["team", "-created_at", "-id"], name="job_newest_of_team"),
            models.Index(
                fields=["team", "-created_at", "-id"],
                name="job_active_of_team",
                condition=~Q(status__in=ENDED),
            ),
            models.Index(
                fields=["team", "ended_at"], name="job_ended_of_team", condition=Q(status__in=ENDED)
            ),
            models.Index(fields=["team", "stop_at"], name="job_stops_next", condition=~Q(status__in=ENDED)),
            models.Index(fields=["next_try_at"], name="job_to_launch", condition=Q(status__in=LOCAL_ONLY)),
            models.Index(
                fields=["stop_next_at"], name="job_to_stop", condition=Q(stop_next_at__isnull=False)
            ),
            models.Index(
                fields=["evaluate_at"],
                name="job_to_evaluate",
                condition=Q(stop_requested_at=None, status__in=IN_CLOUD),
            ),
            models.Index(
                fields=["credential", "remote_uuid"], name="job_live_of_key", condition=Q(status__in=IN_CLOUD)
            ),
            models.Index(
                fields=["credential"], name="job_watched_for", condition=Q(watch_until__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A credential never moves to another cloud, so its jobs do not either."""
        self.cloud = self.cloud or cloud_name(self.credential.api_url)
        super().save(*args, **kwargs)

    @property
    def state(self) -> Status:
        return Status(self.status)

    @property
    def is_active(self) -> bool:
        return self.state not in states.ENDED

    @property
    def known_since(self) -> dt.datetime:
        """When it became a job here: long after the cloud took it, where it was adopted or found."""
        return self.created_at if self.origin == Origin.LAUNCHED else self.send_by

    @property
    def meter(self) -> Meter:
        return Meter(self.spent_usd, self.spending_since, self.hourly_rate_usd)

    def spec_value(self, name: str, default: Any = None) -> Any:
        return self.spec.get(name, default)

    def runtime(self, now: dt.datetime) -> dt.timedelta | None:
        """From the first second of RUNNING to the end, or to ``now``."""
        if self.running_at is None:
            return None
        return max((self.ended_at or now) - self.running_at, dt.timedelta(0))


Job._meta.get_field("status").register_lookup(InStatuses)
