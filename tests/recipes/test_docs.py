"""The reference of recipes is right: its example can be imported, and it names every type of input."""

from __future__ import annotations

import re
from pathlib import Path

from dispersed_web.recipes import files
from dispersed_web.recipes.document import INPUT_TYPES, SPEC_FIELDS

TEXT = (Path(__file__).parents[2] / "docs/recipes.md").read_text()


def test_its_example_is_a_recipe():
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    found, problems = files.from_yaml(example)
    assert [recipe.name for recipe in found] == ["Notebook"]
    assert not problems


def test_it_names_every_type_and_field():
    for name in (*INPUT_TYPES, *SPEC_FIELDS):
        assert f"`{name}`" in TEXT, name
