"""How long a password may be. Its lower limit, the list of common ones and the likeness to the person's name are
Django's own validators; nothing is asked of its characters."""

from __future__ import annotations

from django.core.exceptions import ValidationError

LONGEST = 128


class NotTooLong:
    """A validator for ``AUTH_PASSWORD_VALIDATORS``. What is longer is no safer, and costs time to hash."""

    def validate(self, password: str, user: object = None) -> None:
        """Raises ``ValidationError``."""
        if len(password) > LONGEST:
            raise ValidationError(f"A password has at most {LONGEST} characters.", code="password_too_long")

    def get_help_text(self) -> str:
        return (
            f"It may have up to {LONGEST} characters of any kind; a few words that belong together are fine."
        )
