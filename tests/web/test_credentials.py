import datetime as dt

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from dispersed_web.credentials import vault
from dispersed_web.credentials.clients import secret_place
from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Event
from dispersed_web.web.credential_words import health
from tests import factories as make

pytestmark = pytest.mark.django_db
CANARY = "sk_sim_canary_93af27"


@pytest.fixture
def team(client):
    team = make.make_team()
    make.sign_in(client, make.owner_of(team))
    return team


@pytest.fixture
def pair(sandbox):
    """A pair that the cloud knows, its secret one that no page may show."""
    sandbox.control.add_key("pk_sim_canary", CANARY, "canary")
    return {"public_key": "pk_sim_canary", "secret_key": CANARY}


def url(name, team, *more):
    return reverse(f"web:{name}", args=[team.slug, *more])


def html(answer):
    return answer.content.decode()


def test_a_pair_is_added_and_shown_without_its_secret(client, team, pair):
    answer = client.post(url("credential-add", team), {"name": "Lab account", **pair}, follow=True)
    row = Credential.objects.get()
    assert (row.team, row.name, row.created_by) == (team, "Lab account", make.owner_of(team))
    assert vault.unseal(row.secret_sealed, secret_place(row)) == CANARY
    assert "Lab account" in html(answer)
    assert "Works" in html(answer)
    assert Event.objects.get().kind == "credential.added"


def test_no_page_shows_a_part_of_a_secret(client, team, pair):
    """Every page of the team and every answer on the way, also the refusals, the database's rows and the session."""
    said = []
    bad = [
        {"name": "", **pair},
        {"name": "x", **pair, "public_key": CANARY},
        {"name": f"key {CANARY}", **pair},
        {"name": "x", **pair, "public_key": "pk_sim_unknown"},
        {"name": "x", **pair, "expires_on": "yesterday"},
        {"name": "x", **pair},
        {"name": "x", **pair},
    ]
    said += [client.post(url("credential-add", team), fields) for fields in bad]
    row = Credential.objects.get()
    said += [client.post(url("credential-replace", team, row.pk), {**pair, "public_key": "nothing"})]
    said += [client.post(url("credential-replace", team, row.pk), pair)]
    for name in ("credential", "credential-replace"):
        said.append(client.get(url(name, team, row.pk)))
    for name in ("team", "team-events", "team-home", "credential-add", "jobs", "launch"):
        said.append(client.get(url(name, team)))
    everything = " ".join(html(answer) + str(answer.headers) for answer in said)
    everything += (
        str(list(Event.objects.values())) + str(dict(client.session)) + str(list(Credential.objects.values()))
    )
    assert all(answer.status_code in (200, 302, 422) for answer in said)
    assert CANARY not in everything
    assert CANARY[-6:] not in everything
    assert "canary_" not in everything


def test_a_refused_form_keeps_all_but_the_secret(client, team, pair):
    fields = {"name": "Lab account", "public_key": "pk_sim_unknown", "secret_key": CANARY}
    page = html(client.post(url("credential-add", team), fields))
    assert 'value="Lab account"' in page
    assert 'value="pk_sim_unknown"' in page
    assert 'type="password" name="secret_key"' in page
    assert CANARY not in page


@pytest.mark.parametrize(
    ("fault", "words"),
    [("revoke", "revoked"), ("unreachable", "reach"), ("wrong", "signature")],
)
def test_why_a_pair_is_refused(client, team, pair, sandbox, settings, fault, words):
    if fault == "revoke":
        sandbox.control.revoke_key("pk_sim_canary")
    elif fault == "unreachable":
        settings.DISPERSED_URL = "http://127.0.0.1:9"
    else:
        pair["secret_key"] = "sk_sim_other"
    answer = client.post(url("credential-add", team), {"name": "x", **pair})
    assert answer.status_code == 422
    assert words in str(answer.context["form"].errors).lower()
    assert not Credential.objects.exists()


def test_a_pair_of_another_team_is_refused_without_naming_it(client, team, pair, sandbox):
    other = make.make_team("Competitors Inc")
    make.make_credential(other, api_url=sandbox.url, name="Their name", **pair)
    answer = client.post(url("credential-add", team), {"name": "x", **pair})
    assert answer.status_code == 422
    assert "public_key" in answer.context["form"].errors
    for words in ("Competitors", "Their name", other.slug):
        assert words not in html(answer)


def test_the_expiry_is_the_start_of_the_day_where_the_reader_is(client, team, pair):
    user = make.owner_of(team)
    user.time_zone = "Asia/Tokyo"
    user.save()
    client.post(url("credential-add", team), {"name": "x", **pair, "expires_on": "2099-05-01"})
    assert Credential.objects.get().expires_at == dt.datetime(2099, 4, 30, 15, tzinfo=dt.UTC)


