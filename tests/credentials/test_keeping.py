"""Adding, replacing and disabling credentials, against a cloud that answers over HTTP."""

import pytest
from django.utils import timezone

from dispersed_web.clock import database_now
from dispersed_web.credentials import keeping, vault
from dispersed_web.credentials.clients import WrongTeam, client_for, secret_place
from dispersed_web.credentials.keeping import CredentialRefused
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import Outcome, Unauthorized
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return make.make_team()


def add(team, public, secret, name="Lab account"):
    user = make.owner_of(team)
    return keeping.add(team, name, public, secret, user=user, actor=Actor.person(user), clock=database_now)


def refusal(*arguments, **fields):
    with pytest.raises(CredentialRefused) as refused:
        add(*arguments, **fields)
    return refused.value


def kinds():
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def test_a_pair_that_works_is_stored_sealed_with_what_the_trial_taught(team, sandbox):
    public, secret, _ = sandbox.keys[0]
    row = Credential.objects.get(pk=add(team, public, secret).pk)
    assert vault.unseal(row.secret_sealed, secret_place(row)) == secret
    assert secret not in str(Credential.objects.values().get())
    assert row.probe["window_enforced"] is True
    assert row.listing_is_fresh(timezone.now())
    assert abs(row.clock_offset_ms) < 5000
    assert kinds() == ["credential.added"]
    assert secret not in str(list(Event.objects.values()))


def test_nothing_but_reading_is_asked_of_the_cloud(team, sandbox):
    public, secret, _ = sandbox.keys[0]
    sandbox.control.set_permissions(public, read_only=True)
    assert add(team, public, secret)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda control, public: control.revoke_key(public), "revoked"),
        (lambda control, public: control.expire_key(public), "expired"),
        (lambda control, public: control.add_fault("*", "status", status=503, at="before"), ""),
    ],
    ids=["revoked", "expired", "broken"],
)
def test_a_pair_that_does_not_work_is_not_stored(team, sandbox, spoil, words):
    public, secret, _ = sandbox.keys[0]
    spoil(sandbox.control, public)
    error = refusal(team, public, secret)
    assert words in error.sentence.lower()
    assert secret not in error.sentence
    assert not Credential.objects.exists()
    assert kinds() == []


@pytest.mark.parametrize("skew_s", [900, -900])
def test_a_clock_that_is_off_is_noted_with_the_pair(team, sandbox, skew_s):
    """The client signs with the cloud's time, so the pair works: its jobs can be stopped. The guard lets nothing launch."""
    sandbox.control.set_clock_skew(skew_s)
    row = add(team, *sandbox.keys[0][:2])
    assert row.clock_is_off()
    assert abs(row.clock_offset_ms - skew_s * 1000) < 5000


def test_a_refusal_is_blamed_on_the_clock_when_that_is_off():
    error = Unauthorized("No.", status=401, outcome=Outcome.REFUSED)
    assert "clock differs from Dispersed's by 900 s" in keeping._why(error, -900_000)
    assert keeping._why(error, 2_000) == "No."
    assert keeping._why(error, None) == "No."


def test_a_wrong_secret_is_refused_without_naming_it(team, sandbox):
    error = refusal(team, sandbox.keys[0][0], "sk_sim_wrong_one_entirely")
    assert "wrong_one" not in error.sentence
    assert not Credential.objects.exists()


def test_a_cloud_that_nobody_reaches_is_called_so(team):
    error = refusal(team, "pk_sim_x", "sk_sim_x")
    assert error.field == ""
    assert "reach" in error.sentence.lower()


@pytest.mark.parametrize(
    ("public", "secret", "field"),
    [
        ("sk_sim_demo", "pk_sim_demo", "public_key"),
        ("pk_sim_demo", "nothing", "secret_key"),
        ("pk_sim_demo", "sk_sim_de mo", "secret_key"),
        ("pk_sim_dé", "sk_sim_demo", "public_key"),
    ],
)
def test_texts_that_are_no_keys_never_leave(team, public, secret, field):
    error = refusal(team, public, secret)
    assert error.field == field
    assert secret not in error.sentence


