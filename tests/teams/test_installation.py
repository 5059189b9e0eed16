"""One installation acts with a database: the one that made it, until another one is told to."""

from __future__ import annotations

import threading
from io import StringIO
from typing import Any

import pytest
from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.jobs import apps, starting
from dispersed_web.teams import installation
from dispersed_web.teams.models import Installation
from tests import factories as make


@pytest.mark.django_db
def test_whoever_made_it_holds_it_and_a_copy_does_not(settings: Any) -> None:
    assert installation.may_act(), "the tests' own migrations made it"
    settings.INSTALLATION_ID = "copy"
    assert not installation.may_act()
    assert installation.claim() == "tests"
    assert not installation.may_act()


@pytest.mark.django_db(transaction=True)
def test_of_two_that_claim_at_once_one_wins() -> None:
    Installation.objects.update(holder="")
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


@pytest.mark.django_db
def test_what_only_touches_a_database_does_not_make_it_its_own(settings: Any) -> None:
    Installation.objects.update(holder="")
    settings.INSTALLATION_ID = "made-up"
    settings.MANAGE = "bin/manage"
    assert not installation.may_act()
    assert "bin/manage installation adopt" in manage("show")
    starting.begin(timezone.now)
    assert Installation.get().holder == ""


@pytest.mark.django_db
@pytest.mark.parametrize("holds", ["a key", "a job"])
def test_migrating_claims_an_empty_database_and_none_that_holds_what_may_be_anothers(
    settings: Any, caplog: Any, holds: str
) -> None:
    Installation.objects.update(holder="")
    apps.give_it_a_holder(global_apps)
    assert Installation.get().holder == "tests"
    make.make_credential(make.make_team()) if holds == "a key" else make.make_job(make.make_team(), "FAILED")
    settings.INSTALLATION_ID = "copy"
    apps.give_it_a_holder(global_apps)
    assert not caplog.messages, "whose it is, is known"
    Installation.objects.update(holder="")
    apps.give_it_a_holder(global_apps)
    assert Installation.get().holder == ""
    assert "says so with: python manage.py installation adopt" in caplog.text
    assert "held by nobody" in manage("adopt", "--sure", "copy")
    assert installation.may_act()


@pytest.mark.django_db
def test_before_every_migration_is_applied_nobody_is_made_the_holder() -> None:
    Installation.objects.update(holder="")
    apps.give_it_a_holder(Apps())
    assert Installation.get().holder == ""


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
def test_every_team_has_it_in_its_log_and_its_admins_are_told(settings: Any) -> None:
    installation.claim()
    teams = [make.make_team(), make.make_team()]
    make.make_team(deleted_at=timezone.now())
    settings.INSTALLATION_ID = "new-server"
    with pytest.raises(CommandError):
        manage("adopt", "--sure", "wrong")
    assert not Event.objects.exists()
    manage("adopt", "--sure", "new-server")
    events = Event.objects.filter(kind="team.installation_adopted")
    assert set(events.values_list("team", "audience")) == {(None, "")} | {(one.pk, "admins") for one in teams}
    assert {one.sentence for one in events} == {
        "The operator made the installation “new-server” the one that acts with this database in place of “tests”."
    }
    assert events[0].data == {"before": {"holder": "tests"}, "after": {"holder": "new-server"}}


@pytest.mark.django_db
def test_who_comes_late_does_not_take_it_away(settings: Any) -> None:
    installation.claim()
    settings.INSTALLATION_ID = "new-server"
    assert not installation.adopt("somebody else", timezone.now())
    assert Installation.get().holder == "tests"
