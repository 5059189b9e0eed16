"""This installation: what tells it from others, and who may act with its database."""

from __future__ import annotations

import secrets
import uuid
from typing import ClassVar

from django.db import models

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


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
