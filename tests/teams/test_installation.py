"""One installation acts with a database: the first that comes, until another one is told to."""

from __future__ import annotations

import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from dispersed_web.teams import installation
from dispersed_web.teams.models import Installation


@pytest.mark.django_db
def test_the_first_one_holds_it_and_a_copy_does_not(settings: Any) -> None:
    assert installation.may_act()
    settings.INSTALLATION_ID = "copy"
    assert not installation.may_act()
    assert installation.claim() == "tests"
    assert not installation.may_act()


@pytest.mark.django_db(transaction=True)
def test_of_two_that_claim_at_once_one_wins() -> None:
    Installation.get()
    barrier, holders = threading.Barrier(4), []

    def claim() -> None:
        barrier.wait()
        holders.append(installation.claim())
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert holders == ["tests"] * 4


def manage(*arguments: str) -> str:
    out = StringIO()
    call_command("installation", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_adopting_wants_the_id_typed(settings: Any) -> None:
    installation.claim()
    settings.INSTALLATION_ID = "new-server"
    assert "held by: tests" in manage("show")
    with pytest.raises(CommandError, match="Nothing was changed"):
        manage("adopt", "--sure", "yes")
    assert not installation.may_act()
    assert "new-server holds the database now" in manage("adopt", "--sure", "new-server")
    assert installation.may_act()
    settings.INSTALLATION_ID = "tests"
    assert not installation.may_act(), "the old one acts no more"
    settings.INSTALLATION_ID = "new-server"
    assert "Nothing was changed" in manage("adopt", "--sure", "new-server")


@pytest.mark.django_db
def test_who_comes_late_does_not_take_it_away(settings: Any) -> None:
    installation.claim()
    settings.INSTALLATION_ID = "new-server"
    assert not installation.adopt("somebody else")
    assert Installation.get().holder == "tests"