def test_a_key_that_is_over_is_not_taken(client, team, pair):
    today = timezone.now().date().isoformat()
    answer = client.post(url("credential-add", team), {"name": "x", **pair, "expires_on": today})
    assert list(answer.context["form"].errors) == ["expires_on"]


def test_replacing_asks_for_both_keys_and_shows_none(client, team, pair, sandbox):
    row = make.make_credential(team, sandbox, state="broken", failure="It was revoked.", failures=3)
    page = html(client.get(url("credential-replace", team, row.pk)))
    assert sandbox.keys[0][1] not in page
    assert sandbox.keys[0][0] not in page
    assert client.post(url("credential-replace", team, row.pk), pair).status_code == 302
    row.refresh_from_db()
    assert (row.public_key, row.state) == ("pk_sim_canary", "active")


def test_replacing_says_what_becomes_of_running_jobs(client, team):
    row = make.make_credential(team)
    assert "stay in hand" not in html(client.get(url("credential-replace", team, row.pk)))
    make.make_job(team, credential=row)
    assert "stay in hand" in html(client.get(url("credential-replace", team, row.pk)))


def test_disabling_says_what_becomes_of_its_jobs(client, team):
    row = make.make_credential(team)
    make.make_job(team, credential=row)
    assert "still watched, limited and stopped" in html(client.get(url("credential-disable", team, row.pk)))
    answer = client.post(url("credential-disable", team, row.pk), follow=True)
    row.refresh_from_db()
    assert row.state == "disabled"
    assert "launches nothing any more" in html(answer)
    client.post(url("credential-enable", team, row.pk))
    row.refresh_from_db()
    assert row.state == "active"


class TestThePasswordIsAskedForAgain:
    @pytest.fixture(autouse=True)
    def _stale(self, client, team):
        client.logout()
        client.force_login(make.owner_of(team))

    def test_without_it_nothing_is_tried(self, client, team, pair, sandbox):
        sandbox.control.add_fault("*", "status", status=500, at="before")
        for password in ("", "wrong"):
            answer = client.post(url("credential-add", team), {"name": "Lab", **pair, "password": password})
            assert list(answer.context["form"].errors) == ["password"]
            assert 'value="Lab"' in html(answer)
        assert sandbox.control.faults()[0]["fired"] == 0
        assert not Credential.objects.exists()

    def test_the_keys_never_wait_in_the_session(self, client, team, pair):
        client.post(url("credential-add", team), {"name": "Lab", **pair, "password": "wrong"})
        stored = " ".join(str(session.get_decoded()) for session in Session.objects.all())
        assert CANARY not in stored

    def test_with_it_the_pair_is_added_in_one_go(self, client, team, pair):
        answer = client.post(url("credential-add", team), {"name": "Lab", **pair, "password": make.PASSWORD})
        assert answer.status_code == 302
        assert Credential.objects.exists()

    def test_a_brake_needs_none(self, client, team):
        row = make.make_credential(team)
        client.post(url("credential-disable", team, row.pk))
        row.refresh_from_db()
        assert row.state == "disabled"


NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"listed_at": NOW}, "Works"),
        ({"listed_at": NOW - dt.timedelta(minutes=6)}, "Not looked at lately"),
        ({"listed_at": None}, "Not looked at yet"),
        ({"listed_at": NOW, "failures": 1, "failure": "No answer."}, "Trying again"),
        ({"listed_at": NOW - dt.timedelta(hours=1), "failures": 9, "failure": "No answer."}, "Not reachable"),
        ({"listed_at": NOW, "state": "broken", "failure": "Revoked."}, "Does not work"),
        ({"listed_at": NOW, "state": "disabled"}, "Disabled"),
        ({"listed_at": NOW, "cancel_refused_at": NOW}, "Cannot stop jobs"),
        ({"listed_at": NOW, "clock_offset_ms": -31_000}, "Clock is off"),
        ({"listed_at": NOW, "expires_at": NOW}, "Expired"),
        ({"listed_at": NOW, "expires_at": NOW + dt.timedelta(days=2)}, "Expires in 2\u00a0d\u00a00\u00a0h"),
        ({"listed_at": NOW, "expires_at": NOW + dt.timedelta(days=15)}, "Works"),
        ({"listed_at": NOW, "state": "retired"}, "Retired"),
        ({"state": "retired", "failures": 1, "failure": "Revoked."}, "Retired, does not work"),
        ({"state": "retired", "expires_at": NOW}, "Retired, expired"),
        (
            {"state": "retired", "expires_at": NOW + dt.timedelta(days=2)},
            "Retired, expires in 2\u00a0d\u00a00\u00a0h",
        ),
        ({"state": "gone"}, "Gone"),
    ],
)
def test_health_in_words(fields, label):
    assert health(Credential(**fields), NOW).label == label
