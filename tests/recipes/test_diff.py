"""Two versions of a recipe beside each other."""

from __future__ import annotations

from typing import Any

from dispersed_web.recipes.diff import changes
from dispersed_web.recipes.document import Document
from tests.recipes.documents import INPUTS, SPEC, make_document


def told(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(path, kind, before, after) of each change between two documents."""
    documents = []
    for parts in (before, after):
        parts = {**parts}
        documents.append(make_document(*parts.pop("inputs", ()), **parts))
    return [(" › ".join(one.path), one.kind, one.before, one.after) for one in changes(*documents)]


def test_the_same_has_no_differences() -> None:
    whole = {
        "inputs": list(INPUTS.values()),
        "locked": ["image"],
        "tags": ["a"],
        "autostop": {"idle_limit_s": 60},
    }
    assert told(whole, whole) == []


def test_fields_are_told_in_words() -> None:
    before = {"spec": {**SPEC, "max_timeout_start_ms": 1_800_000, "ports": [22]}}
    after = {
        "spec": {**SPEC, "image": "b", "max_timeout_start_ms": 2_700_000, "min_vram_gb": 24},
        "autostop": {"budget_usd": "5", "idle_limit_s": 5400, "uses_logs": True},
    }
    assert told(before, after) == [
        ("Job › Image", "changed", "dispersednetwork/base", "b"),
        ("Job › VRAM, at least", "added", "", "24"),
        ("Job › Start, image pull included", "changed", "30m", "45m"),
        ("Job › Ports", "removed", "22", ""),
        ("Auto-stop › When not used for", "added", "", "1h 30m"),
        ("Auto-stop › A silent log means idle", "added", "", "yes"),
        ("Auto-stop › Most it may cost", "added", "", "$5"),
    ]


def test_a_variable_without_a_value_is_told_too() -> None:
    before = {"spec": {**SPEC, "env": {"A": "1", "B": "2"}}}
    after = {"spec": {**SPEC, "env": {"B": "3", "C": ""}}}
    assert told(before, after) == [
        ("Job › Variable A", "removed", "1", ""),
        ("Job › Variable B", "changed", "2", "3"),
        ("Job › Variable C", "added", "", ""),
    ]


def test_inputs_are_known_by_their_keys() -> None:
    before = {"inputs": [INPUTS["number"], INPUTS["text"]]}
    after = {
        "inputs": [INPUTS["secret"], {**INPUTS["text"], "label": "Model", "locked": True}, INPUTS["number"]]
    }
    assert told(before, after) == [
        ("Inputs › Token", "added", "", "secret for Variable HF_TOKEN"),
        ("Inputs › Model › label", "added", "", "Model"),
        ("Inputs › Model › locked", "changed", "no", "yes"),
        ("Inputs › Order", "moved", "Count, Model", "Model, Count"),
    ]
    assert told({"inputs": [INPUTS["number"]]}, {}) == [
        ("Inputs › Count", "removed", "number for GPUs, default 1", "")
    ]


def test_locks_tags_and_links_are_told_one_by_one() -> None:
    link = {"port": 5000, "label": "UI", "path": "/"}
    before = {"locked": ["image"], "tags": ["a", "b"], "connection": {"links": [link]}}
    after = {"locked": ["*"], "tags": ["b"], "connection": {"ssh_user": "duser"}}
    assert told(before, after) == [
        ("Locked", "removed", "Image", ""),
        ("Locked", "added", "", "Everything"),
        ("Tags", "removed", "a", ""),
        ("Connection › SSH user", "added", "", "duser"),
        ("Connection › Link", "removed", "UI 5000/", ""),
    ]


def test_a_long_text_shows_its_changed_lines_only() -> None:
    text = "\n".join(str(number) for number in range(40))
    before = make_document(connection={"text": text})
    after = make_document(connection={"text": text.replace("\n5\n", "\nfive\n").replace("\n30\n", "\n")})
    (change,) = changes(before, after)
    signs = "".join(sign for sign, _ in change.lines)
    assert signs == "  -+  …  -  "
    assert ("-", "5") in change.lines
    assert ("+", "five") in change.lines
    assert ("-", "30") in change.lines


def test_the_line_break_at_the_end_of_the_connections_text_is_no_change() -> None:
    before, after = ({"spec": {}, "connection": {"text": text}} for text in ("Open it.\n", "Open it."))
    assert Document.from_json(before) == Document.from_json(after)
    assert not changes(Document.from_json(before), Document.from_json(after))
