"""Secrets of the team in recipes: named, checked, locked, told apart, written and read, and never a value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispersed_web.recipes import diff, files, locks, vendor
from dispersed_web.recipes.answers import kept_answers
from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.inputs import BadAnswer, read
from dispersed_web.recipes.references import Reference
from dispersed_web.recipes.render import Rendered, render, violations

SPEC = {"task": "PERSISTENT", "title": "Box", "image": "org/box", "env": {"MODE": "lab"}}
NAMED = {"env.HF_TOKEN": "hf-token", "registry_secret": "ghcr"}
ASKS = [{"key": "token", "type": "secret", "to": "env.HF_TOKEN", "required": True, "pattern": "hf_.*"}]


def document(**parts: Any) -> Document:
    found, problems = from_anything({"spec": SPEC, **parts})
    assert found is not None, problems
    return found


def problems(**parts: Any) -> list[tuple[Any, ...]]:
    return [problem.path for problem in from_anything({"spec": SPEC, **parts})[1]]


def test_a_named_secret_is_no_value() -> None:
    found = render(document(secrets=NAMED), {})
    assert found.refs == NAMED
    assert found.env == {"MODE": "lab", "HF_TOKEN": ""}
    assert (found.registry_secret, found.secret_env) == ("", {"HF_TOKEN"})


@pytest.mark.parametrize(
    ("secrets", "path"),
    [
        ({"env.HF_TOKEN": "two words"}, ("secrets", "env.HF_TOKEN")),
        ({"env.HF_TOKEN": 7}, ("secrets", "env.HF_TOKEN")),
        ({"env.9X": "a"}, ("secrets", "env.9X")),
        ({"image": "a"}, ("secrets", "image")),
        ({"env.MODE": "a"}, ("secrets", "env.MODE")),
        ({"env.X": "0b0e6c5e-6c5e-4c5e-8c5e-0b0e6c5e6c5e"}, ("secrets", "env.X")),
        (["hf-token"], ("secrets",)),
    ],
)
def test_what_names_no_secret_is_told_at_its_place(secrets: Any, path: tuple[str, ...]) -> None:
    assert problems(secrets=secrets) == [path]


def test_an_input_and_a_named_secret_do_not_set_the_same() -> None:
    assert problems(secrets=NAMED, inputs=ASKS) == [("secrets", "env.HF_TOKEN")]


def test_files_hold_names_and_read_them_again() -> None:
    before = document(secrets=NAMED, locked=["env.HF_TOKEN"])
    text = files.write({"name": "Box"}, before)
    assert "secrets:\n  env.HF_TOKEN: hf-token\n  registry_secret: ghcr\n" in text
    (parsed,), faults = files.from_yaml(text)
    assert (parsed.document, faults) == (before, [])


def test_a_fault_of_a_name_has_its_line() -> None:
    text = files.write({"name": "Box"}, document(secrets=NAMED)).replace("hf-token", "hf token")
    line = text.splitlines().index("  env.HF_TOKEN: hf token") + 1
    assert [(fault.line, fault.sentence[:13]) for fault in files.from_yaml(text)[1]] == [
        (line, "A secret's na")
    ]


def test_a_change_of_the_name_is_a_difference() -> None:
    before, after = document(secrets=NAMED), document(secrets=NAMED | {"env.HF_TOKEN": "other"})
    (change,) = diff.changes(before, after)
    assert change.path == ("Job", "Variable HF_TOKEN")
    assert (change.before, change.after) == ("the team’s secret “hf-token”", "the team’s secret “other”")
    assert [one.kind for one in diff.changes(before, document())] == ["removed", "removed"]


def asked(refs: dict[str, str], **env: str) -> Rendered:
    values = {**SPEC, "gpu_count": 1}
    values = dict(document().spec) | values
    del values["env"]
    return Rendered(values, {"MODE": "lab"} | env, frozenset(env), refs=refs)


@pytest.mark.parametrize("locked", [["env.HF_TOKEN"], ["*"]])
def test_a_locked_secret_cannot_be_changed_for_another_or_for_a_value(locked: list[str]) -> None:
    meant = document(secrets={"env.HF_TOKEN": "hf-token"}, locked=locked)
    assert not violations(meant, asked({"env.HF_TOKEN": "HF-Token"}, HF_TOKEN="placeholder"), {})
    for refs, env in (
        ({"env.HF_TOKEN": "another"}, {"HF_TOKEN": "placeholder"}),
        ({}, {"HF_TOKEN": "a value"}),
        ({}, {"HF_TOKEN": ""}),
        ({}, {}),
    ):
        assert "env.HF_TOKEN" in violations(meant, asked(refs, **env), {})


def test_a_variable_with_a_secret_is_a_variable_that_was_added() -> None:
    meant = document(locked=["*"])
    assert "env" in violations(meant, asked({"env.OTHER": "hf-token"}, OTHER="placeholder"), {})


def test_a_copy_keeps_the_lock_of_a_named_secret() -> None:
    first = document(secrets=NAMED, locked=["env.HF_TOKEN"])
    after = replace(first, secrets=NAMED | {"env.HF_TOKEN": "mine"})
    assert [problem.path for problem in locks.lost_locks(first, first, after)] == [("locked",)]
    assert not locks.lost_locks(first, first, replace(first, secrets=NAMED | {"registry_secret": "mine"}))


# Answers ---------------------------------------------------------------------------------------------------------------


def test_a_secret_input_takes_a_name_and_does_not_look_at_the_value() -> None:
    recipe = document(inputs=ASKS)
    found = render(recipe, {"token": {"team_secret": "hf-token"}})
    assert not found.problems
    assert found.refs == {"env.HF_TOKEN": "hf-token"}
    assert found.secret_env == {"HF_TOKEN"}
    assert render(recipe, {"token": "wrong"}).problems.keys() == {"token"}


@pytest.mark.parametrize(
    "answer", [{"team_secret": 7}, {"team_secret": "two words"}, {"team_secret": ""}, {"x": "y"}]
)
def test_what_names_nothing_is_no_answer(answer: Any) -> None:
    with pytest.raises(BadAnswer):
        read(document(inputs=ASKS).inputs[0], answer)


def test_no_other_input_takes_a_name() -> None:
    text = document(inputs=[{"key": "token", "type": "text", "to": "env.HF_TOKEN"}]).inputs[0]
    for answer in ({"team_secret": "hf-token"}, Reference("hf-token")):
        with pytest.raises(BadAnswer):
            read(text, answer)


def test_a_typed_value_takes_the_place_of_a_name() -> None:
    rows = {"key": "more", "type": "env", "to": "env"}
    recipe = document(secrets={"env.HF_TOKEN": "hf-token"}, inputs=[rows])
    found = render(recipe, {"more": {"HF_TOKEN": "typed"}})
    assert (found.refs, found.env["HF_TOKEN"]) == ({}, "typed")


def test_of_a_secret_answer_only_a_name_is_kept() -> None:
    recipe = document(inputs=ASKS)
    assert kept_answers(recipe, {"token": {"team_secret": "hf-token"}}) == {
        "token": {"team_secret": "hf-token"}
    }
    assert kept_answers(recipe, {"token": "hf_canary"}) == {}


def test_a_job_with_secrets_of_the_team_becomes_a_recipe_that_names_them() -> None:
    rows = [{"name": "HF_TOKEN", "value": None, "secret": True, "team_secret": "hf-token"}]
    spec = {"image": "org/box", "env": rows, "has_registry_secret": True, "registry_team_secret": "ghcr"}
    taken = vendor.from_job("PERSISTENT", "Box", spec)
    assert taken.document is not None, taken.problems
    assert dict(taken.document.secrets) == NAMED
    assert not [one for one in taken.document.inputs if one.type == "secret"]


# Volumes -------------------------------------------------------------------------------------------------------------

DATA = {"image": "ghcr.io/org/data", "mount": "/data", "user": "robot"}
WITH_DATA = {**SPEC, "volumes": [DATA]}
LOGIN = {"volume./data": "ghcr"}


def test_a_file_names_the_secret_of_a_volume_and_reads_it_again() -> None:
    before = document(spec=WITH_DATA, secrets=LOGIN)
    text = files.write({"name": "Box"}, before)
    assert "secrets:\n  volume./data: ghcr\n" in text
    (parsed,), faults = files.from_yaml(text)
    assert (parsed.document, faults) == (before, [])
    assert render(parsed.document, {}).refs == LOGIN


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("volume./data: ghcr", "volume./date: ghcr", "  volume./date: ghcr", "No volume of this recipe has"),
        ("volume./data: ghcr", "volume./data: gh cr", "  volume./data: gh cr", "A secret's name"),
        (
            "      user: robot",
            "      secret: canary",
            "      secret: canary",
            "A recipe holds no secrets: name",
        ),
    ],
)
def test_a_fault_of_a_volumes_secret_has_its_line(before: str, after: str, line: str, said: str) -> None:
    text = files.write({"name": "Box"}, document(spec=WITH_DATA, secrets=LOGIN)).replace(before, after)
    (fault,) = files.from_yaml(text)[1]
    assert (fault.line, fault.sentence[: len(said)]) == (text.splitlines().index(line) + 1, said)


@pytest.mark.parametrize("locked", [["volume./data"], ["volumes"], ["*"]])
def test_the_secret_of_a_locked_volume_cannot_be_changed(locked: list[str]) -> None:
    meant = document(spec=WITH_DATA, secrets=LOGIN, locked=locked)
    asked = render(meant, {})
    assert not violations(meant, asked, {})
    for refs in ({"volume./data": "other"}, {}):
        assert violations(meant, replace(asked, refs=refs), {}) == {
            "volume./data": "The recipe's author locked this: it cannot be changed."
        }


def test_another_secret_of_a_volume_is_a_change() -> None:
    before = document(spec=WITH_DATA, secrets=LOGIN)
    (change,) = diff.changes(before, replace(before, secrets={"volume./data": "other"}))
    assert change.path == ("Job", "Registry password of the volume at /data")
    assert (change.before, change.after) == ("the team’s secret “ghcr”", "the team’s secret “other”")


def test_a_job_whose_volume_got_a_secret_of_the_team_becomes_a_recipe_that_names_it() -> None:
    row = {**DATA, "has_secret": True, "team_secret": "ghcr"}
    taken = vendor.from_job("PERSISTENT", "Box", {"image": "org/box", "volumes": [row]})
    assert (taken.problems, taken.notes) == ([], [])
    assert taken.document is not None
    assert dict(taken.document.secrets) == LOGIN
    assert taken.document.spec["volumes"] == [DATA]
