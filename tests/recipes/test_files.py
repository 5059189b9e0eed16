"""Recipes as YAML files."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispersed_web.recipes import files, starters
from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.yaml_reading import FileProblem
from tests.recipes import strategies
from tests.recipes.documents import INPUTS, SPEC, make_document

GOOD = """\
dispersed_web: recipe/1
name: Machine
description: |
  # A machine

  With *words*.
category: machine
icon: machine
spec:
  task: PERSISTENT
  image: base
  ports: [22, 8188]
  env:
    DEBUG: yes
    DAY: 2024-01-01
    SIZE: '2'
inputs:
  - key: vram
    type: number
    to: min_vram_gb
    default: 24
  - key: flag
    type: switch
    to: env.FLAG
    on: "true"
    default: false
locked:
  - image
"""


def problems_of(text: str) -> list[tuple[int, int]]:
    recipes, problems = files.from_yaml(text)
    assert not recipes
    assert problems
    return [(one.line, one.column) for one in problems]


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_a_file_is_read() -> None:
    (recipe,), problems = files.from_yaml(GOOD)
    assert not problems
    assert recipe.about == {
        "name": "Machine",
        "description_md": "# A machine\n\nWith *words*.",
        "category": "machine",
        "icon": "machine",
    }
    document = recipe.document
    assert document.env == {"DEBUG": "yes", "DAY": "2024-01-01", "SIZE": "2"}
    assert document.spec["ports"] == [22, 8188]
    assert [one.default for one in document.inputs] == [24, False]
    assert document.inputs[1].on == "true"


@pytest.mark.parametrize(
    "text",
    [
        GOOD + "---\n" + GOOD,
        GOOD + "---\n" + GOOD + "---\n",
        "---\n" + GOOD + "...\n---\n" + GOOD,
        "".join("- " + GOOD.replace("\n", "\n  ").rstrip() + "\n" for _ in range(2)),
    ],
)
def test_several_recipes_are_documents_or_a_list(text: str) -> None:
    recipes, problems = files.from_yaml(text)
    assert not problems
    assert [one.name for one in recipes] == ["Machine", "Machine"]
    assert recipes[0].document == recipes[1].document
    assert recipes[0].line < recipes[1].line


# One change to the good file, and the lines and columns of its faults.
FAULTS: list[tuple[str, str, list[tuple[int, int]]]] = [
    ("dispersed_web: recipe/1", "dispersed_web: recipe/2", [(1, 1)]),
    ("dispersed_web: recipe/1\n", "", [(1, 1)]),
    ("name: Machine", "name: ''", [(2, 1)]),
    ("name: Machine", "title: Machine", [(1, 1), (2, 1)]),
    ("name: Machine", "name: 5", [(2, 1)]),
    ("name: Machine", f"name: {'x' * 81}", [(2, 1)]),
    ("category: machine", "category: fun", [(7, 1)]),
    ("icon: machine", "icon: ../x", [(8, 1)]),
    ("  task: PERSISTENT", "  task: SOMETIMES", [(10, 3)]),
    ("  task: PERSISTENT", "  tusk: PERSISTENT", [(10, 3)]),
    ("  image: base", "  image: base:2", [(11, 3)]),
    ("  image: base", "  image: 5", [(11, 3)]),
    ("[22, 8188]", "[22, many]", [(12, 15)]),
    ("[22, 8188]", "[22, 0]", [(12, 3)]),
    ("    DEBUG: yes", "    DEBUG: 1", [(14, 5)]),
    ("    DEBUG: yes", "    HF_TOKEN: hf_canary", [(14, 5)]),
    ("    DEBUG: yes", "    DAY: yes", [(15, 5)]),  # twice
    ("    to: min_vram_gb", "    to: nowhere", [(20, 5)]),
    ("    default: 24", "    default: lots", [(21, 5)]),
    ("    default: 24", "    default: 24\n    default: 25", [(22, 5)]),
    ("    default: 24", "    minimum: 9\n    maximum: 1", [(22, 5)]),
    ("  - key: flag", "  - key: vram", [(22, 5)]),
    ("    type: switch", "    type: toggle", [(23, 5)]),
    ('on: "true"', "on: true", [(25, 5)]),
    ("  - image", "  - image\n  - nothing", [(29, 5)]),
    ("inputs:", "inputs: &all", [(17, 9)]),
    ("  image: base", "  image: *base", [(11, 10)]),
    ("  image: base", "  image: !!python/name:os.system", [(11, 10)]),
    ("  image: base", "  image: ! base", [(11, 10)]),
    ("  image: base", "  image: [base", [(12, 8)]),
    ("  image: base", "\timage: base", [(11, 1)]),
    ("  image: base", "  ? [a]\n  : base", [(11, 5)]),
]


@pytest.mark.parametrize(("old", "new", "places"), FAULTS)
def test_every_fault_is_told_at_its_line_and_column(
    old: str, new: str, places: list[tuple[int, int]]
) -> None:
    assert problems_of(changed(old, new)) == places


def test_faults_of_several_recipes_are_told_together() -> None:
    bad = changed("task: PERSISTENT", "task: X")
    length = bad.count("\n") + 1
    assert problems_of(bad + "---\n" + bad) == [(10, 3), (10 + length, 3)]
    listed = "".join("- " + bad.replace("\n", "\n  ").rstrip() + "\n" for _ in range(2))
    assert problems_of(listed) == [(10, 5), (9 + length, 5)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---\n",
        "# nothing\n",
        "[]",
        "5",
        "- 5",
        "\0",
        "a: \ud800",
        "x" * 1_000_001,
        "é" * 500_001,
        "[" * 5000,
        "{a: " * 5000,
        "- " * 5000,
        "dispersed_web: recipe/1\n" * 3,
        GOOD + "---\n- " * 250,
    ],
)
def test_what_is_no_recipe_is_refused_with_a_place(text: str) -> None:
    assert problems_of(text)[0] >= (1, 1)


def test_a_fault_reads_well() -> None:
    _, problems = files.from_yaml(changed("  image: base", "  image: base:2"))
    assert str(problems[0]).startswith("line 11, column 3: The image must be given without its tag")
    assert FileProblem(1, 2, "b") < FileProblem(2, 1, "a")


def test_a_file_reads_well() -> None:
    document = make_document(
        INPUTS["number"],
        INPUTS["ports"],
        spec={**SPEC, "env": {"DEBUG": "yes", "TEXT": "a\nb"}},
        locked=["image"],
    )
    text = files.write({"name": "Machine", "description": "One\n\ntwo", "category": "", "icon": ""}, document)
    assert text == (
        "dispersed_web: recipe/1\n"
        "name: Machine\n"
        "description: |-\n"
        "  One\n"
        "\n"
        "  two\n"
        "spec:\n"
        "  task: PERSISTENT\n"
        "  title: Machine\n"
        "  image: dispersednetwork/base\n"
        "  tag: latest\n"
        "  gpu_count: 1\n"
        "  max_node_count: 1\n"
        "  max_retry_count: 0\n"
        "  max_timeout_assign_ms: 600000\n"
        "  max_timeout_start_ms: 1800000\n"
        "  env:\n"
        "    DEBUG: 'yes'\n"
        "    TEXT: |-\n"
        "      a\n"
        "      b\n"
        "inputs:\n"
        "  - key: count\n"
        "    type: number\n"
        "    to: gpu_count\n"
        "    default: 1\n"
        "    minimum: 1\n"
        "    maximum: 4\n"
        "  - key: ports\n"
        "    type: ports\n"
        "    to: ports\n"
        "    default: 22, 8888\n"
        "locked:\n"
        "  - image\n"
    )


ABOUT = {"name": "x"}


@settings(max_examples=60, deadline=None)
@given(strategies.documents())
def test_what_is_written_is_read_again(document: Document) -> None:
    (recipe,), problems = files.from_yaml(files.write(ABOUT, document))
    assert not problems
    assert recipe.document == document


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=40)
ODD = [
    "a\n",
    "\n\na",
    " a\n b",
    "a\n ",
    "# a",
    "yes",
    "null",
    "~",
    "1",
    "0x1F",
    "010",
    "1e5",
    "1.5",
    "1.5e5",
    "1.5e+5",
]
ODD += [
    "2024-01-01",
    "a: b",
    "- a",
    "&a",
    "*a",
    "!a",
    "%a",
    "@a",
    "`a",
    "{a",
    "[a",
    "'",
    '"',
    "|",
    ">",
    "?",
    ":",
    "<<",
]
ODD += [
    "a\x85b",
    "a\u2028b\nc",
    "\ufeffa\nb",
    "a\tb\nc",
    "\n",
    "...",
    "---",
    "--- a\n--- b",
    "=",
    "1:30",
    "9" * 30,
]


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    check_text(text)


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_read_as_they_were_written(text: str) -> None:
    check_text(text)


def check_text(text: str) -> None:
    document = make_document({**INPUTS["text"], "pattern": "", "help": text, "label": text, "default": None})
    (recipe,), problems = files.from_yaml(files.write(ABOUT, document))
    assert not problems
    assert recipe.document == document


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.text(alphabet="-[]{}:,&*!|>'\"#%@ \n\tab1", max_size=60)))
@example("? ? a")
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    recipes, problems = files.from_yaml(text)
    assert not recipes
    assert all(one.line >= 1 and one.column >= 1 for one in problems)


@pytest.mark.parametrize("name", starters.known())
def test_the_starters_are_written_as_they_are_read(name: str) -> None:
    parsed = starters.known()[name]
    about: dict[str, Any] = {**parsed.about, "description": parsed.about["description_md"]}
    (again,), problems = files.from_yaml(files.write(about, parsed.document))
    assert not problems
    assert (again.about, again.document) == (parsed.about, parsed.document)


def test_a_mistyped_name_is_told_with_the_one_that_is_meant() -> None:
    text = "dispersed_web: recipe/1\nname: Box\nspec:\n  task: BATCH\n  image: a\n  tga: v1\n  colour: red\n"
    assert [(fault.line, fault.sentence) for fault in files.from_yaml(text)[1]] == [
        (6, "“tga” is not known here. Did you mean “tag”?"),
        (7, "“colour” is not known here."),
    ]


MANY_FAULTS = """\
dispersed_web: recipe/1
name: X
spec:
  imge: a/b
  ports: [22, x]
  env: {HF_TOKEN: abc, 2X: y}
