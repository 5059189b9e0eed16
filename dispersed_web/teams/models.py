"""Teams, who belongs to them, and the tokens with which their programs act."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone

from dispersed_web.teams.roles import Role

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
HOUR_S = 3600


def new_installation_code() -> str:
    return "".join(secrets.choice(CROCKFORD) for _ in range(4))


class Installation(models.Model):
    """This installation's one row. Its code stands in the marker of every job it launches, which keeps two
    installations apart that share one account of the cloud; its uuid is part of what every stored secret is bound to."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    uuid = models.UUIDField(default=uuid.uuid4)
    code = models.CharField(max_length=4, default=new_installation_code)
    holder = models.CharField(
        max_length=64,
        blank=True,
        help_text="The DW_INSTALLATION_ID that may act with this database; a copy under another one only looks.",
    )

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="installation_is_one")]

    def __str__(self) -> str:
        return self.code

    @classmethod
    def get(cls) -> Installation:
        return cls.objects.get_or_create(id=1)[0]


class Team(models.Model):
    """A group of people who share credentials, jobs and limits."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=60, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(
        default=1, help_text="Moves with every visible change; live pages compare it."
    )
    launch_seq = models.BigIntegerField(
        default=0, help_text="Bumped first in every claim, so that claims count in turn."
    )

    default_lifetime_s = models.PositiveIntegerField(default=24 * HOUR_S)
    max_lifetime_s = models.PositiveIntegerField(default=7 * 24 * HOUR_S)
    warn_lead_s = models.PositiveIntegerField(default=15 * 60)
    max_active_jobs = models.PositiveIntegerField(null=True, blank=True)
    max_hourly_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    launches_frozen = models.BooleanField(default=False)
    require_mfa = models.BooleanField(
        default=False, help_text="Whether members need a second factor to reach this team."
    )
    deleted_at = models.DateTimeField(
        null=True,
        help_text="Then nobody belongs to it any more and its secrets are gone; jobs and events stay.",
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(default_lifetime_s__gte=60)
                & models.Q(max_lifetime_s__gte=F("default_lifetime_s")),
                name="team_lifetimes_are_ordered",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def bump(team_id: uuid.UUID) -> None:
        """Tells live pages that something visible changed."""
        Team.objects.filter(pk=team_id).update(version=F("version") + 1)


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


class Membership(models.Model):
    """One person's role in one team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=[(role.value, role.value.title()) for role in Role])
    joined_at = models.DateTimeField(auto_now_add=True)
    is_default = models.BooleanField(
        default=False, help_text="Whether the person's browser opens this team first."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "user"], name="membership_once"),
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(is_default=True), name="membership_one_default"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.team}"


class Invitation(models.Model):
    """The offer to join a team in a role, for one e-mail address and one use. Only the digest of its token is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=8, choices=[(role.value, role.value.title()) for role in Role])
    digest = models.CharField(max_length=64, unique=True)
    by_mail = models.BooleanField(
        default=True, help_text="Whether the link went to the address, so that who has it proves to read it."
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                models.functions.Lower("email"),
                "team",
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_one_open_for_an_address",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="invitation_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.role} of {self.team}"


class ApiToken(models.Model):
    """A program's token for one team: a person's own, or one of the team, whose ``user`` is a service account with a
    membership of its own. Only its SHA-256 is kept: it is random, so a slow hash would add nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="api_tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    scope = models.CharField(
        max_length=8, choices=[("read", "Read"), ("operate", "Read and operate"), ("admin", "Administer")]
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    last_used_ip = models.GenericIPAddressField(null=True)
    revoked_at = models.DateTimeField(null=True)
    expiry_told_days = models.PositiveSmallIntegerField(
        null=True, help_text="How many days ahead of its expiry somebody was warned last."
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(scope__in=["read", "operate", "admin"]), name="api_token_scope_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class TeamSshKey(models.Model):
    """A public key that every member may give to a job, such as that of a jump host."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="ssh_keys")
    name = models.CharField(max_length=60)
    line = models.TextField("public key", help_text="As it stands in the .pub file.")
    fingerprint = models.CharField(max_length=60)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "fingerprint"], name="team_ssh_key_once_per_team")
        ]

    def __str__(self) -> str:
        return self.name
