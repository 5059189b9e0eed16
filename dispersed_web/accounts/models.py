"""The people who sign in."""

from __future__ import annotations

import uuid
import zoneinfo
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, email: str | None) -> User:
        return self.get(email__iexact=email)


def validate_time_zone(name: str) -> None:
    """Raises :class:`ValidationError` for a name that the system's time zones do not have."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError("Choose a time zone from the list, such as Europe/Berlin.")


class User(AbstractBaseUser):
    """A person. What they may do is decided by their memberships alone; there is no superuser."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=80, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    is_active = models.BooleanField(default=True)
    is_service = models.BooleanField(
        default=False, help_text="No person but a team's program: it has no password and gets no mail."
    )
    is_site_admin = models.BooleanField(
        default=False,
        help_text="Runs this installation: sees teams from outside, and may stop a job in an emergency.",
    )
    hides_first_steps = models.BooleanField(
        default=False, help_text="Whether the list of first steps is left out on their home pages."
    )
    date_joined = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                models.functions.Lower("email"), name="user_email_once_whatever_the_case"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def called(self) -> str:
        """As lists name it in which people and programs stand side by side."""
        return f"{self} (API token)" if self.is_service else str(self)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def default_ssh_key(self) -> str:
        """The public key that jobs get unless another is chosen; empty without one."""
        key = self.ssh_keys.filter(is_default=True).first()
        return key.line if key else ""


class SshKey(models.Model):
    """One of a person's public keys."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="ssh_keys")
    name = models.CharField(max_length=60)
    line = models.TextField("public key", help_text="As it stands in the .pub file.")
    fingerprint = models.CharField(max_length=60)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "fingerprint"], name="ssh_key_once_per_user"),
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(is_default=True), name="ssh_key_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Throttle(models.Model):
    """How often something was tried within one window of time: sign-ins from an address, codes for an account. Stands in
    the database, so that it also counts while Redis is down."""

    name = models.CharField(max_length=40)
    key_digest = models.CharField(
        max_length=64, help_text="Of the address, account or token that is counted."
    )
    began_at = models.DateTimeField(db_index=True)
    taken = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "key_digest"], name="throttle_once_for_a_key")
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.taken} since {self.began_at:%H:%M:%S}"


class SignInPlace(models.Model):
    """A network address or a browser from which a person signed in, as a digest (see ``places``)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_places")
    kind = models.CharField(max_length=8, choices=[("address", "Address"), ("browser", "Browser")])
    digest = models.CharField(max_length=64)
    last_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind", "digest"], name="sign_in_place_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user}"
