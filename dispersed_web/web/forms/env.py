"""The job's environment as rows: name, value, and whether the value is a secret.

A value that was typed is sent back with the page when the form has a fault somewhere, a secret one in a password input:
to the same person, in the answer to their own request, which no cache may keep (``no-store`` on every signed-in page).
The other ways are worse: keeping it on the server would store a secret before anything was launched, and dropping it
would make people paste secrets again and again.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet, formset_factory
from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import JobSpec, problems_of
from dispersed_web.jobs import marker, specs
from dispersed_web.jobs.secret_refs import NONE, Known
from dispersed_web.web.forms.team_secrets import NOT_YOURS, TEAM, choice_of, choices, ref_of

PREFIX = "env"
MAX_ROWS = 200
BLANK_ROWS = 2
KINDS = [("", "By its name"), ("secret", "Secret"), ("plain", "Plain")]
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)", re.ASCII)


class KindField(forms.ChoiceField):
    """Secret, plain, or which secret of the team."""

    def validate(self, value: Any) -> None:
        if str(value).startswith(TEAM) and not self.valid_value(value):
            raise ValidationError(NOT_YOURS)
        super().validate(value)


class EnvRow(forms.Form):
    name = forms.CharField(required=False, max_length=200)
    value = forms.CharField(required=False, max_length=32_768, strip=False)
    kind = KindField(required=False, choices=KINDS)

    def __init__(self, *args: Any, known: Known = NONE, **options: Any) -> None:
        super().__init__(*args, **options)
        if team := choices(known, bound=False):
            self.fields["kind"].choices = [*KINDS, ("The team’s secret", team)]
        if chosen := choice_of(self.initial.get("team_secret"), known):
            self.initial = {**self.initial, "kind": chosen}
        typed = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off", "class": "mono"}
        self.fields["name"].widget.attrs.update(typed, **{"aria-label": "Name", "placeholder": "NAME"})
        self.fields["kind"].widget.attrs.update({"aria-label": "Secret or plain", "data-env-kind": True})
        self.fields["name"].widget.attrs["data-env-name"] = True
        self.masked = secret = is_secret(self["name"].value() or "", self["kind"].value() or "")
        value = forms.PasswordInput(render_value=True) if secret else forms.TextInput()
        again = "Type the value again" if self.initial.get("name") and secret else "value"
        value.attrs.update(typed, **{"aria-label": "Value", "placeholder": again, "data-env-value": True})
        value.attrs["autocomplete"] = "new-password" if secret else "off"
        self.fields["value"].widget = value

    @property
    def secret(self) -> bool:
        return is_secret(self.cleaned_data.get("name", ""), self.cleaned_data.get("kind", ""))

    @property
    def ref(self) -> str:
        """The secret of the team that was chosen in the place of a value."""
        kind = self.cleaned_data.get("kind", "")
        return ref_of(kind) if kind.startswith(TEAM) else ""

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        name, value = data.get("name", ""), data.get("value", "")
        if self.ref:
            data["value"] = value = ""
        if self.errors or not (name or value or self.ref):
            return data
        if not name:
            raise ValidationError({"name": "This value needs a name."})
        if name == marker.ENV_NAME:
            raise ValidationError({"name": f"{name} is set by Dispersed Web, to find the job again."})
        if problem := _problem(name, value):
            raise ValidationError({"value" if problem.startswith("The value") else "name": problem})
        if self.secret and not value and not self.ref:
            raise ValidationError({"value": "Type the secret value, or choose Plain if it is to be empty."})
        return data


class EnvRows(BaseFormSet):
    """The filled rows: names, values, and which are secret."""

    def clean(self) -> None:
        seen: set[str] = set()
        for row in self._filled():
            name = row.cleaned_data.get("name", "")
            if name in seen:
                row.add_error("name", f"{name} is in the list twice.")
            seen.add(name)

    def _filled(self) -> list[Any]:
        return [
            row
            for row in self.forms
            if getattr(row, "cleaned_data", {}).get("name") and not row.cleaned_data.get("DELETE")
        ]

    @sensitive_variables()
    def values(self) -> dict[str, str]:
        return {row.cleaned_data["name"]: row.cleaned_data.get("value", "") for row in self._filled()}

    def refs(self) -> dict[str, str]:
        """Which variables get a secret of the team."""
        return {f"env.{row.cleaned_data['name']}": row.ref for row in self._filled() if row.ref}

    def secret_names(self) -> frozenset[str]:
        return frozenset(row.cleaned_data["name"] for row in self._filled() if row.secret)

    def exposed_names(self) -> list[str]:
        """Variables that were made plain although their names sound secret."""
        plain = [row.cleaned_data["name"] for row in self._filled() if not row.secret]
        return [name for name in plain if specs.looks_secret(name)]

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = "Remove"


EnvFormSet = formset_factory(
    EnvRow,
    formset=EnvRows,
    extra=BLANK_ROWS,
    can_delete=True,
    max_num=MAX_ROWS,
    absolute_max=MAX_ROWS,
    validate_max=True,
)


def is_secret(name: str, kind: str) -> bool:
    return kind == "secret" or kind.startswith(TEAM) or (kind != "plain" and specs.looks_secret(name))


@sensitive_variables()
def read_lines(text: str) -> tuple[list[tuple[str, str]], list[str]]:
    """``NAME=value`` lines as pairs, and the lines that are none. Blank lines and ``#`` comments are skipped, ``export``
    and one pair of quotes around a value are taken off. Pure."""
    pairs, others = [], []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            others.append(line)
            continue
        value = match[2].strip()
        quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
        pairs.append((match[1], value[1:-1] if quoted else value))
    return pairs, others


@sensitive_variables()
def absorb_lines(data: QueryDict) -> QueryDict:
    """The posted form with its pasted lines turned into rows; lines that are no variable stay where they were."""
    pairs, others = read_lines(data.get("env_lines", ""))
    count = data.get(f"{PREFIX}-TOTAL_FORMS", "")
    if not pairs or not count.isdecimal() or int(count) + len(pairs) > MAX_ROWS:
        return data
    data = data.copy()
    for number, (name, value) in enumerate(pairs, start=int(count)):
        data[f"{PREFIX}-{number}-name"] = name
        data[f"{PREFIX}-{number}-value"] = value
    data[f"{PREFIX}-TOTAL_FORMS"] = str(int(count) + len(pairs))
    data["env_lines"] = "\n".join(others)
    return data


@sensitive_variables()
def _problem(name: str, value: str) -> str | None:
    spec = JobSpec(task="BATCH", title="x", image="x", max_timeout_run_ms=60_000, env={name: value})
    return problems_of(spec).get("env")
