"""The way to the mail server: Django's, which also hangs up when the server lets nobody in."""

from __future__ import annotations

import smtplib
from contextlib import suppress

from django.core.mail.backends import smtp


class EmailBackend(smtp.EmailBackend):
    """Django keeps a line that it could not sign in on until somebody sends again, which nobody does."""

    def open(self) -> bool | None:
        try:
            return super().open()
        except OSError:  # smtplib's errors are OSErrors too
            with suppress(OSError, smtplib.SMTPException):
                self.close()
            raise
