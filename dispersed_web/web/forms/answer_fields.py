"""The field of each type of recipe input. An answer is read by :mod:`dispersed_web.recipes.inputs`, as for every door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from dispersed_web import durations
from dispersed_web.recipes.document import ENV, Input
from dispersed_web.recipes.inputs import PRIVATE_KEY, BadAnswer, read
from dispersed_web.web.forms import regions
from dispersed_web.web.forms.order import GPU_BY_NAME
from dispersed_web.web.forms.region_choice import RegionWidget
from dispersed_web.web.forms.ssh_choice import KnownKey, SshKeyChoiceField, SshKeyWidget
from dispersed_web.web.forms.team_secrets import SecretWidget, refuse_unknown

_TYPED = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


class AnswerField(forms.Field):
    """One input. An empty answer is ``None``."""

    def __init__(self, one: Input, **options: Any) -> None:
        self.one = one
        super().__init__(required=False, label=one.name, help_text=one.help, disabled=one.is_fixed, **options)

    def prepare_value(self, value: Any) -> Any:
        if self.one.type != "secret" and isinstance(value, str) and PRIVATE_KEY in value:
            return ""  # pasted by mistake, and never sent back
        if isinstance(value, (list, tuple)) and self.one.type != "region":
            return ", ".join(str(entry) for entry in value)
        if self.one.type == "duration" and isinstance(value, int) and not isinstance(value, bool):
            return durations.write(value)
        return value

    @sensitive_variables()
    def clean(self, value: Any) -> Any:
        refuse_unknown(value)
        if isinstance(value, list):
            value = [entry for entry in value if entry != ""]
        try:
            return read(self.one, value)
        except BadAnswer as error:
            raise ValidationError(str(error)) from None


class GpuWidget(forms.TextInput):
    """A model's registry id or name; the picker posts ``name`` and the name itself beside it."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value = super().value_from_datadict(data, files, name)
        return data.get(f"{name}-name", "") if value == GPU_BY_NAME else value


class KeyAnswerField(SshKeyChoiceField):
    """An ``ssh_key`` input: one of the stored keys, or another."""

    def __init__(self, one: Input, keys: Sequence[KnownKey]) -> None:
        super().__init__(
            required=False,
            label=one.name,
            help_text=one.help,
            disabled=one.is_fixed,
            widget=SshKeyWidget(keys),
        )
        self.one = one

    @sensitive_variables()
    def clean(self, value: Any) -> Any:
        line = super().clean(value)
        if self.one.required and not line:
            raise ValidationError("Choose a key, or paste the line of your .pub file.")
        return line or None


# The control of each type --------------------------------------------------------------------------------------------


def _line(one: Input, **attrs: Any) -> AnswerField:
    typed = _TYPED | {"placeholder": one.placeholder} | attrs
    if one.max_length:
        typed["maxlength"] = one.max_length
    return AnswerField(
        one, widget=forms.TextInput(attrs={key: value for key, value in typed.items() if value})
    )


def _lines(one: Input) -> AnswerField:
    return AnswerField(one, widget=forms.Textarea(attrs={"rows": "4", "placeholder": one.placeholder}))


def _number(one: Input) -> AnswerField:
    whole = not (one.env_name or one.to.endswith("_usd"))
    attrs = {
        "inputmode": "numeric" if whole else "decimal",
        "autocomplete": "off",
        "step": "1" if whole else "any",
        "placeholder": one.placeholder,
    }
    bounds = {"min": one.minimum, "max": one.maximum}
    return AnswerField(
        one,
        widget=forms.NumberInput(
            attrs=attrs | {key: f"{value:g}" for key, value in bounds.items() if value is not None}
        ),
    )


def _choice(one: Input) -> AnswerField:
    listed = [(choice["value"], choice.get("label") or choice["value"]) for choice in one.choices]
    blank = [] if one.default in dict(listed) else [("", "Not chosen")]
    return AnswerField(one, widget=forms.Select(choices=[*blank, *listed]))


def _regions(one: Input) -> AnswerField:
    return AnswerField(one, widget=RegionWidget(choices=regions.CHOICES))


def _secret(one: Input) -> AnswerField:
    attrs = {"autocomplete": "new-password", "spellcheck": "false", "placeholder": one.placeholder}
    return AnswerField(one, widget=SecretWidget(attrs))


FIELDS: dict[str, Callable[[Input], AnswerField]] = {
    "text": _line,
    "lines": _lines,
    "number": _number,
    "choice": _choice,
    "gpu": lambda one: AnswerField(one, widget=GpuWidget(attrs=_TYPED | {"placeholder": one.placeholder})),
    "region": _regions,
    "switch": lambda one: AnswerField(one, widget=forms.CheckboxInput()),
    "secret": _secret,
    "duration": lambda one: _line(one, size=12),
    "ports": _line,
    "addresses": _line,
    ENV: lambda one: AnswerField(one, widget=forms.HiddenInput()),
}
