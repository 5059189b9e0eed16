"""What an author may write, and what is refused at which place."""

from __future__ import annotations

from typing import Any

import pytest

from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.document import INPUT_TYPES, Document
from tests.recipes.documents import BATCH, INPUTS, SPEC, faults, make_document

LONG = "x" * 20_001


def test_there_is_an_example_of_every_type() -> None:
    assert set(INPUTS) == set(INPUT_TYPES)


@pytest.mark.parametrize("kind", INPUTS)
def test_an_input_of_each_type_is_taken(kind: str) -> None:
    document = make_document(INPUTS[kind])
    assert Document.from_json(document.to_json()) == document


def test_all_of_them_in_one_recipe_are_taken() -> None:
    assert len(make_document(*INPUTS.values()).inputs) == len(INPUTS)


def test_a_default_is_stored_in_one_form_however_it_was_written() -> None:
    for default in (28_800, "8h", "480 min"):
        document = make_document(INPUTS["duration"] | {"default": default, "maximum": 86_400})
        assert [one.default for one in document.inputs] == ["8h"]
    for default in (None, False, "no"):
        document = make_document(INPUTS["switch"] | {"default": default})
        assert [one.default for one in document.inputs] == [False]


# One change to an input of a type, and where the fault is then.
INPUT_FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("text", {"key": "Model"}, "key"),
    ("text", {"key": "a" * 41}, "key"),
    ("text", {"key": ""}, "key"),
    ("text", {"type": "word"}, "type"),
    ("text", {"to": "nowhere"}, "to"),
    ("text", {"to": "env.1A"}, "to"),
    ("text", {"to": "env."}, "to"),
    ("text", {"to": "gpu_count"}, "to"),
    ("text", {"to": "task"}, "to"),
    ("text", {"to": "ssh_key"}, "to"),
    ("gpu", {"to": "env.GPU"}, "to"),
    ("env", {"to": "env.ROWS"}, "to"),
    ("secret", {"to": "title"}, "to"),
    ("ssh_key", {"to": "image"}, "to"),
    ("switch", {"to": "gpu_count"}, "to"),
    ("text", {"label": "x" * 81}, "label"),
    ("text", {"help": "x" * 1001}, "help"),
    ("text", {"placeholder": "x" * 201}, "placeholder"),
    ("number", {"unit": "x" * 21}, "unit"),
    ("text", {"pattern_hint": "x" * 201}, "pattern_hint"),
    ("text", {"pattern": "x" * 201}, "pattern"),
    ("text", {"pattern": "(a"}, "pattern"),
    ("number", {"pattern": "1"}, "pattern"),
    ("text", {"default": "Not small"}, "default"),
    ("text", {"default": "x" * 1001, "pattern": ""}, "default"),
    ("text", {"max_length": 0}, "max_length"),
    ("text", {"max_length": 1001}, "max_length"),
    ("lines", {"max_length": 20_001}, "max_length"),
    ("secret", {"max_length": 4001}, "max_length"),
    ("number", {"max_length": 3}, "max_length"),
    ("text", {"max_length": 3, "default": "abcd"}, "default"),
    ("text", {"minimum": 1}, "minimum"),
    ("text", {"choices": [{"value": "a"}]}, "choices"),
    ("lines", {"default": LONG}, "default"),
    ("number", {"minimum": 5}, "maximum"),
    ("number", {"default": 5}, "default"),
    ("number", {"default": 0}, "default"),
    ("number", {"default": "1.5"}, "default"),
    ("number", {"default": "many"}, "default"),
    ("number", {"minimum": 10**16, "maximum": None}, "minimum"),
    ("number", {"to": "max_node_count", "minimum": None, "default": 0}, "default"),
    ("choice", {"choices": []}, ""),
    ("choice", {"choices": [{"value": "s"}, {"value": "s"}]}, "choices.1"),
    ("choice", {"choices": [{"value": ""}]}, "choices.0"),
    ("choice", {"choices": [{"value": str(n)} for n in range(101)], "default": "1"}, "choices"),
    ("choice", {"default": "m"}, "default"),
    ("choice", {"to": "gpu_count"}, "choices.0"),
    ("choice", {"to": "max_node_count", "choices": [{"value": "0"}], "default": None}, "choices.0"),
    ("choice", {"to": "task"}, "choices.0"),
    ("choice", {"to": "image", "choices": [{"value": "a:b"}], "default": None}, "choices.0"),
    ("choice", {"choices": [{"value": "é"}], "default": None}, "choices.0"),
    ("gpu", {"default": "x" * 81}, "default"),
    ("region", {"default": ["mars-1"]}, "default"),
    ("switch", {"default": "perhaps"}, "default"),
    ("secret", {"default": "hf_canary"}, "default"),
    ("secret", {"hidden": True}, "hidden"),
    ("secret", {"locked": True}, "locked"),
    ("ssh_key", {"default": "ssh-ed25519 AAAA"}, "default"),
    ("ssh_key", {"locked": True}, "locked"),
    ("duration", {"default": "soon"}, "default"),
    ("duration", {"default": "2d"}, "default"),
    ("duration", {"minimum": 1.5}, "minimum"),
    ("duration", {"minimum": -1}, "minimum"),
    ("duration", {"to": "max_timeout_assign_ms", "default": "1m"}, "default"),
    ("ports", {"default": "0"}, "default"),
    ("ports", {"default": "65536"}, "default"),
    ("ports", {"default": "0655359"}, "default"),
    ("env", {"default": {"1A": "x"}}, "default"),
    ("env", {"default": {"HF_TOKEN": "hf_canary"}}, "default"),
    ("env", {"default": {"A": "é"}}, "default"),
    ("text", {"to": "env.HF_TOKEN"}, "default"),
    ("text", {"default": "hf_canaryCanary12", "pattern": ""}, "default"),
    ("env", {"default": {"SOURCE": "https://me:canary@example.com"}}, "default"),
    ("text", {"default": "é", "pattern": ""}, "default"),
    ("addresses", {"default": ["here"]}, "default"),
    ("addresses", {"default": ["203.0.113.7/24"]}, "default"),
    ("text", {"hidden": True, "default": None}, ""),
    ("number", {"locked": True, "default": None}, ""),
    ("text", {"locked": True, "required": True, "default": "", "pattern": ""}, "default"),
]


