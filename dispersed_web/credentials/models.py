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
    person's wish; stops go on. ``retired``: replaced; its jobs are watched and stopped until the last has ended, then its
    secret is destroyed. ``gone``: its secret is destroyed; the row stays for the jobs it launched."""

    ACTIVE = "active"
    BROKEN = "broken"
    DISABLED = "disabled"
    RETIRED = "retired"
    GONE = "gone"


class UsableBy(models.TextChoices):
    """Who may launch with a credential, or use a secret: every member who may launch, admins and owners, or chosen ones."""

    MEMBERS = "members", "Every member"
    ADMINS = "admins", "Admins and owners"
    CHOSEN = "chosen", "Chosen members"


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
    expiry_told_days = models.PositiveSmallIntegerField(
        null=True, help_text="The last warning that the team got: so many days ahead of the expiry."
    )
    usable_by = models.CharField(max_length=8, choices=UsableBy.choices, default=UsableBy.MEMBERS)
    managed_by = models.CharField(
        max_length=8, choices=[("admins", "Admins and owners"), ("owners", "Owners")], default="admins"
    )
    retired_at = models.DateTimeField(null=True)
    successor = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="predecessors",
        help_text="What replaced it.",
    )
    permissions = models.JSONField(
        default=dict, help_text="What the cloud was seen to allow this key: act to {allowed, at}."
    )
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
    refused_at = models.DateTimeField(
        null=True, help_text="Since then the cloud refuses this key, or it cannot be used here."
    )
    clock_offset_ms = models.BigIntegerField(null=True, help_text="The cloud's clock minus ours.")
    probed_at = models.DateTimeField(null=True)
    probe = models.JSONField(default=dict, help_text="Answers to a stale and to a repeated request.")

    # The sync's own bookkeeping
    sync_due_at = models.DateTimeField(null=True)
    sync_lease_until = models.DateTimeField(null=True)
    sync_lease_token = models.UUIDField(null=True)
    count_due_at = models.DateTimeField(
        null=True, help_text="When its jobs are next counted in all states, known or not."
    )

    class Meta:
        constraints: ClassVar = [
            # Of one whose secret is destroyed key and name are free: a key that was deleted by mistake can come back.
            models.UniqueConstraint(
                fields=["api_url", "public_key"],
                condition=~models.Q(state="gone"),
                name="credential_key_belongs_to_one_team",
            ),
            models.UniqueConstraint(
                fields=["team", "name"],
                condition=~models.Q(state="gone"),
                name="credential_name_once_in_a_team",
            ),
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


class CredentialUser(models.Model):
    """A member who may launch with a credential that is for chosen members only."""

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="chosen")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["credential", "user"], name="credential_user_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} may use {self.credential}"


class CredentialCaps(models.Model):
    """What may be launched with one credential. Empty fields and lists limit nothing; spending is in USD."""

    credential = models.OneToOneField(
        Credential, on_delete=models.CASCADE, primary_key=True, related_name="caps"
    )
    max_active_jobs = models.PositiveIntegerField(null=True)
    max_hourly_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    max_day_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    max_month_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    task = models.CharField(max_length=10, blank=True, help_text="BATCH, PERSISTENT, or empty for both.")
    gpu_models = models.JSONField(default=list)
    max_gpu_count = models.PositiveIntegerField(null=True)
    regions = models.JSONField(default=list)
    images = models.JSONField(default=list, help_text="Patterns such as dispersednetwork/*; * is any text.")
    max_lifetime_s = models.PositiveIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(task__in=["", "BATCH", "PERSISTENT"]), name="credential_caps_task_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Caps of {self.credential}"


class TeamSecret(models.Model):
    """A named secret of a team, such as a registry's password or an access token. Recipes and launches name it; its value
    is sealed, bound to this row and team, and never read back to a person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("teams.Team", on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=60)
    note = models.CharField(max_length=200, blank=True)
    value_sealed = models.TextField()
    fingerprint = models.CharField(max_length=8, help_text="Tells two values apart; nothing follows from it.")
    usable_by = models.CharField(max_length=8, choices=UsableBy.choices, default=UsableBy.MEMBERS)
    hosts = models.JSONField(
        default=list,
        help_text="Registries that may be given it as a password, and nothing else may; empty: no such bound.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    last_used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                models.functions.Lower("name"), "team", name="team_secret_name_once_in_a_team"
            )
        ]

    def __str__(self) -> str:
        return self.name


class TeamSecretUser(models.Model):
    """A member who may use a secret that is for chosen members only."""

    secret = models.ForeignKey(TeamSecret, on_delete=models.CASCADE, related_name="chosen")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["secret", "user"], name="team_secret_user_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} may use {self.secret}"


class SecretUse(models.Model):
    """What a stored secret was used for on one day, counted: never its content."""

    team = models.ForeignKey("teams.Team", on_delete=models.CASCADE, related_name="secret_uses")
    kind = models.CharField(max_length=20, help_text="credential, secret, job or channel")
    row_id = models.CharField(max_length=36)
    purpose = models.CharField(max_length=20, help_text="Such as launch, stop, sync, logs.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0, help_text="How often it could not be opened.")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "row_id", "purpose", "day", "user"], name="secret_use_once_a_day"
            ),
            models.UniqueConstraint(
                fields=["kind", "row_id", "purpose", "day"],
                condition=models.Q(user=None),
                name="secret_use_of_nobody_once_a_day",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["team", "-day"], name="secret_use_of_team")]

    def __str__(self) -> str:
        return f"{self.kind} {self.row_id} for {self.purpose}: {self.count} on {self.day}"


class KeyCanary(models.Model):
    """A known text sealed with each encryption key that was ever in use: tells a missing key from a wrong one."""

    key_id = models.CharField(primary_key=True, max_length=40)
    sealed = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    rows = models.PositiveIntegerField(
        null=True, help_text="How many secrets were sealed with it at the last check."
    )
    unreadable = models.PositiveIntegerField(default=0, help_text="How many of them could not be opened.")
    checked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key_id
