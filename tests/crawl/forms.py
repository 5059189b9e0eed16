"""What a browser would send from a page: its links and its forms as they stand, read from the HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Form:
    """``fields`` are what a press of the button sends; ``choices`` all values that a person could choose instead."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """``links`` are paths with their query; ``forms`` those that post."""

    def __init__(self, html: str, path: str) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in given}
        for name in ("href", "hx-get"):
            if attributes.get(name, "").startswith("/"):
                self.links.append(attributes[name])
        if tag == "form" and attributes.get("method", "").lower() == "post":
            self._form = Form(urlsplit(attributes.get("action") or self.path).path)
            self.forms.append(self._form)
        elif tag == "form":
            self._form = None
        elif self._form is not None:
            self._field(self._form, tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = ""

    def _field(self, form: Form, tag: str, attributes: dict[str, str]) -> None:
        name, value = attributes.get("name", ""), attributes.get("value", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            form.choices.append((self._select, value))
            if "selected" in attributes or self._select not in dict(form.fields):
                form.fields = [one for one in form.fields if one[0] != self._select]
                form.fields.append((self._select, value))
        elif tag == "textarea" and name:
            form.fields.append((name, ""))
        elif tag in ("input", "button") and name:
            kind = attributes.get("type", "text")
            if kind in ("radio", "checkbox"):
                form.choices.append((name, value))
                if "checked" in attributes:
                    form.fields.append((name, value or "on"))
            elif tag == "input" or name not in dict(form.fields):
                form.fields.append((name, value))


def queries(link: str) -> tuple[str, list[tuple[str, str]]]:
    parts = urlsplit(link)
    return parts.path, parse_qsl(parts.query, keep_blank_values=True)
