"""Deliveries: one message to one reader over one way, with what became of it. The team's channel, and the links in
messages that act."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Way(models.TextChoices):
    """``inbox`` is the person's own list in the app; ``webhook`` the team's channel."""

    EMAIL = "email", "E-mail"
    INBOX = "inbox", "Inbox"
    WEBHOOK = "webhook", "Webhook"


class DeliveryState(models.TextChoices):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class ChannelKind(models.TextChoices):
    """The format of what is sent."""

    SLACK = "slack", "Slack or compatible"
    DISCORD = "discord", "Discord"
    JSON = "json", "JSON"


class Channel(models.Model):
    """A team's one outgoing webhook. Its address is a secret: sealed, and shown as host and last characters only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.OneToOneField("teams.Team", on_delete=models.CASCADE, related_name="channel")
    kind = models.CharField(max_length=8, choices=ChannelKind.choices)
    url_sealed = models.TextField()
    signing_sealed = models.TextField(
        blank=True, help_text="What messages are signed with; empty: they are not signed."
    )
    signing_since = models.DateTimeField(null=True)
    host = models.CharField(max_length=253)
    tail = models.CharField(max_length=4, blank=True)
    active = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(
        default=timezone.now, help_text="When the address was set; links posted before act no more."
    )
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, help_text="As a sentence, without the address.")
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    quiet_until = models.DateTimeField(null=True, help_text="Nothing is sent before.")
    alarmed_at = models.DateTimeField(null=True, help_text="When admins were told that it fails.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in ChannelKind]), name="channel_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.hint

    @property
    def hint(self) -> str:
        """Enough of the address to tell two apart."""
        return f"{self.host}/…{self.tail}"


class Delivery(models.Model):
    """Claimed before it is sent: a crash in between loses this one message rather than sending it twice.

    In the inbox it is ``sent`` from the start, and counts as arrived when it is read.
    """

    event = models.ForeignKey("events.Event", on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    channel = models.ForeignKey(Channel, null=True, on_delete=models.CASCADE, related_name="deliveries")
    way = models.CharField(max_length=8, choices=Way.choices, default=Way.EMAIL)
    state = models.CharField(max_length=8, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "user", "way"], name="delivery_once"),
            models.UniqueConstraint(fields=["event", "channel"], name="delivery_once_to_a_channel"),
            models.CheckConstraint(
                condition=Q(way="webhook", user=None, channel__isnull=False)
                | Q(way__in=["email", "inbox"], user__isnull=False, channel=None),
                name="delivery_has_one_reader",
            ),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_try_at"], name="delivery_to_send", condition=Q(state="waiting")),
            models.Index(fields=["claimed_at"], name="delivery_under_way", condition=Q(state="sending")),
            models.Index(
                fields=["user"], name="delivery_unread", condition=Q(way="inbox", read_at__isnull=True)
            ),
            models.Index(fields=["user", "-id"], name="delivery_in_inbox", condition=Q(way="inbox")),
        ]

    def __str__(self) -> str:
        return f"{self.way} to {self.user or self.channel}: {self.state}"


class ActLink(models.Model):
    """A link in one message that does one thing to one job, once. Only the digest of its token is kept.

    Who acts follows from the delivery: its person, or somebody in the team's channel.
    """

    class Act(models.TextChoices):
        EXTEND = "extend"
        STOP = "stop"
        KEEP = "keep"

    digest = models.CharField(max_length=64, unique=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="links")
    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="+")
    act = models.CharField(max_length=6, choices=Act.choices)
    minutes = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(act="extend", minutes__gte=1, minutes__lte=240)
                | Q(act__in=["stop", "keep"], minutes=None),
                name="act_link_is_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.job}"

    def is_over(self, now: dt.datetime) -> bool:
        return now >= self.expires_at


class Wishes(models.Model):
    """What one person wants to be told by e-mail. The inbox gets everything."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="notice_wishes"
    )
    email_my_jobs = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.user}: e-mail {'on' if self.email_my_jobs else 'off'}"