inputs:
  - {key: a, type: text, to: 5}
  - {key: b, type: nmber, to: gpu_count}
locked: [gpu]
autostop: {budget_usd: "-3"}
"""


def test_all_faults_of_a_file_are_told_at_once_each_at_its_line() -> None:
    found = [(fault.line, fault.sentence[:24]) for fault in files.from_yaml(MANY_FAULTS)[1]]
    assert found == [
        (4, "“imge” is not known here"),
        (5, "Every entry must be a nu"),
        (6, "HF_TOKEN looks like a se"),
        (6, "A variable's name has le"),
        (8, "to must be a text."),
        (9, "The type is one of text,"),
        (11, "An amount above 0 in US "),
    ]


JUNK = st.sampled_from([None, 1, 2.5, True, "x", "", [], [[]], {}, {"a": 1}, [None], [{}], {"spec": 1}])


@settings(max_examples=60)
@given(st.sampled_from(sorted(starters.known())), st.data())
def test_a_document_in_which_anything_was_replaced_is_refused_or_read_and_never_trips(
    name: str, data: st.DataObject
) -> None:
    whole: Any = copy.deepcopy(starters.known()[name].document.to_json())
    for _ in range(3):
        place: Any = whole
        while True:
            key = data.draw(
                st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place))))
            )
            inner = place[key]
            if not isinstance(inner, (dict, list)) or not inner or data.draw(st.booleans()):
                break
            place = inner
        place[key] = copy.deepcopy(data.draw(JUNK))
    document, problems = from_anything(whole)
    assert (document is None) == bool(problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 400_000, "nested too deeply"),
        ("a: " + "{a: " * 50_000, "nested too deeply"),
        ("{" + ",".join(f"{number}: 1" for number in range(40_000)) + "}", "too many parts"),
        ("---\n" * 100_000, "too many parts"),
        ("a: &a [x]\nb: [*a, *a]\n", "Anchors (&) and aliases (*) are not read"),
    ],
    ids=["lists", "mappings", "keys", "documents", "aliases"],
)
def test_a_file_made_to_keep_the_server_busy_is_refused_before_anything_is_built(
    text: str, said: str
) -> None:
    found, problems = files.from_yaml(text)
    assert found == []
    assert said in problems[0].sentence
