"""The inputs in the recipe editor as rows, and moving them about without a script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from dispersed_web.recipes.document import INPUT_TYPES, MOST_INPUTS, SETS_VARIABLES, TARGETS
from dispersed_web.web.forms.recipe_fields import (
    ChoicesField,
    NumberField,
    PartField,
    PortsField,
    SecondsField,
    VariablesField,
    WholeField,
    WordsField,
)
from dispersed_web.web.forms.recipe_rows import made_rows
from dispersed_web.web.recipes import recipe_words

INPUTS = "inputs"
VARIABLE = "env."
SWITCH = [("", "Off"), ("yes", "On")]
# What a type has beside key, label, help, target, default, required, hidden and locked.
EXTRAS = {
    "text": ("placeholder", "max_length", "pattern", "pattern_hint"),
    "lines": ("placeholder", "max_length"),
    "secret": ("placeholder", "max_length", "pattern", "pattern_hint"),
    "number": ("minimum", "maximum", "unit", "placeholder"),
    "duration": ("minimum", "maximum", "placeholder"),
    "choice": ("choices",),
    "switch": ("on", "off"),
    "gpu": ("placeholder",),
    "ports": ("placeholder",),
    "addresses": ("placeholder",),
}
DEFAULTS: dict[str, type[PartField]] = {
    "number": NumberField,
    "duration": SecondsField,
    "region": WordsField,
    "ports": PortsField,
    "addresses": WordsField,
    "env": VariablesField,
}


class InputRow(forms.Form):
    """One input; it has the fields of its type, which may be about to change."""

    may_be_blank = False

    type = forms.ChoiceField(choices=[(one, recipe_words.TYPES[one]) for one in INPUT_TYPES])
    label = PartField("Label", placeholder="What the launcher reads", max_length=120)
    key = PartField(
        "Key",
        mono=True,
        placeholder="model",
        max_length=40,
        help_text="Its name in links, presets and the API.",
    )
    to = forms.ChoiceField(label="Sets", required=False)
    variable = PartField("Variable", mono=True, placeholder="NAME", max_length=200)
    help = PartField("Help", max_length=1000)
    required = forms.BooleanField(label="Needed", required=False)
    hidden = forms.BooleanField(label="Not asked: the default holds", required=False)
    locked = forms.BooleanField(label="Locked: shown, but cannot be changed", required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        chosen = str(self["type"].value() or "text")
        self.kind = chosen if chosen in INPUT_TYPES else "text"
        self.fields["type"].widget.attrs["data-recipe-type"] = True
        self.fields["label"].widget.attrs["data-recipe-label"] = True
        self.fields["key"].widget.attrs["data-recipe-key"] = True
        self.fields["to"].choices = targets_of(self.kind, str(self["to"].value() or ""))
        for name, field in extra_fields(self.kind).items():
            self.fields[name] = field

    @property
    def title(self) -> str:
        return str(self["label"].value() or self["key"].value() or "New input").strip()

    @property
    def sets(self) -> str:
        to = str(self["to"].value() or "")
        return (
            str(self["variable"].value() or "a variable") if to == VARIABLE else recipe_words.target_name(to)
        )

    @property
    def kind_name(self) -> str:
        return recipe_words.TYPES[self.kind]

    @property
    def switches(self) -> list[Any]:
        return [self[name] for name in ("required", "locked", "hidden")]

    @property
    def extras(self) -> list[Any]:
        """The fields that this type has beside the usual ones."""
        return [self[name] for name in EXTRAS.get(self.kind, ())]

    @property
    def opens(self) -> bool:
        return bool(self.errors) or not self["key"].value()

    def part(self) -> dict[str, Any]:
        """As it stands in the document."""
        data = self.cleaned_data
        to = data.get("to") or ""
        found: dict[str, Any] = {
            "key": data.get("key") or "",
            "type": data.get("type") or self.kind,
            "to": f"{VARIABLE}{data.get('variable') or ''}" if to == VARIABLE else to,
        }
        for name in ("label", "help", *EXTRAS.get(self.kind, ())):
            if data.get(name) is not None:
                found[name] = data[name]
        if self.kind == "switch":
            found["default"] = data.get("default") == "yes"
        elif data.get("default") is not None:
            found["default"] = data["default"]
        return found | {name: True for name in ("required", "hidden", "locked") if data.get(name)}


def extra_fields(kind: str) -> dict[str, forms.Field]:
    """The fields of an input of this type beside those that every one has."""
    bound = SecondsField if kind == "duration" else NumberField
    every: dict[str, Any] = {
        "placeholder": lambda: PartField("Example in the empty field", max_length=200),
        "max_length": lambda: WholeField("Longest answer", inputmode="numeric"),
        "pattern": lambda: PartField("Pattern", mono=True, max_length=500, placeholder="[a-z0-9-]+"),
        "pattern_hint": lambda: PartField("What is said where it does not match", max_length=200),
        "minimum": lambda: bound("At least"),
        "maximum": lambda: bound("At most"),
        "unit": lambda: PartField("Unit", max_length=20, placeholder="GB"),
        "choices": lambda: ChoicesField(
            "Entries", rows=4, mono=True, placeholder="small = 7 B, fast\nlarge = 70 B"
        ),
        "on": lambda: PartField("Value when on", mono=True, max_length=200, placeholder="1"),
        "off": lambda: PartField("Value when off", mono=True, max_length=200),
    }
    found: dict[str, forms.Field] = {}
    if kind == "switch":
        found["default"] = forms.ChoiceField(label="Begins", required=False, choices=SWITCH)
    elif kind in ("lines", "env"):
        found["default"] = (VariablesField if kind == "env" else PartField)(
            "Default", rows=3, mono=kind == "env"
        )
    elif kind != "secret":
        found["default"] = DEFAULTS.get(kind, PartField)("Default")
    return found | {name: every[name]() for name in EXTRAS.get(kind, ())}


def targets_of(kind: str, chosen: str) -> list[Any]:
    """What an input of this type may set, with what it sets now, so that changing the type loses nothing."""
    fields = sorted((recipe_words.target_name(to), to) for to in TARGETS[kind])
    listed = [(to, name) for name, to in fields]
    variable = [(VARIABLE, "An environment variable")] if kind in SETS_VARIABLES else []
    known = {to for to, _ in (*listed, *variable)}
    lost = (
        [(chosen, f"{recipe_words.target_name(chosen)} (not by this type)")]
        if chosen and chosen not in known
        else []
    )
    return [*variable, *listed, *lost]


InputRows = made_rows(InputRow, MOST_INPUTS, 0, can_delete=False)


# Moving rows ---------------------------------------------------------------------------------------------------------

_ACT = re.compile(r"(add|refresh|remove|up|down)-inputs(?:-([0-9]{1,3}))?")


def after_act(data: QueryDict, act: str) -> QueryDict:
    """The posted form with its inputs as the button wants them. Pure."""
    match = _ACT.fullmatch(act)
    count = data.get(f"{INPUTS}-TOTAL_FORMS", "")
    if match is None or not count.isdecimal() or int(count) > MOST_INPUTS:
        return data
    rows = [_row_of(data, number) for number in range(int(count))]
    verb, at = match[1], int(match[2] or 0)
    if verb == "add" and len(rows) < MOST_INPUTS:
        rows.append({"type": ["text"], "to": [VARIABLE]})
    elif verb == "remove" and at < len(rows):
        del rows[at]
    elif verb == "up" and 0 < at < len(rows):
        rows[at - 1], rows[at] = rows[at], rows[at - 1]
    elif verb == "down" and at + 1 < len(rows):
        rows[at + 1], rows[at] = rows[at], rows[at + 1]
    return _with_rows(data, rows)


def _row_of(data: QueryDict, number: int) -> dict[str, list[str]]:
    start = f"{INPUTS}-{number}-"
    return {name.removeprefix(start): values for name, values in data.lists() if name.startswith(start)}


def _with_rows(data: QueryDict, rows: list[Mapping[str, list[str]]]) -> QueryDict:
    found = QueryDict(mutable=True)
    for name, values in data.lists():
        if not re.match(rf"{INPUTS}-[0-9]+-", name):
            found.setlist(name, values)
    for number, row in enumerate(rows):
        for name, values in row.items():
            found.setlist(f"{INPUTS}-{number}-{name}", values)
    found[f"{INPUTS}-TOTAL_FORMS"] = str(len(rows))
    return found