@pytest.mark.parametrize(("kind", "change", "place"), INPUT_FAULTS)
def test_a_fault_of_an_input_is_told_at_its_place(kind: str, change: dict[str, Any], place: str) -> None:
    found = faults({**INPUTS[kind], **change})
    assert next(iter(found)) == f"inputs.0.{place}".rstrip(".")


# Parts of a document, and where the fault is.
PART_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"spec": {"task": "PERSISTENT"}}, "spec"),
    ({"spec": {**SPEC, "task": "SOMETIMES"}}, "spec.task"),
    ({"spec": {name: value for name, value in SPEC.items() if name != "task"}}, "spec"),
    ({"spec": {**SPEC, "image": "a:b"}}, "spec.image"),
    ({"spec": {**SPEC, "title": "x" * 121}}, "spec.title"),
    ({"spec": {**SPEC, "gpu_count": -1}}, "spec.gpu_count"),
    ({"spec": {**SPEC, "gpu_name": "A", "gpu_registry_uuid": "b"}}, "spec.gpu_name"),
    ({"spec": {**SPEC, "max_timeout_assign_ms": 299_999}}, "spec.max_timeout_assign_ms"),
    ({"spec": {**SPEC, "max_timeout_start_ms": 119_999}}, "spec.max_timeout_start_ms"),
    ({"spec": {**BATCH, "max_timeout_run_ms": 59_999}}, "spec.max_timeout_run_ms"),
    ({"spec": {**SPEC, "ports": [0]}}, "spec.ports"),
    ({"spec": {**SPEC, "ports": ["22"]}}, "spec.ports.0"),
    ({"spec": {**SPEC, "ports": [22, True]}}, "spec.ports.1"),
    ({"spec": {**SPEC, "allowed_ips": ["x"]}}, "spec.allowed_ips"),
    ({"spec": {**SPEC, "allowed_region_codes": ["x"]}}, "spec.allowed_region_codes"),
    ({"spec": {**SPEC, "volumes": [{"image": "a", "mount": "/a", "secret": "s"}]}}, "spec.volumes.0.secret"),
    ({"spec": {**SPEC, "volumes": ["a"]}}, "spec.volumes.0"),
    ({"spec": {**SPEC, "env": {"HF_TOKEN": "hf_canary"}}}, "spec.env.HF_TOKEN"),
    ({"spec": {**SPEC, "env": {"SOURCE": "hf_canaryCanary12"}}}, "spec.env.SOURCE"),
    ({"spec": {**SPEC, "env": {"A": "é"}}}, "spec.env.A"),
    ({"spec": {**SPEC, "env": {"A": "a\0"}}}, "spec.env.A"),
    ({"spec": {**SPEC, "env": {"A": "-----BEGIN PRIVATE KEY-----"}}}, "spec.env.A"),
    ({"spec": {**SPEC, "env": {"A": 1}}}, "spec.env.A"),
    ({"spec": {**SPEC, "gpus": 1}}, "spec.gpus"),
    ({"locked": ["nothing"]}, "locked.0"),
    ({"locked": ["image", "env.MISSING"]}, "locked.1"),
    ({"locked": ["lifetime_s"]}, "locked.0"),
    ({"autostop": {"lifetime_s": 59}}, "autostop.lifetime_s"),
    ({"autostop": {"idle_limit_s": 59}}, "autostop.idle_limit_s"),
    ({"autostop": {"checkin_every_s": 0}}, "autostop.checkin_every_s"),
    ({"autostop": {"budget_usd": "0"}}, "autostop.budget_usd"),
    ({"autostop": {"budget_usd": "much"}}, "autostop.budget_usd"),
    ({"autostop": {"rate_cap_usd": "NaN"}}, "autostop.rate_cap_usd"),
    ({"autostop": {"rate_cap_usd": 1}}, "autostop.rate_cap_usd"),
    ({"autostop": {"log_noise": [""]}}, "autostop.log_noise.0"),
    ({"autostop": {"log_noise": ["x"] * 21}}, "autostop.log_noise"),
    ({"tags": ["x" * 41]}, "tags.0"),
    ({"tags": ["x"] * 21}, "tags"),
    ({"tags": ["ok", "Nightly"]}, "tags.1"),
    ({"tags": ["a, b"]}, "tags.0"),
    ({"connection": {"ssh_user": "a; rm"}}, "connection.ssh_user"),
    ({"connection": {"text": LONG}}, "connection.text"),
    ({"connection": {"links": [{"label": "x"}]}}, "connection.links.0"),
    ({"connection": {"links": [{"port": 65536}]}}, "connection.links.0.port"),
    ({"connection": {"links": [{"port": 80, "path": "x"}]}}, "connection.links.0.path"),
    ({"connection": {"links": [{"port": 80, "path": "/ x"}]}}, "connection.links.0.path"),
    ({"connection": {"links": [{"port": 80, "label": "x" * 81}]}}, "connection.links.0.label"),
    ({"connection": {"links": [{"port": 80}] * 11}}, "connection.links"),
]


