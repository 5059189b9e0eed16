"""What is sealed opens in its own row, with its own key, unharmed; in every other case it does not open."""

import base64
import dataclasses
import logging
import traceback
import uuid

import pytest

from dispersed_web.credentials import canary, vault
from dispersed_web.credentials.clients import client_for, secret_place
from dispersed_web.credentials.models import Credential
from dispersed_web.credentials.vault import CannotOpen, Place
from dispersed_web.teams.models import Installation
from tests import factories as make

pytestmark = pytest.mark.django_db
SECRET = "sk_sim_canary_5b1d9c"
PLACE = Place("credential", uuid.uuid4(), uuid.uuid4(), "secret_key")


def key(number):
    return (f"k{number}", bytes([number]) * 32)


@pytest.fixture(autouse=True)
def _ring(settings):
    settings.KEYRING = [key(1)]


def test_it_opens_where_it_was_sealed():
    sealed = vault.seal(SECRET, PLACE)
    assert vault.unseal(sealed, PLACE) == SECRET
    assert vault.key_id_of(sealed) == "k1"
    assert SECRET not in sealed
    assert base64.b64encode(SECRET.encode()).decode().rstrip("=") not in sealed


def test_equal_secrets_do_not_look_equal():
    assert vault.seal(SECRET, PLACE) != vault.seal(SECRET, PLACE)


@pytest.mark.parametrize(
    "change",
    [{"row_id": uuid.uuid4()}, {"team_id": uuid.uuid4()}, {"field": "other"}, {"model": "job"}],
    ids=["row", "team", "field", "model"],
)
def test_it_does_not_open_elsewhere(change):
    sealed = vault.seal(SECRET, PLACE)
    with pytest.raises(CannotOpen):
        vault.unseal(sealed, dataclasses.replace(PLACE, **change))


def test_it_does_not_open_in_another_installation():
    sealed = vault.seal(SECRET, PLACE)
    Installation.objects.update(uuid=uuid.uuid4())
    with pytest.raises(CannotOpen):
        vault.unseal(sealed, PLACE)


def test_a_missing_key_is_named_and_nothing_is_changed(settings):
    sealed = vault.seal(SECRET, PLACE)
    settings.KEYRING = [key(2)]
    with pytest.raises(CannotOpen, match="'k1' is missing") as error:
        vault.unseal(sealed, PLACE)
    assert error.value.key_id == "k1"


def test_a_key_of_the_same_name_but_other_bytes_does_not_open(settings):
    sealed = vault.seal(SECRET, PLACE)
    settings.KEYRING = [("k1", b"x" * 32)]
    with pytest.raises(CannotOpen):
        vault.unseal(sealed, PLACE)


def test_a_rotated_ring_opens_the_old_and_seals_with_the_new(settings):
    old = vault.seal(SECRET, PLACE)
    settings.KEYRING = [key(2), key(1)]
    assert vault.unseal(old, PLACE) == SECRET
    new = vault.seal(SECRET, PLACE)
    assert vault.key_id_of(new) == "k2"
    settings.KEYRING = [key(2)]
    assert vault.unseal(new, PLACE) == SECRET


def test_a_fingerprint_outlives_a_new_first_key(settings):
    before = vault.fingerprint("text")
    settings.KEYRING = [key(2), key(1)]
    assert vault.fingerprint("text") == before
    assert vault.fingerprint("other") != before


@pytest.mark.parametrize("part", [0, 1, 2, 3], ids=["version", "key id", "nonce", "ciphertext"])
def test_tampering_is_seen(part):
    parts = vault.seal(SECRET, PLACE).split("|")
    raw = parts[part]
    parts[part] = ("A" if raw[0] != "A" else "B") + raw[1:]
    with pytest.raises(CannotOpen):
        vault.unseal("|".join(parts), PLACE)


@pytest.mark.parametrize("text", ["", "v1", "v1|k1|a", "v1|k1|a|b|c", "not sealed", "v1|k1|!|?"])
def test_damaged_text_is_a_fault_and_no_crash(text):
    with pytest.raises(CannotOpen):
        vault.unseal(text, PLACE)


def test_the_stored_row_holds_no_secret():
    row = make.make_credential(make.make_team(), secret_key=SECRET)
    values = str(Credential.objects.values().get(pk=row.pk)) + repr(row) + str(row)
    assert SECRET not in values
    assert SECRET[-6:] not in values


def test_a_sealed_secret_copied_to_another_teams_row_does_not_open():
    mine, theirs = (make.make_credential(make.make_team(), secret_key=SECRET) for _ in range(2))
    with pytest.raises(CannotOpen):
        vault.unseal(mine.secret_sealed, secret_place(theirs))


def test_the_fault_says_nothing_of_the_secret(caplog):
    sealed = vault.seal(SECRET, PLACE)
    try:
        vault.unseal(sealed, dataclasses.replace(PLACE, row_id=1))
    except CannotOpen as error:
        logging.getLogger("test").exception("failed")
        told = "".join(traceback.format_exception(error)) + caplog.text
    assert SECRET not in told
    assert sealed not in told


def test_the_canary_tries_every_key(settings):
    assert canary.keys_fit()
    team = make.make_team()
    make.make_credential(team)
    settings.KEYRING = [key(2), key(1)]
    make.make_credential(team)
    assert canary.keys_fit()
    settings.KEYRING = [key(2)]
    assert not canary.keys_fit()
    settings.KEYRING = [key(2), ("k1", b"x" * 32)]
    assert not canary.keys_fit()


def test_no_frame_between_the_vault_and_the_wire_shows_the_secret(settings):
    """A report may hold the variables of every frame: those on the way of a signed request have none to show."""
    settings.DISPERSED_SIMULATED = True
    row = make.make_credential(make.make_team(), secret_key=SECRET, api_url="http://127.0.0.1:9")
    faults = []
    with client_for(row, team_id=row.team_id, purpose="stop", patient=False) as client:
        faults.append(_fault(lambda: client.cancel_job("a-job", "why")))
    settings.DISPERSED_SIMULATED = False
    faults.append(_fault(lambda: client_for(row, team_id=row.team_id, purpose="stop")))
    for fault in faults:
        told = "".join(traceback.TracebackException.from_exception(fault, capture_locals=True).format())
        assert "client_for" in told or "cancel_job" in told
        assert SECRET not in told + repr(fault)


def _fault(act):
    with pytest.raises(Exception) as raised:
        act()
    return raised.value
