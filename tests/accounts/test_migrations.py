"""Accounts from before addresses had to be confirmed."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from dispersed_web.events import append_only

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = [("accounts", "0004_sign_in_places"), ("account", "0009_emailaddress_unique_primary_email")]


def test_everybody_who_could_sign_in_still_can() -> None:
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate(BEFORE)
    try:
        models = MigrationExecutor(connection).loader.project_state(BEFORE).apps
        people, addresses = models.get_model("accounts", "User"), models.get_model("account", "EmailAddress")
        new, half, moved = (
            people.objects.create(email=f"{name}@example.org") for name in ("New", "half", "moved")
        )
        addresses.objects.create(user=half, email="half@example.org", verified=False, primary=False)
        addresses.objects.create(user=moved, email="old@example.org", verified=True, primary=True)
    finally:
        MigrationExecutor(connection).migrate(newest)
        append_only.remove(connection)  # the migrations may put it up again, and other tests delete events
    main = {address.user_id: address for address in EmailAddress.objects.filter(primary=True)}
    assert [main[one.pk].email for one in (new, half, moved)] == [
        "new@example.org",
        "half@example.org",
        "moved@example.org",
    ]
    assert all(address.verified for address in main.values())