@pytest.mark.parametrize(("parts", "place"), PART_FAULTS)
def test_a_fault_of_a_part_is_told_at_its_place(parts: dict[str, Any], place: str) -> None:
    assert list(faults(**parts)) == [place]


def test_two_inputs_may_not_share_a_key_or_a_target() -> None:
    found = faults(INPUTS["text"], {**INPUTS["text"], "to": "env.OTHER"}, {**INPUTS["text"], "key": "other"})
    assert list(found) == ["inputs.1.key", "inputs.2.to"]


def test_a_gpu_is_one_target_however_it_is_named() -> None:
    by_name = {"key": "name", "type": "text", "to": "gpu_name"}
    assert list(faults(INPUTS["gpu"], by_name)) == ["inputs.1.to"]


def test_rows_may_not_set_what_another_input_sets() -> None:
    rows = {**INPUTS["env"], "default": {"MODEL": "x"}}
    assert list(faults(INPUTS["text"], rows)) == ["inputs.0.to"]


@pytest.mark.parametrize("fields", [{}, {"hidden": True}])
@pytest.mark.parametrize("locked", ["*", "env.A"])
def test_rows_may_not_set_what_is_locked(fields: dict[str, Any], locked: str) -> None:
    found = faults({**INPUTS["env"], **fields}, spec={**SPEC, "env": {"A": "0"}}, locked=[locked])
    assert list(found) == ["inputs.0.default"]


def test_what_an_open_input_asks_for_cannot_be_locked_beside_it() -> None:
    found = faults(INPUTS["number"], locked=["image", "gpu_count"])
    assert list(found) == ["locked.1"]


def test_a_recipe_has_at_most_sixty_inputs() -> None:
    many = [{**INPUTS["text"], "key": f"k{n}", "to": f"env.K{n}"} for n in range(61)]
    assert make_document(*many[:60])
    assert list(faults(*many)) == ["inputs"]


def test_an_image_may_be_left_to_an_input() -> None:
    spec = {"task": "PERSISTENT"}
    image = {"key": "image", "type": "text", "to": "image", "required": True}
    assert make_document(image, spec=spec).spec["task"] == "PERSISTENT"
    assert list(faults({**image, "default": "a:b"}, spec=spec)) == ["inputs.0.default"]


def test_a_task_may_be_left_to_an_input() -> None:
    choices = [{"value": "BATCH"}, {"value": "PERSISTENT"}]
    task = {"key": "task", "type": "choice", "to": "task", "choices": choices, "required": True}
    assert make_document(task, spec={"image": "a"})


def test_a_title_may_have_any_script() -> None:
    assert make_document(spec={**SPEC, "title": "Größe №5"})


@pytest.mark.parametrize("data", [None, 1, "x", [], {"spec": []}, {"inputs": {}}, {"inputs": [1]}, {"x": 1}])
def test_what_has_not_the_shape_is_no_document(data: Any) -> None:
    document, problems = from_anything(data)
    assert document is None
    assert problems


def test_the_defaults_are_written_out_so_that_a_version_means_the_same_for_ever() -> None:
    assert make_document().spec["max_timeout_start_ms"] == 1_800_000
    assert make_document(spec=BATCH).spec["max_timeout_run_ms"] == 3_600_000
    assert "max_timeout_run_ms" not in make_document(spec={**SPEC, "max_timeout_run_ms": None}).spec


def test_a_deeply_nested_default_is_refused() -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    assert faults({**INPUTS["ports"], "default": deep})
