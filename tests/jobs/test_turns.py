"""Whose turn it is, when there are more than one pass can take."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from dispersed_web.jobs import sync
from tests import factories


@pytest.mark.django_db
def test_a_credential_that_was_never_looked_at_is_looked_at_first() -> None:
    now = timezone.now()
    team = factories.make_team()
    late = factories.make_credential(team, sync_due_at=now - dt.timedelta(hours=1))
    fresh = factories.make_credential(team)
    assert sync.due(now) == [fresh.pk, late.pk]
