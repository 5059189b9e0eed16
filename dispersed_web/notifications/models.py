"""Deliveries: one message to one person over one way, with what became of it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class DeliveryState(models.TextChoices):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Delivery(models.Model):
    """Claimed before it is sent: a crash in between loses this one message rather than sending it twice."""

    event = models.ForeignKey("events.Event", on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="deliveries")
    way = models.CharField(max_length=8, choices=[("email", "E-mail")], default="email")
    state = models.CharField(max_length=8, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "user", "way"], name="delivery_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values), name="delivery_state_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at"], name="delivery_to_send", condition=models.Q(state="waiting")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.way} to {self.user}: {self.state}"
