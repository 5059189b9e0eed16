"""Recipes as text: the YAML of the editor and of imports, each fault with its line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from dispersed_web.recipes import files
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.files import ParsedRecipe
from dispersed_web.recipes.yaml_reading import FileProblem

LONGEST = 400_000
LONGEST_LINE = 160
MOST_FAULTS = 50
ABOUT_IN_FILES = {"name": "name", "description": "description_md", "category": "category", "icon": "icon"}
UNSAID = {"description_md": "", "category": "other", "icon": "file"}


@dataclass(frozen=True)
class Fault:
    """What is wrong, and the line that it is in as it was typed. Without a ``line`` it is of the whole text."""

    sentence: str
    line: int = 0
    column: int = 0
    text: str = ""


def faults_of(problems: Iterable[FileProblem], text: str) -> list[Fault]:
    lines = text.splitlines()
    return [_fault(one, lines) for one in list(problems)[:MOST_FAULTS]]


def _fault(one: FileProblem, lines: list[str]) -> Fault:
    text = lines[one.line - 1].rstrip()[:LONGEST_LINE] if 0 < one.line <= len(lines) else ""
    return Fault(one.sentence, one.line, one.column, text)


def written(document: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """A document without problems of shape, and what is said about it, as YAML."""
    named = {name: str(about.get(stored) or "") for name, stored in ABOUT_IN_FILES.items()}
    return files.write(named, Document.from_json(document))


class YamlForm(forms.Form):
    """One recipe as text. ``note``, ``seen`` and ``began`` are as in the editor's other form."""

    yaml = forms.CharField(required=False, strip=False, max_length=LONGEST)
    note = forms.CharField(
        label="What changed",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    began = forms.CharField(required=False, max_length=200_000, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.faults: list[Fault] = []
        self.recipe: ParsedRecipe | None = None

    @property
    def text(self) -> str:
        return str(self["yaml"].value() or "").replace("\r\n", "\n")

    @property
    def fault_count(self) -> int:
        return len(self.faults) + sum(len(errors) for errors in self.errors.values())

    def is_valid(self) -> bool:
        """Whether it is one recipe without faults, which is then in ``recipe``."""
        if not super().is_valid():
            return False
        found, problems = files.from_yaml(self.text)
        if not problems and len(found) != 1:
            self.faults = [
                Fault("There are several recipes here. Edit one at a time, or import them as a file.")
            ]
        else:
            self.faults = faults_of(problems, self.text)
            self.recipe = found[0] if found else None
        return not self.faults and self.recipe is not None

    def refuse(self, refused: Any) -> None:
        """Shows why the domain refused."""
        sentences = [problem.sentence for problem in refused.problems] or [refused.sentence]
        self.faults = [Fault(sentence) for sentence in sentences]

    def about(self) -> dict[str, str]:
        """Of a valid one; what it does not say is as for a new recipe."""
        return {**UNSAID, **(self.recipe.about if self.recipe else {})}

    def typed(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The document and what is said about it; ``None`` while it has faults."""
        text = self if self.is_bound else YamlForm({"yaml": self.text})
        if not text.is_valid() or text.recipe is None:
            return None
        return text.recipe.document.to_json(), text.about()
