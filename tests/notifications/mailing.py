"""A mail server whose moods a test sets: Django's own way to send mail, without a network."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.mail.backends.locmem import EmailBackend


class MoodyBackend(EmailBackend):
    """``at_open`` and ``at_send`` are raised there, when set."""

    at_open: ClassVar[Exception | None] = None
    at_send: ClassVar[Exception | None] = None
    opened: ClassVar[int] = 0

    def open(self) -> bool:
        type(self).opened += 1
        if self.at_open:
            raise self.at_open
        return True

    def send_messages(self, messages: Any) -> int:
        if self.at_send:
            raise self.at_send
        return super().send_messages(messages)
