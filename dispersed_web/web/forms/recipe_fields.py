"""Form fields that read the parts of a recipe's document. Empty is ``None``. Bounds are not theirs: the check of the whole
document says what is wrong with it."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from dispersed_web import durations

TYPED = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
_SEPARATORS = re.compile(r"[\s,;]+")
_LINE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)", re.ASCII)


class PartField(forms.CharField):
    """A text of the document; empty is ``None``."""

    def __init__(self, label: str, *, rows: int = 0, mono: bool = False, **options: Any) -> None:
        attrs = dict(TYPED)
        attrs |= {"placeholder": options.pop("placeholder", "")}
        attrs |= {"rows": str(rows)} if rows else {}
        attrs |= {"class": "mono"} if mono else {}
        attrs |= {"inputmode": options.pop("inputmode")} if "inputmode" in options else {}
        attrs = {name: value for name, value in attrs.items() if value}
        widget = options.pop("widget", None) or (forms.Textarea if rows else forms.TextInput)(attrs=attrs)
        options.setdefault("max_length", 20_000)
        super().__init__(label=label, required=False, widget=widget, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value).replace("\r\n", "\n")
        return self.read(text) if text else None

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else self.write(value)

    def read(self, text: str) -> Any:
        return text

    def write(self, value: Any) -> str:
        return str(value)


class WholeField(PartField):
    """A whole number."""

    def read(self, text: str) -> Any:
        return whole(text)


class NumberField(PartField):
    """A number, with or without a fraction."""

    def read(self, text: str) -> Any:
        return number(text)

    def write(self, value: Any) -> str:
        return f"{value:g}" if isinstance(value, float) else str(value)


class SecondsField(PartField):
    """A duration, kept in whole seconds."""

    def read(self, text: str) -> Any:
        return seconds(text)

    def write(self, value: Any) -> str:
        return durations.write(value) if isinstance(value, int) else str(value)


class MillisField(SecondsField):
    """A duration, kept in milliseconds."""

    def read(self, text: str) -> Any:
        return seconds(text) * 1000

    def write(self, value: Any) -> str:
        return durations.write(value // 1000) if isinstance(value, int) else str(value)


class WordsField(PartField):
    """Texts apart by spaces, commas or lines."""

    def read(self, text: str) -> Any:
        return words(text)

    def write(self, value: Any) -> str:
        return ", ".join(str(one) for one in value) if isinstance(value, (list, tuple)) else str(value)


class PortsField(WordsField):
    """Numbers apart by spaces, commas or lines."""

    def read(self, text: str) -> Any:
        return [whole(word) for word in words(text)]


class TagsField(WordsField):
    """Texts apart by commas."""

    def read(self, text: str) -> Any:
        found = (" ".join(word.split()) for word in text.replace("\n", ",").split(","))
        return list(dict.fromkeys(word for word in found if word))


class LinesField(WordsField):
    """Texts, one a line."""

    def read(self, text: str) -> Any:
        return [line.strip() for line in text.splitlines() if line.strip()]

    def write(self, value: Any) -> str:
        return "\n".join(str(one) for one in value) if isinstance(value, (list, tuple)) else str(value)


class ChoicesField(PartField):
    """The entries of a choice: ``value`` or ``value = label``, one a line."""

    def read(self, text: str) -> Any:
        found = []
        for line in text.splitlines():
            value, equals, label = (part.strip() for part in line.partition("="))
            if value or equals:
                found.append({"value": value, "label": label} if label else {"value": value})
        return found

    def write(self, value: Any) -> str:
        lines = (f"{one['value']} = {one['label']}" if one.get("label") else one["value"] for one in value)
        return "\n".join(lines)


class VariablesField(PartField):
    """``NAME=value``, one a line."""

    def read(self, text: str) -> Any:
        matches = [_LINE.fullmatch(line) for line in text.splitlines() if line.strip()]
        if not all(matches):
            raise ValidationError("Write NAME=value, one a line.")
        return {match[1]: match[2].strip() for match in matches if match}

    def write(self, value: Any) -> str:
        return (
            "\n".join(f"{name}={text}" for name, text in value.items())
            if isinstance(value, dict)
            else str(value)
        )


def whole(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,15}", text.strip(), re.ASCII):
        raise ValidationError(f"“{text.strip()[:30]}” is no whole number.")
    return int(text)


def number(text: str) -> int | float:
    text = text.strip().replace(",", ".")
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", text, re.ASCII):
        raise ValidationError("Write a number.")
    return float(text) if "." in text else int(text)


def seconds(text: str) -> int:
    try:
        return durations.parse(text)
    except durations.BadDuration as error:
        raise ValidationError(str(error)) from None


def words(text: str) -> list[str]:
    return list(dict.fromkeys(word for word in _SEPARATORS.split(text) if word))
