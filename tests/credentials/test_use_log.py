"""What secrets were used for is counted, once a minute at most, and never in the way of the use."""

import datetime as dt
import threading
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dispersed_web.credentials import use_log
from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.models import SecretUse
from dispersed_web.credentials.vault import CannotOpen
from tests import factories as make
from tests.waiting import LIMIT_S, eventually

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty():
    use_log._waiting.clear()
    yield
    use_log._waiting.clear()


def rows():
    return list(
        SecretUse.objects.values_list("kind", "purpose", "user", "count", "failed").order_by("purpose")
    )


def test_uses_are_counted_by_purpose_and_person_and_day():
    team, person = make.make_team(), make.make_user()
    key = make.make_credential(team)
    for _ in range(3):
        client_for(key, team_id=team.pk, purpose="sync").close()
    client_for(key, team_id=team.pk, purpose="launch", user_id=person.pk).close()
    assert rows() == []
    use_log.flush()
    client_for(key, team_id=team.pk, purpose="sync").close()
    use_log.flush()
    assert rows() == [("credential", "launch", person.pk, 1, 0), ("credential", "sync", None, 4, 0)]


def test_a_use_that_failed_is_counted_as_that(settings):
    team = make.make_team()
    key = make.make_credential(team)
    settings.KEYRING = [("other", bytes(32))]
    with pytest.raises(CannotOpen):
        client_for(key, team_id=team.pk, purpose="stop")
    use_log.flush()
    assert rows() == [("credential", "stop", None, 0, 1)]


def test_noting_a_use_asks_the_database_nothing():
    with CaptureQueriesContext(connection) as queries:
        use_log.note(uuid.uuid4(), "credential", uuid.uuid4(), "stop")
    assert len(queries) == 0


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_gone_is_logged_and_harms_nothing(caplog):
    team = make.make_team()
    use_log.note(uuid.uuid4(), "credential", "1", "sync")
    use_log.note(team.pk, "credential", "2", "sync")
    use_log.flush()
    assert "its row is gone" in caplog.text
    assert rows() == [("credential", "sync", None, 1, 0)]


@pytest.mark.django_db(transaction=True)
def test_while_the_database_is_away_the_counts_are_kept(caplog):
    team = make.make_team()
    use_log.note(team.pk, "credential", "1", "sync")
    with connection.execute_wrapper(_refuse):
        use_log.flush()
    assert "tried again" in caplog.text
    use_log.note(team.pk, "credential", "1", "sync")
    use_log.flush()
    assert rows() == [("credential", "sync", None, 2, 0)]


def _refuse(execute, sql, params, many, context):
    from django.db import OperationalError

    raise OperationalError("away")


def test_old_counts_are_removed():
    team = make.make_team()
    now = timezone.now()
    for days in (399, 401):
        use_log.note(team.pk, "credential", str(days), "sync", now=now - dt.timedelta(days=days))
    use_log.flush()
    assert use_log.prune(now) == 1
    assert [row.row_id for row in SecretUse.objects.all()] == ["399"]


@pytest.mark.django_db(transaction=True)
def test_the_writing_thread_writes_by_itself(settings):
    settings.SECRET_USES_EVERY_S = 0.02
    team = make.make_team()
    use_log.note(team.pk, "credential", "1", "sync")
    eventually(lambda: SecretUse.objects.count() == 1, "it is written")
    for one in threading.enumerate():  # its connection is closed before the tables are emptied
        if isinstance(one, threading.Timer):
            one.join(LIMIT_S)
