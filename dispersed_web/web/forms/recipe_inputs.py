"""The questions of a recipe as a form. Names are ``in-<key>``; rows of an ``env`` input are a formset of that prefix.

What is answered is read by :mod:`dispersed_web.recipes.inputs`, as it is for every other door.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web.jobs.secret_refs import NONE, Known
from dispersed_web.recipes.document import GPU, Document, Input
from dispersed_web.recipes.inputs import ANY_GPU
from dispersed_web.recipes.references import Reference, reference_in
from dispersed_web.web.forms.answer_fields import FIELDS, KeyAnswerField
from dispersed_web.web.forms.env import EnvFormSet
from dispersed_web.web.forms.order import ANYONE
from dispersed_web.web.forms.ssh_choice import KnownKey
from dispersed_web.web.forms.visitor import Visitor

PREFIX = "in-"
# Answers that change the price or the warnings; none of them can be a secret.
PREVIEW_TYPES = {"number", "choice", "gpu", "region", "switch", "duration", "ports", "addresses"}
MARKET_TARGETS = {GPU, "gpu_count", "min_vram_gb", "allowed_region_codes"}


def name_of(one: Input) -> str:
    return f"{PREFIX}{one.key}"


@dataclass(frozen=True)
class Question:
    """An input as the page shows it: its field, or its rows where it is one of environment rows."""

    one: Input
    field: Any = None
    rows: Any = None

    @property
    def secret_choices(self) -> list[tuple[str, str, bool]]:
        """The secrets of the team that may be chosen in the place of an answer."""
        return self.field.field.widget.choices(self.field.value()) if self.one.type == "secret" else []

    @property
    def is_optional(self) -> bool:
        return not self.one.required and self.one.type != "switch"


class RecipeInputs(forms.Form):
    """The form of ``document``'s inputs. ``answers`` fill it instead of the defaults, as far as the author allows;
    ``keys`` are the stored public keys, of which ``ssh_key`` is chosen unless the recipe says otherwise."""

    @sensitive_variables()
    def __init__(
        self,
        document: Document,
        data: QueryDict | None = None,
        *,
        visitor: Visitor | None = None,
        ssh_key: str = "",
        keys: Sequence[KnownKey] = (),
        answers: Mapping[str, Any] | None = None,
        known: Known = NONE,
    ) -> None:
        super().__init__(data)
        self.document = document
        self.rows: dict[str, Any] = {}
        for one in document.inputs:
            start = _start(one, visitor, ssh_key)
            if answers and one.key in answers and not one.is_fixed:
                is_known = not one.is_secret or reference_in(answers[one.key]) is not None
                start = answers[one.key] if is_known else start
            if one.type == "env" and not one.is_fixed:
                rows = _env_rows(start) or None
                self.rows[one.key] = EnvFormSet(
                    data, prefix=name_of(one), initial=rows, form_kwargs={"known": known}
                )
                continue
            field = KeyAnswerField(one, keys) if one.type == "ssh_key" else FIELDS[one.type](one)
            field.initial = start
            if one.type == "secret":
                field.widget.known, field.widget.bound = known, not one.env_name
            if one.type in PREVIEW_TYPES and not one.env_name:
                field.widget.attrs["data-preview"] = "market" if one.to in MARKET_TARGETS else True
            self.fields[name_of(one)] = field

    def is_valid(self) -> bool:
        return all([super().is_valid(), *(rows.is_valid() for rows in self.rows.values())])

    @property
    def faults(self) -> int:
        """How many fields and rows are at fault."""
        return len(self.errors) + sum(rows.total_error_count() for rows in self.rows.values())

    def shown(self) -> list[Question]:
        """What is asked and what is shown as locked, in the author's order."""
        return [
            Question(one, rows=self.rows[one.key])
            if one.key in self.rows
            else Question(one, field=self[name_of(one)])
            for one in self.document.inputs
            if not one.hidden and not (one.locked and one.type == "env")
        ]

    def clean(self) -> dict[str, Any]:
        for one in self.document.inputs:
            rows = self.rows.get(one.key)
            if rows is not None and rows.is_valid() and one.required and not rows.values():
                self.add_error(None, f"{one.name}: at least one variable is needed.")
        return self.cleaned_data

    @sensitive_variables()
    def answers(self) -> dict[str, Any]:
        """Key → cleaned answer of every input that may be answered, secrets among them; what is at fault is left out.
        Unbound: what the form begins with."""
        cleaned = self.cleaned_data if self.is_bound and self.errors is not None else {}
        found: dict[str, Any] = {}
        for one in self.document.inputs:
            if one.is_fixed:
                continue
            if one.key in self.rows:
                rows = self.rows[one.key]
                if not rows.is_bound or rows.is_valid():
                    found[one.key] = rows.values() if rows.is_bound else _initial_env(rows)
            elif not self.is_bound:
                found[one.key] = self.fields[name_of(one)].initial
            elif name_of(one) in cleaned:
                found[one.key] = cleaned[name_of(one)]
        return found

    def kept(self) -> dict[str, Any]:
        """The same as it may be stored: without secrets, as JSON. Of a secret variable only the name is left."""
        secret = self.secret_env()
        found = {}
        for key, value in self.answers().items():
            one = self.document.by_key[key]
            if one.is_secret and not isinstance(value, Reference):
                continue
            if one.type == "env":
                value = {name: "" if name in secret else text for name, text in (value or {}).items()}
            found[key] = as_json(value)
        return found

    def secret_env(self) -> frozenset[str]:
        """Variables of environment rows whose values are secret."""
        bound = (rows for rows in self.rows.values() if rows.is_bound and rows.is_valid())
        return frozenset().union(*(rows.secret_names() for rows in bound))

    def row_refs(self) -> dict[str, str]:
        """Variables of environment rows that get a secret of the team."""
        bound = (rows for rows in self.rows.values() if rows.is_bound and rows.is_valid())
        return {target: ref for rows in bound for target, ref in rows.refs().items()}

    def exposed_env(self) -> list[str]:
        bound = (rows for rows in self.rows.values() if rows.is_bound and rows.is_valid())
        return [name for rows in bound for name in rows.exposed_names()]


def _start(one: Input, visitor: Visitor | None, ssh_key: str) -> Any:
    """What an input begins with: its default, else what is known of the person."""
    if one.type == "addresses" and visitor is not None and not one.is_fixed and _is_open(one.default):
        return own_addresses(visitor) or one.default
    if one.default not in (None, "", []) or one.is_fixed:
        return one.default
    if one.type == "ssh_key":
        return ssh_key
    return ANY_GPU if one.type == "gpu" and not one.required else one.default


def _is_open(addresses: Any) -> bool:
    """Nobody was named, or everybody: whoever fills the form can be named instead."""
    return not addresses or addresses in (ANYONE, [ANYONE])


def own_addresses(visitor: Visitor) -> list[str]:
    """The visitor's own address where the cloud would see the same one; in the simulation everybody's."""
    if visitor.public:
        return [visitor.network]
    return [ANYONE] if settings.DISPERSED_SIMULATED else []


def _env_rows(env: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in (env or {}).items()]


def _initial_env(rows: Any) -> dict[str, str]:
    return {row["name"]: row["value"] for row in rows.initial or ()}


def as_json(value: Any) -> Any:
    if isinstance(value, Reference):
        return value.to_json()
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
