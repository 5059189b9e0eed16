"""The form made of a recipe's inputs: every type, what is shown, what is read, what may be kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string

from dispersed_web.recipes.document import TARGETS, Document, Input
from dispersed_web.web.forms.recipe_inputs import RecipeInputs
from dispersed_web.web.forms.ssh_choice import KnownKey
from dispersed_web.web.forms.visitor import Visitor
from tests import factories
from tests.web.launch_forms import PRIVATE_KEY

MINE = KnownKey("mine:1", "Laptop", factories.SSH_KEY, "Yours")
AT_HOME, AT_WORK = Visitor("198.51.101.7", True), Visitor("10.0.0.8", False)
CHOICES = ({"value": "a", "label": "First"}, {"value": "b", "label": "Second"})

EVERY: dict[str, dict[str, Any]] = {
    "text": {"to": "env.MODEL", "placeholder": "llama"},
    "lines": {"to": "description"},
    "number": {"to": "gpu_count", "minimum": 1, "maximum": 8, "unit": "GPUs"},
    "choice": {"to": "tag", "choices": CHOICES},
    "gpu": {"to": "gpu"},
    "region": {"to": "allowed_region_codes"},
    "switch": {"to": "uses_logs"},
    "secret": {"to": "env.HF_TOKEN"},
    "ssh_key": {"to": "ssh_key"},
    "duration": {"to": "lifetime_s", "minimum": 60},
    "ports": {"to": "ports"},
    "env": {"to": "env"},
    "addresses": {"to": "allowed_ips"},
}
GIVEN: dict[str, tuple[dict[str, Any], Any]] = {
    "text": ({"in-x": " llama "}, "llama"),
    "lines": ({"in-x": "one\r\ntwo"}, "one\ntwo"),
    "number": ({"in-x": "2"}, 2),
    "choice": ({"in-x": "b"}, "b"),
    "gpu": ({"in-x": "name", "in-x-name": "RTX 5090"}, "RTX 5090"),
    "region": ({"in-x": ["us-east-1", "eu-west-1"]}, ("us-east-1", "eu-west-1")),
    "switch": ({"in-x": "on"}, True),
    "secret": ({"in-x": " hf_1 "}, " hf_1 "),
    "ssh_key": ({"in-x": factories.SSH_KEY, "in-x_from": "other"}, factories.SSH_KEY),
    "duration": ({"in-x": "2h"}, 7200),
    "ports": ({"in-x": "22, 8888"}, (22, 8888)),
    "env": (
        {"in-x-TOTAL_FORMS": "1", "in-x-INITIAL_FORMS": "0", "in-x-0-name": "A", "in-x-0-value": "b"},
        {"A": "b"},
    ),
    "addresses": ({"in-x": "203.0.113.7"}, ("203.0.113.7",)),
}
BAD = {
    "text": "x" * 1001,
    "number": "9",
    "choice": "c",
    "gpu": "é",
    "region": "moon-1",
    "ssh_key": PRIVATE_KEY,
    "duration": "5s",
    "ports": "70000x",
    "secret": "two\nlines",
}


def one(kind: str, **more: Any) -> Document:
    return Document(inputs=(Input(**{"key": "x", "type": kind} | EVERY[kind] | more),))


def form(document: Document, data: dict[str, Any] | None = None, **more: Any) -> RecipeInputs:
    query = None
    if data is not None:
        query = QueryDict(mutable=True)
        for name, value in data.items():
            query.setlist(name, value if isinstance(value, list) else [value])
    return RecipeInputs(document, query, **{"visitor": AT_HOME, "keys": [MINE]} | more)


def shown(inputs: RecipeInputs) -> str:
    return render_to_string("launch/_inputs.html", {"inputs": inputs})


def test_every_type_of_the_documents_is_here():
    assert set(EVERY) == set(GIVEN) == set(TARGETS)


@pytest.mark.parametrize("kind", EVERY)
def test_each_type_is_shown_with_its_label_and_help_and_read(kind):
    inputs = form(one(kind, label="My question", help="Because."), GIVEN[kind][0])
    assert inputs.is_valid(), inputs.errors
    assert inputs.answers() == {"x": GIVEN[kind][1]}
    page = shown(inputs)
    assert "My question" in page
    assert "Because." in page
    assert 'name="in-x' in page


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_used_is_said_beside_the_field(kind):
    inputs = form(one(kind), {"in-x": BAD[kind]})
    assert not inputs.is_valid()
    assert inputs.errors["in-x"]
    assert inputs.answers() == {}
    assert "PRIVATE" not in shown(inputs)


@pytest.mark.parametrize("kind", sorted(set(EVERY) - {"switch", "env"}))
def test_what_is_needed_must_be_answered(kind):
    assert not form(one(kind, required=True), {"in-x": ""}).is_valid()
    assert form(one(kind), {"in-x": ""}).is_valid()


def test_rows_may_be_needed_too():
    empty = {"in-x-TOTAL_FORMS": "0", "in-x-INITIAL_FORMS": "0"}
    assert not form(one("env", required=True), empty).is_valid()
    assert form(one("env"), empty).is_valid()


def test_a_hidden_input_is_not_shown_and_not_read():
    inputs = form(one("text", hidden=True, default="fixed"), {"in-x": "other"})
    assert inputs.is_valid()
    assert inputs.answers() == {}
    assert shown(inputs).strip() == ""


def test_a_locked_input_is_shown_and_cannot_be_changed():
    inputs = form(one("text", locked=True, default="fixed"), {"in-x": "other"}, answers={"x": "another"})
    assert inputs.is_valid()
    assert inputs.answers() == {}
    page = shown(inputs)
    assert 'value="fixed"' in page
    assert "disabled" in page
    assert "Locked" in page
    assert "other" not in page


def test_an_ssh_key_begins_with_the_persons_own():
    page = shown(form(one("ssh_key"), ssh_key=factories.SSH_KEY))
    assert '<option value="mine:1" selected>Laptop</option>' in page
    picked = form(one("ssh_key"), {"in-x_from": "mine:1", "in-x": ""})
    assert picked.is_valid()
    assert picked.answers() == {"x": factories.SSH_KEY}
    assert not form(one("ssh_key"), {"in-x_from": "mine:2"}).is_valid()


def test_addresses_begin_with_a_public_address_only(settings):
    settings.DISPERSED_SIMULATED = False
    assert "198.51.101.7/32" in shown(form(one("addresses")))
    assert "10.0.0.8" not in shown(form(one("addresses"), visitor=AT_WORK))


def test_answers_fill_what_may_be_filled():
    inputs = form(one("ports", default=[22]), answers={"x": [22, 80]})
    assert 'value="22, 80"' in shown(inputs)
    assert 'value="old"' not in shown(form(one("secret"), answers={"x": "old"}))


def test_nothing_secret_may_be_kept():
    assert form(one("secret"), {"in-x": "hf_1"}).kept() == {}
    rows = {"in-x-TOTAL_FORMS": "2", "in-x-INITIAL_FORMS": "0", "in-x-0-name": "A", "in-x-0-value": "b"}
    rows |= {"in-x-1-name": "HF_TOKEN", "in-x-1-value": "hf_1"}
    inputs = form(one("env"), rows)
    assert inputs.is_valid()
    assert inputs.answers() == {"x": {"A": "b", "HF_TOKEN": "hf_1"}}
    assert inputs.kept() == {"x": {"A": "b", "HF_TOKEN": ""}}
    assert inputs.secret_env() == {"HF_TOKEN"}


def test_a_default_of_everybody_gives_way_to_ones_own_address(settings):
    settings.DISPERSED_SIMULATED = False
    everybody = one("addresses", default=["0.0.0.0/0"])
    assert form(everybody).answers() == {"x": ["198.51.101.7/32"]}
    assert form(everybody, visitor=AT_WORK).answers() == {"x": ["0.0.0.0/0"]}
    named = one("addresses", default=["203.0.113.7"])
    assert form(named).answers() == {"x": ["203.0.113.7"]}
