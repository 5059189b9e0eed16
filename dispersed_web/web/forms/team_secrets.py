"""Choosing a secret of the team in the place of a value that is typed. A choice is posted as ``team:`` and the secret's id;
presets, links and recipes hold its name."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web.jobs.secret_refs import NONE, Known
from dispersed_web.recipes.references import TEAM_SECRET, is_reference

TEAM = "team:"
FROM = "-from"
NOT_YOURS = "Choose a secret of the team that you may use, or type a value."


def choices(known: Known, *, bound: bool = True) -> list[tuple[str, str]]:
    """Those that the launcher may use: what is posted, and the name. Not ``bound``: without those that only registries may
    be given."""
    return [(f"{TEAM}{row.pk}", row.name) for row in known.for_whom_launches() if bound or not row.hosts]


def choice_of(ref: Any, known: Known) -> str:
    """What is posted for the secret with this id or name; empty where the launcher cannot choose it."""
    found = known.find(str(ref).removeprefix(TEAM)) if ref else None
    return f"{TEAM}{found.pk}" if found and known.may(found) else ""


def ref_of(choice: Any) -> str:
    """The reference in what was posted; empty for a value that is typed. A recipe's own is its name."""
    return str(choice or "").removeprefix(TEAM)


class SecretFromField(forms.ChoiceField):
    """Typed, or which secret of the team. Also understands names."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, error_messages={"invalid_choice": NOT_YOURS}, **options)
        self.use(NONE)

    def use(self, known: Known) -> None:
        self.known = known
        self.choices = [("", "Typed here"), *choices(known)]

    @property
    def has_choices(self) -> bool:
        return len(self.choices) > 1

    def prepare_value(self, value: Any) -> Any:
        return choice_of(value, self.known)

    def clean(self, value: Any) -> str:
        text = str(value or "")
        if self.disabled or not text:
            return text
        if not text.startswith(TEAM):
            text = choice_of(text, self.known) or TEAM
        return str(super().clean(text))


class SecretWidget(forms.PasswordInput):
    """The input of a recipe's secret, and beside it the choice of one of the team, posted as ``<name>-from``."""

    def __init__(self, attrs: dict[str, Any]) -> None:
        super().__init__(render_value=True, attrs=attrs)
        self.known = NONE
        self.bound = True

    @sensitive_variables()
    def value_from_datadict(self, data: QueryDict, files: Any, name: str) -> Any:
        chosen = data.get(f"{name}{FROM}", "")
        if not chosen:
            return super().value_from_datadict(data, files, name)
        found = self.known.find(ref_of(chosen))
        return {TEAM_SECRET: found.name if found and self.known.may(found) else ""}

    def format_value(self, value: Any) -> Any:
        return "" if is_reference(value) else super().format_value(value)

    def choices(self, value: Any) -> list[tuple[str, str, bool]]:
        """What is posted, the name, and whether ``value`` is it; nothing where there is nothing to choose."""
        chosen = choice_of(value[TEAM_SECRET], self.known) if is_reference(value) else ""
        offered = choices(self.known, bound=self.bound)
        found = [(post, name, post == chosen) for post, name in offered]
        return [("", "Typed here", not chosen), *found] if found else []


def refuse_unknown(answer: Any) -> None:
    """Raises ``ValidationError`` for the choice of a secret that the launcher may not use."""
    if is_reference(answer) and not answer[TEAM_SECRET]:
        raise ValidationError(NOT_YOURS)