@pytest.mark.parametrize(("public", "secret"), [("pk_live_a", "sk_live_a"), ("pk_sim_a", "sk_live_a")])
def test_real_keys_are_not_sent_to_a_simulation(team, sandbox, public, secret):
    error = refusal(team, public, secret)
    assert "simulat" in error.sentence.lower()
    assert not Credential.objects.exists()


def test_a_pair_of_another_team_is_refused_without_naming_the_team(team, sandbox):
    public, secret, _ = sandbox.keys[0]
    other = make.make_team("Competitors Inc")
    add(other, public, secret, name="Their name")
    error = refusal(team, public, secret)
    assert error.field == "public_key"
    assert "Competitors" not in error.sentence
    assert "Their name" not in error.sentence
    assert other.slug not in error.sentence
    assert Credential.objects.get().team == other


def test_a_name_is_used_once_in_a_team(team, sandbox):
    add(team, *sandbox.keys[0][:2])
    error = refusal(team, *sandbox.keys[1][:2])
    assert error.field == "name"
    add(make.make_team(), *sandbox.keys[1][:2])


def replace(row, public, secret):
    actor, now = Actor.person(make.owner_of(row.team)), database_now()
    trial = keeping.try_pair(public, secret)
    keeping.put_in_place(row, (public, secret), trial, actor=actor, began=now, now=now)
    row.refresh_from_db()


def test_replacing_mends_a_broken_credential(team, sandbox):
    row = make.make_credential(
        team,
        sandbox,
        state=CredentialState.BROKEN,
        failures=4,
        failure="It was revoked.",
        cancel_refused_at=timezone.now(),
        expires_at=timezone.now(),
    )
    public, secret, _ = sandbox.keys[1]
    replace(row, public, secret)
    assert (row.public_key, row.state, row.failures, row.failure) == (public, "active", 0, "")
    assert (row.cancel_refused_at, row.expires_at) == (None, None)
    with client_for(row, team_id=team.pk, purpose="probe") as client:
        assert client.probe_auth()
    assert kinds() == ["credential.replaced"]


def test_a_bad_pair_leaves_the_old_one_in_use(team, sandbox):
    row = make.make_credential(team, sandbox)
    before = row.secret_sealed
    sandbox.control.revoke_key(sandbox.keys[1][0])
    with pytest.raises(CredentialRefused):
        replace(row, *sandbox.keys[1][:2])
    row.refresh_from_db()
    assert (row.secret_sealed, row.public_key) == (before, sandbox.keys[0][0])


def test_replacing_by_another_teams_pair_is_refused(team, sandbox):
    row = make.make_credential(team, sandbox)
    make.make_credential(make.make_team("Competitors Inc"), sandbox)
    with pytest.raises(CredentialRefused) as refused:
        replace(row, *sandbox.keys[1][:2])
    assert "Competitors" not in refused.value.sentence


def test_disabling_and_enabling(team):
    row = make.make_credential(team)
    actor = Actor.person(make.owner_of(team))
    for disabled, changed, state in (
        (True, True, "disabled"),
        (True, False, "disabled"),
        (False, True, "active"),
    ):
        assert keeping.set_disabled(row, disabled, actor=actor, now=timezone.now()) == changed
        row.refresh_from_db()
        assert row.state == state
    assert kinds() == ["credential.disabled", "credential.enabled"]


def test_a_broken_credential_is_not_enabled_by_hand(team):
    row = make.make_credential(team, state=CredentialState.BROKEN)
    actor = Actor.person(make.owner_of(team))
    assert not keeping.set_disabled(row, False, actor=actor, now=timezone.now())
    row.refresh_from_db()
    assert row.state == "broken"


def test_a_client_is_for_rows_of_its_own_team_only(team, sandbox):
    row = make.make_credential(team, sandbox)
    with pytest.raises(WrongTeam):
        client_for(row, team_id=make.make_team().pk, purpose="probe")
    with client_for(row, team_id=team.pk, purpose="probe") as client:
        shown = repr(client) + str(vars(client))
    assert sandbox.keys[0][1] not in shown


def test_a_simulated_key_is_not_used_at_the_real_cloud(team, settings):
    row = make.make_credential(team, api_url="https://api.dispersed.com")
    settings.DISPERSED_SIMULATED = False
    with pytest.raises(ValueError, match="simulat"):
        client_for(row, team_id=team.pk, purpose="probe")
