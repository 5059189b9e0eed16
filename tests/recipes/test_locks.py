"""Whatever way an order comes, it is as the author locked it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.recipes.answers import kept_answers
from dispersed_web.recipes.document import Document, Input
from dispersed_web.recipes.render import Rendered, render, violations
from tests.factories import SSH_KEY
from tests.recipes.documents import ANSWERS, INPUTS, SPEC, make_document


def refused(document: Document, answers: dict[str, Any] | None = None, **changes: Any) -> set[str]:
    """What is refused when an order as meant is changed: ``values``, ``env``, ``autostop`` and so on."""
    answers = answers or {}
    asked = render(document, answers)
    asked.problems.clear()
    for name, change in changes.items():
        before = getattr(asked, name)
        setattr(asked, name, before | change if isinstance(before, dict) else change)
    return set(violations(document, asked, answers))


OTHER: dict[str, tuple[str, Any]] = {  # a field that "*" locks, a value that is not the recipe's
    "task": ("values", "BATCH"),
    "image": ("values", "evil/image"),
    "tag": ("values", "nightly"),
    "registry_host": ("values", "registry.evil.example"),
    "registry_user": ("values", "me"),
    "image_source": ("values", "else"),
    "gpu_name": ("values", "H100"),
    "gpu_registry_uuid": ("values", "0198ac1c-7063-4be8-bb94-57a5bd83548e"),
    "cpu_count": ("values", 4),
    "gpu_count": ("values", 8),
    "min_vram_gb": ("values", 80),
    "min_ram_gb": ("values", 80),
    "min_storage_gb": ("values", 80),
    "max_node_count": ("values", 2),
    "max_retry_count": ("values", 1),
    "max_timeout_assign_ms": ("values", 900_000),
    "max_timeout_start_ms": ("values", 900_000),
    "max_timeout_run_ms": ("values", 900_000),
    "ports": ("values", (22, 8080)),
    "volumes": ("values", ({"image": "a", "mount": "/a"},)),
}


@pytest.mark.parametrize("field", OTHER)
def test_a_star_locks_every_field(field: str) -> None:
    part, value = OTHER[field]
    name = "gpu" if field.startswith("gpu_") and field != "gpu_count" else field
    assert refused(make_document(locked=["*"]), **{part: {field: value}}) == {name}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Mine"),
        ("description", "x"),
        ("ssh_key", SSH_KEY),
        ("allowed_ips", ("203.0.113.7",)),
        ("allowed_region_codes", ("eu-west-1",)),
    ],
)
def test_a_star_leaves_title_key_address_and_place_to_the_launcher(field: str, value: Any) -> None:
    assert not refused(make_document(locked=["*"]), values={field: value})
    assert refused(make_document(locked=["*", field]), values={field: value}) == {field}


def test_a_star_lets_no_variable_be_added_changed_or_left_out() -> None:
    document = make_document(spec={**SPEC, "env": {"A": "1"}}, locked=["*"])
    assert not refused(document)
    assert refused(document, env={"B": "1"}) == {"env"}
    assert refused(document, env={"A": "2"}) == {"env.A"}
    assert set(violations(document, Rendered(values=dict(document.spec)), {})) == {"env.A"}


def test_a_star_lets_no_registry_password_be_brought() -> None:
    assert refused(make_document(locked=["*"]), registry_secret="s") == {"registry_secret"}


def test_an_open_input_is_the_exception_from_a_star_inside_its_own_bounds() -> None:
    document = make_document(INPUTS["number"], locked=["*"])
    assert not refused(document, {"count": 3})
    assert refused(document, {"count": 5}) == {"count"}
    assert refused(document, {"count": 3}, values={"gpu_count": 5}) == {"count"}
    assert refused(document, {"count": 3}, values={"image": "evil"}) == {"image"}


def test_rows_add_variables_but_change_none_of_the_recipe() -> None:
    spec = {**SPEC, "env": {"A": "1"}}
    rows = {**INPUTS["env"], "default": None}
    document = make_document(rows, INPUTS["text"], spec=spec, locked=["env.A"])
    assert not refused(document, {"more": {"B": "2"}})
    assert refused(document, {"more": {"A": "2"}}) == {"more"}
    assert refused(document, {"more": {"MODEL": "evil"}}) == {"more"}
    assert refused(document, env={"A": "2"}) == {"env.A"}
    starred = make_document(rows, spec=spec, locked=["*"])
    assert not refused(starred, {"more": {"B": "2"}})
    assert refused(starred, {"more": {"A": "2"}}) == {"more"}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("flag", ["hidden", "locked"])
def test_rows_do_not_reach_a_fixed_variable_whatever_the_order_of_inputs(flag: str, order: int) -> None:
    fixed = {**INPUTS["text"], flag: True}
    document = make_document(*[fixed, {**INPUTS["env"], "default": None}][::order])
    assert refused(document, {"more": {"MODEL": "evil"}}) == {"more"}
    assert render(document, {"more": {"MODEL": "evil"}}).env["MODEL"] == "small"
    assert refused(document, env={"MODEL": "evil"}) == {"env.MODEL"}


@pytest.mark.parametrize("flag", ["hidden", "locked"])
def test_fixed_rows_are_all_the_variables_there_are(flag: str) -> None:
    document = make_document({**INPUTS["env"], flag: True})
    assert not refused(document)
    assert refused(document, env={"A": "2"}) == {"env"}
    assert refused(document, env={"B": "2"}) == {"env"}
    assert "more" in refused(document, {"more": {"A": "2"}})


@pytest.mark.parametrize("flag", ["hidden", "locked"])
@pytest.mark.parametrize("kind", [kind for kind in INPUTS if kind not in ("secret", "ssh_key")])
def test_a_fixed_input_of_each_type_keeps_its_default(kind: str, flag: str) -> None:
    data = {**INPUTS[kind], flag: True}
    document = make_document(data)
    assert not refused(document)
    answered = {data["key"]: ANSWERS[kind]}
    assert data["key"] in refused(document, answered)
    other = render(make_document(INPUTS[kind]), answered)
    assert not other.problems
    assert violations(document, other, {})
    assert violations(document, other, answered)


@pytest.mark.parametrize("kind", INPUTS)
def test_an_open_input_of_each_type_takes_its_answer(kind: str) -> None:
    document = make_document(INPUTS[kind])
    answers = {INPUTS[kind]["key"]: ANSWERS[kind]}
    asked = render(document, answers)
    assert not asked.problems
    assert not violations(document, asked, kept_answers(document, answers))


BAD: list[tuple[str, dict[str, Any], dict[str, Any]]] = [  # kind, change to the input, what is asked for
    ("text", {}, {"env": {"MODEL": "Not small"}}),
    ("text", {"pattern": "", "max_length": 2, "default": None}, {"env": {"MODEL": "abc"}}),
    ("text", {"required": True}, {"env": {"MODEL": ""}}),
    ("number", {}, {"values": {"gpu_count": 5}}),
    ("number", {}, {"values": {"gpu_count": 0}}),
    ("choice", {}, {"env": {"SIZE": "m"}}),
    ("duration", {}, {"autostop": {"lifetime_s": 90_000}}),
    ("secret", {"required": True}, {}),
    ("secret", {"pattern": "hf_.*"}, {"env": {"HF_TOKEN": "x"}, "secret_env": frozenset({"HF_TOKEN"})}),
    ("secret", {}, {"env": {"HF_TOKEN": "hf_canary"}}),  # asked for as no secret
    ("ssh_key", {"required": True}, {}),
    ("addresses", {"required": True}, {"values": {"allowed_ips": ()}}),
]


@pytest.mark.parametrize(("kind", "change", "asked"), BAD)
def test_what_an_input_does_not_allow_is_refused_in_its_place_too(
    kind: str, change: dict[str, Any], asked: dict[str, Any]
) -> None:
    document = make_document({**INPUTS[kind], **change})
    assert refused(document, **asked) == {INPUTS[kind]["key"]}


def test_a_choice_of_gpu_names_is_not_passed_by_with_a_uuid() -> None:
    choices = [{"value": "RTX 4090"}, {"value": "RTX 5090"}]
    document = make_document({"key": "gpu", "type": "choice", "to": "gpu_name", "choices": choices})
    assert not refused(document, {"gpu": "RTX 4090"})
    uuid = "0198ac1c-7063-4be8-bb94-57a5bd83548e"
    assert refused(document, {"gpu": "RTX 4090"}, values={"gpu_name": "", "gpu_registry_uuid": uuid}) == {
        "gpu"
    }


@pytest.mark.parametrize("target", ["gpu", "gpu_name", "gpu_registry_uuid"])
def test_a_gpu_is_locked_by_name_and_from_the_registry_at_once(target: str) -> None:
    document = make_document(spec={**SPEC, "gpu_name": "RTX 5090"}, locked=[target])
    uuid = "0198ac1c-7063-4be8-bb94-57a5bd83548e"
    assert refused(document, values={"gpu_name": "", "gpu_registry_uuid": uuid}) == {"gpu"}
    assert refused(document, values={"gpu_name": ""}) == {"gpu"}
    assert refused(document, values={"gpu_registry_uuid": uuid}) == {"gpu"}


def test_a_locked_image_is_locked_to_its_registry() -> None:
    document = make_document(locked=["image"])
    assert refused(document, values={"registry_host": "registry.evil.example"}) == {"registry_host"}
    assert not refused(document, values={"tag": "2"})


def test_port_22_is_added_for_whoever_brings_a_key_and_nothing_else() -> None:
    document = make_document(spec={**SPEC, "ports": [8188]}, locked=["ports"])
    assert not refused(document, values={"ssh_key": SSH_KEY, "ports": (22, 8188)})
    assert refused(document, values={"ports": (22, 8188)}) == {"ports"}
    assert refused(document, values={"ssh_key": SSH_KEY, "ports": (22, 8188, 80)}) == {"ports"}
    assert refused(document, values={"ssh_key": SSH_KEY, "ports": ()}) == {"ports"}
    without = make_document(locked=["ports"])
    assert not refused(without, values={"ssh_key": SSH_KEY, "ports": (22,)})
    assert refused(without, values={"ssh_key": SSH_KEY, "ports": (22, 80)}) == {"ports"}


def test_money_is_compared_as_amounts() -> None:
    document = make_document(autostop={"budget_usd": "5.00", "rate_cap_usd": "1"}, locked=["budget_usd"])
    assert not refused(document, autostop={"budget_usd": Decimal(5)})
    assert refused(document, autostop={"budget_usd": Decimal("5.01")}) == {"budget_usd"}
    assert refused(document, autostop={"budget_usd": None}) == {"budget_usd"}
    assert not refused(document, autostop={"rate_cap_usd": Decimal(9)})


def test_what_auto_stop_reads_can_be_locked() -> None:
    locked = ["log_noise", "uses_logs", "idle_limit_s", "lifetime_s"]
    autostop = {"log_noise": ["a", "b"], "idle_limit_s": 900, "lifetime_s": 3600}
    document = make_document(autostop=autostop, locked=locked)
    assert not refused(document, autostop={"log_noise": ("b", "a"), "uses_logs": False})
    assert refused(document, autostop={"log_noise": ("a",)}) == {"log_noise"}
    assert refused(document, autostop={"uses_logs": True}) == {"uses_logs"}
    assert refused(document, autostop={"idle_limit_s": None}) == {"idle_limit_s"}
    assert refused(document, autostop={"lifetime_s": 7200}) == {"lifetime_s"}


def test_a_task_chosen_by_the_launcher_brings_its_time_limit() -> None:
    choices = [{"value": "BATCH"}, {"value": "PERSISTENT"}]
    task = {"key": "task", "type": "choice", "to": "task", "choices": choices, "default": "PERSISTENT"}
    document = make_document(task, spec={"title": "x", "image": "a"}, locked=["*"])
    assert render(document, {"task": "BATCH"}).values["max_timeout_run_ms"] == 3_600_000
    assert "max_timeout_run_ms" not in render(document, {}).values
    assert not refused(document, {"task": "BATCH"})
    assert refused(document, {"task": "BATCH"}, values={"max_timeout_run_ms": 60_000}) == {
        "max_timeout_run_ms"
    }


def test_a_locked_title_lets_copies_be_numbered_and_a_locked_tag_others_be_added() -> None:
    document = make_document(locked=["title", "job_tag"], tags=["nightly"])
    for suffix in ("", " 2", " (2)", " #2", " 2/5", " (2 of 5)"):
        assert not refused(document, values={"title": f"Machine{suffix}"})
    for title in ("Machines", "Machine two", "2", "", "Machine 2 2"):
        assert refused(document, values={"title": title}) == {"title"}
    assert not refused(document, tags=("nightly", "mine"))
    assert refused(document, tags=("mine",)) == {"job_tag"}


def test_an_answer_to_nothing_is_refused() -> None:
    assert refused(make_document(), {"gpu_count": 8}) == {"gpu_count"}


def test_secrets_are_not_among_the_answers_that_are_kept() -> None:
    document = make_document(INPUTS["secret"], INPUTS["env"], INPUTS["text"])
    answers = {
        "token": "hf_canary",
        "more": {"A": "1", "MY_PASSWORD": "p", "B": "s"},
        "model": "large",
        "x": "y",
    }
    kept = kept_answers(document, answers, frozenset({"B"}))
    assert kept == {"more": {"A": "1"}, "model": "large"}


def test_an_answer_in_the_form_of_a_key_is_kept_nowhere():
    document = Document(inputs=(Input("mode", "text", "env.MODE"), Input("rows", "env", "env")))
    key = "hf_" + "a1B2" * 6
    kept = kept_answers(document, {"mode": key, "rows": {"A": key, "B": "plain"}})
    assert kept == {"rows": {"B": "plain"}}
    assert kept_answers(document, {"mode": "fast"}) == {"mode": "fast"}
