"""Form fields that read what people write: durations, ports, addresses, an image with its tag, an SSH key."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from dispersed_web import durations
from dispersed_web.accounts import ssh_keys

MAX_PORTS = 50
MAX_ADDRESSES = 50
_SEPARATORS = re.compile(r"[\s,;]+")


class DurationField(forms.CharField):
    """A duration; cleaned to whole seconds, or ``None`` when it may be empty and is."""

    def __init__(self, **options: Any) -> None:
        options.setdefault(
            "widget", forms.TextInput(attrs={"inputmode": "text", "autocomplete": "off", "size": 12})
        )
        super().__init__(max_length=60, **options)

    def prepare_value(self, value: Any) -> Any:
        return durations.write(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        if isinstance(value, int):  # of a locked field, not typed
            return value
        text = super().clean(value)
        if not text:
            return None
        try:
            return durations.parse(text)
        except durations.BadDuration as error:
            raise ValidationError(str(error)) from None


class ListField(forms.CharField):
    """Several values, apart by spaces, commas or lines; cleaned to a tuple without repeats, in the order given."""

    what, most = "values", 50

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(str(one) for one in value) if isinstance(value, (list, tuple)) else value

    def clean(self, value: Any) -> tuple[Any, ...]:  # type: ignore[override]
        if isinstance(value, tuple):  # of a locked field, not typed
            return value
        words = [word for word in _SEPARATORS.split(super().clean(value)) if word]
        values = dict.fromkeys(self.read(word) for word in words)
        if len(values) > self.most:
            raise ValidationError(f"At most {self.most} {self.what} can be given.")
        return tuple(values)

    def read(self, word: str) -> Any:
        return word


class PortsField(ListField):
    """Container ports, as numbers; their range is checked with the whole specification."""

    what, most = "ports", MAX_PORTS

    def read(self, word: str) -> int:
        if not (word.isascii() and word.isdigit() and len(word) <= 6):
            raise ValidationError(f"“{word[:30]}” is not a port number. Write for example 22, 8888.")
        return int(word)


class AddressesField(ListField):
    """IP addresses and ranges, as text; checked with the whole specification."""

    what, most = "addresses", MAX_ADDRESSES


class RefusingTextarea(forms.Textarea):
    """Shows again only what can be a public key."""

    def format_value(self, value: Any) -> str | None:
        text = super().format_value(value) or ""
        looks_public = text.strip().split(" ")[0] in ssh_keys.ACCEPTED and "\n" not in text.strip()
        return text if looks_public and "PRIVATE" not in text else ""


def split_image(image: str, tag: str) -> tuple[str, str]:
    """``name:tag`` in the image field as name and tag. Raises ``ValidationError`` for what cannot be asked for."""
    name, _, own_tag = image, "", ""
    if "@" in image:
        raise ValidationError("An image cannot be named by its digest here; give its tag.")
    if ":" in image.rsplit("/", 1)[-1]:
        name, _, own_tag = image.rpartition(":")
    if own_tag and tag not in ("", "latest", own_tag):
        raise ValidationError(
            f"The image names the tag “{own_tag}”, the tag field “{tag}”. Give one of them."
        )
    return name, own_tag or tag or "latest"
