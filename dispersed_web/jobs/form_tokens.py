"""Form tokens: one launch per form, however often it is sent. The unique constraint on the job is what guarantees it."""

from __future__ import annotations

import secrets
import uuid

from django.core import signing

MAX_AGE_S = 24 * 3600
SALT = "launch-form"


def issue(user_id: int, team_id: uuid.UUID) -> str:
    """A token for a fresh form; it names its person and team and lives for 24 hours."""
    return signing.dumps([user_id, str(team_id), secrets.token_hex(16)], salt=SALT)


def identity(token: str, user_id: int, team_id: uuid.UUID) -> str | None:
    """What is stored with the launch for this token; ``None`` if it is not one of ours for this person and team."""
    try:
        owner, team, random = signing.loads(token, salt=SALT, max_age=MAX_AGE_S)
    except (signing.BadSignature, ValueError):
        return None
    return f"form:{random}" if (owner, team) == (user_id, str(team_id)) else None


def for_api(user_id: int, idempotency_key: str) -> str:
    """The same for a program's Idempotency-Key."""
    return f"api:{user_id}:{idempotency_key}"
