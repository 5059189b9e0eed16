"""A file of recipes, uploaded or pasted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from dispersed_web.recipes.models import Recipe

MOST_BYTES = 500_000
TOO_LARGE = "A file of at most 500 kB, please."


class ImportForm(forms.Form):
    """``text`` of the cleaned form is what was uploaded, else what was pasted."""

    file = forms.FileField(
        label="File",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml,.json,text/yaml,application/json"}),
    )
    text = forms.CharField(
        label="Or paste it",
        required=False,
        strip=False,
        max_length=MOST_BYTES,
        error_messages={"max_length": TOO_LARGE},
        widget=forms.Textarea(
            attrs={
                "rows": "14",
                "class": "mono yaml-text",
                "spellcheck": "false",
                "autocapitalize": "off",
                "autocomplete": "off",
                "placeholder": "dispersed_web: recipe/1\nname: …",
            }
        ),
    )
    visibility = forms.ChoiceField(
        label="Seen by",
        choices=Recipe.Visibility.choices,
        required=False,
        initial=Recipe.Visibility.PRIVATE,
        widget=forms.RadioSelect,
    )

    def clean_file(self) -> str:
        sent = self.cleaned_data["file"]
        if sent is None:
            return ""
        if sent.size > MOST_BYTES:
            raise ValidationError(TOO_LARGE)
        try:
            return str(sent.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise ValidationError("This is no text in UTF-8. Recipes are text files.") from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        data["text"] = (data.get("file") or data.get("text") or "").replace("\r\n", "\n")
        if not data["text"].strip() and not self.errors:
            self.add_error("text", "Choose a file, or paste its text.")
        data["visibility"] = data.get("visibility") or Recipe.Visibility.PRIVATE
        return data
