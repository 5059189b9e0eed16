import copy
import dataclasses
import json
import pickle
import traceback

import pytest

from dispersed_web.dispersed import KeyPair, MixedKeys, Secret

HIDDEN = "sk_live_canary_0123456789"
SECRET = Secret(HIDDEN)
KEYS = KeyPair("pk_live_abc", HIDDEN)


@pytest.mark.parametrize("holder", [SECRET, KEYS], ids=["Secret", "KeyPair"])
@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        format,
        "{}".format,
        "{!r}".format,
        "{!s}".format,
        "%s".__mod__,
        ascii,
        lambda x: f"{x:>40}",
        lambda x: [x].__repr__(),
    ],
)
def test_no_way_of_writing_shows_the_secret(holder, show):
    assert HIDDEN not in show(holder)


@pytest.mark.parametrize("holder", [SECRET, KEYS], ids=["Secret", "KeyPair"])
@pytest.mark.parametrize(
    "take", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars, dataclasses.asdict]
)
def test_no_way_of_copying_takes_the_secret_along(holder, take):
    with pytest.raises(TypeError):
        take(holder)


def test_the_secret_is_given_out_on_request_only():
    assert SECRET.reveal() == HIDDEN
    assert KEYS.secret_key == HIDDEN
    assert KeyPair("pk_live_abc", SECRET) == KEYS


def test_the_public_key_is_shown():
    assert repr(KEYS).startswith("KeyPair('pk_live_abc', ")


def test_equality_and_hash():
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert bool(Secret("")) is False
    assert KeyPair("pk_live_abc", "sk_other") != KEYS
    assert KEYS != "pk_live_abc"
    assert len({KEYS, KeyPair("pk_live_abc", HIDDEN)}) == 1


def test_a_pair_does_not_change():
    with pytest.raises(AttributeError):
        KEYS.public_key = "pk_other"


@pytest.mark.parametrize(
    ("public", "secret"),
    [
        (HIDDEN, "pk_live_abc"),
        ("pk_live_abc", "pk_live_abc"),
        ("", HIDDEN),
        ("pk_live_abc", ""),
        ("pk_a b", HIDDEN),
        ("pk_a", HIDDEN + "\n"),
        ("pk_é", HIDDEN),
    ],
)
def test_what_does_not_look_like_a_pair_is_refused_without_quoting_it(public, secret):
    with pytest.raises(ValueError) as caught:
        KeyPair(public, secret)
    assert HIDDEN not in "".join(traceback.format_exception(caught.value))


def test_simulated_pairs_are_known_and_mixed_ones_refused():
    assert KeyPair("pk_sim_1", "sk_sim_1").simulated
    assert not KEYS.simulated
    for pair in (KeyPair("pk_sim_1", HIDDEN), KeyPair("pk_live_abc", "sk_sim_1")):
        with pytest.raises(MixedKeys):
            _ = pair.simulated
