"""What syncs and probes teach about a credential, and when the team is told: at the turn, not at every failure."""

import datetime as dt

import pytest
from django.utils import timezone

from dispersed_web.credentials import health
from dispersed_web.credentials.models import CredentialState
from dispersed_web.dispersed import AuthShapes, Outcome, Unauthorized, Unreachable
from dispersed_web.events.models import Audience, Event
from tests import factories as make

pytestmark = pytest.mark.django_db
REFUSED = Unauthorized("The key was revoked.", status=401, outcome=Outcome.REFUSED)
AWAY = Unreachable("Dispersed cannot be reached.", outcome=Outcome.NOT_SENT)


@pytest.fixture
def row():
    return make.make_credential(make.make_team())


def told():
    return list(Event.objects.order_by("id").values_list("kind", "audience"))


def test_a_refusal_breaks_it_once_and_success_mends_it(row):
    now = timezone.now()
    for _ in range(3):
        health.note_failure(row, REFUSED, now)
    row.refresh_from_db()
    assert (row.state, row.failures, row.failure) == (CredentialState.BROKEN, 3, "The key was revoked.")
    assert told() == [("credential.broken", Audience.ADMINS)]
    assert health.note_success(row, now, now)
    row.refresh_from_db()
    assert (row.state, row.failures, row.failure, row.listed_at) == ("active", 0, "", now)
    assert told()[1:] == [("credential.works", Audience.ADMINS)]
    assert not health.note_success(row, now, now)
    assert len(told()) == 2


def test_a_cloud_out_of_reach_breaks_nothing(row):
    health.note_failure(row, AWAY, timezone.now())
    row.refresh_from_db()
    assert (row.state, row.failures) == ("active", 1)
    assert told() == []


def test_the_first_failure_and_the_recovery_move_the_page(row):
    def version():
        row.team.refresh_from_db()
        return row.team.version

    start = version()
    health.note_failure(row, AWAY, timezone.now())
    first = version()
    health.note_failure(row, AWAY, timezone.now())
    second = version()
    health.note_success(row, timezone.now(), timezone.now())
    assert start < first
    assert second == first
    assert version() > second


@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_a_disabled_credential_stays_disabled(row, outcome):
    type(row).objects.filter(pk=row.pk).update(state=CredentialState.DISABLED)
    if outcome == "success":
        health.note_success(row, timezone.now(), timezone.now())
    else:
        health.note_failure(row, REFUSED, timezone.now())
    row.refresh_from_db()
    assert row.state == "disabled"


def test_a_missing_key_breaks_it(row):
    health.note_unusable(row, "The encryption key 'k1' is missing from DW_KEYS.", timezone.now())
    row.refresh_from_db()
    assert row.state == "broken"
    assert told() == [("credential.broken", Audience.ADMINS)]


@pytest.mark.parametrize(("known", "seen", "kept"), [(0, 400, 0), (0, 500, 500), (None, 3, 3), (7, None, 7)])
def test_the_clock_is_noted_when_it_moved(row, known, seen, kept):
    row.clock_offset_ms = known
    row.save()
    health.note_clock(row, seen)
    row.refresh_from_db()
    assert row.clock_offset_ms == kept


def test_a_probe_is_kept(row):
    now = timezone.now() + dt.timedelta(days=8)
    health.note_probe(row, AuthShapes((401, "old"), (409, "again"), True), now)
    row.refresh_from_db()
    assert row.probe == {"stale_time": [401, "old"], "reused_nonce": [409, "again"], "window_enforced": True}
    assert row.probed_at == now


def test_a_refused_cancel_stands_until_one_works(row):
    health.note_cancel_refused(row, timezone.now())
    row.refresh_from_db()
    assert row.cancel_refused_at
    health.note_cancel_worked(row)
    row.refresh_from_db()
    assert row.cancel_refused_at is None
