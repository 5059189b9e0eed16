"""Credentials: a team's key pairs of the Dispersed cloud."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

LISTING_MAX_AGE = dt.timedelta(minutes=5)
MAX_CLOCK_OFFSET_MS = 30_000


class CredentialState(models.TextChoices):
    """``active``: may launch. ``broken``: the cloud refuses it; stops are still tried. ``disabled``: no launches, by a
    person's wish; stops go on."""

    ACTIVE = "active"
    BROKEN = "broken"
    DISABLED = "disabled"


class Credential(models.Model):
    """A ``pk_…``/``sk_…`` pair. The secret is sealed and bound to this row and team; nothing reads it back to a person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("teams.Team", on_delete=models.PROTECT, related_name="credentials")
    name = models.CharField(max_length=60)
    api_url = models.CharField(max_length=200, help_text="Base address of the cloud that issued it.")
    public_key = models.CharField(max_length=200)
    account = models.CharField(
        max_length=128,
        blank=True,
        help_text="The cloud's account behind the key; empty where it does not say.",
    )
    secret_sealed = models.TextField()
    state = models.CharField(max_length=8, choices=CredentialState.choices, default=CredentialState.ACTIVE)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    last_used_at = models.DateTimeField(null=True)
    last_used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    # Health, as the sync and the probes see it
    listed_at = models.DateTimeField(null=True, help_text="Start of the last complete listing.")
    seen_since = models.DateTimeField(
        null=True,
        help_text="Since then every listing came in time: what was seen before has a gap behind it.",
    )
    failed_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="Failed syncs in a row.")
    failure = models.TextField(blank=True, help_text="The last fault, as a sentence; empty when all is well.")
    cancel_refused_at = models.DateTimeField(null=True)
    clock_offset_ms = models.BigIntegerField(null=True, help_text="The cloud's clock minus ours.")
    probed_at = models.DateTimeField(null=True)
    probe = models.JSONField(default=dict, help_text="Answers to a stale and to a repeated request.")

    # The sync's own bookkeeping
    sync_due_at = models.DateTimeField(null=True)
    sync_lease_until = models.DateTimeField(null=True)
    sync_lease_token = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["api_url", "public_key"], name="credential_key_belongs_to_one_team"
            ),
            models.UniqueConstraint(fields=["team", "name"], name="credential_name_once_in_a_team"),
            models.CheckConstraint(
                condition=models.Q(state__in=CredentialState.values), name="credential_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def simulated(self) -> bool:
        return self.public_key.startswith("pk_sim_")

    @property
    def public_key_hint(self) -> str:
        """Enough of the public key to tell two apart."""
        return f"{self.public_key[:10]}…{self.public_key[-4:]}"

    def listing_is_fresh(self, now: dt.datetime) -> bool:
        """Whether we could see the cloud's jobs with this key within the last five minutes."""
        return self.listed_at is not None and now - self.listed_at <= LISTING_MAX_AGE

    def clock_is_off(self) -> bool:
        return self.clock_offset_ms is not None and abs(self.clock_offset_ms) > MAX_CLOCK_OFFSET_MS
