"""The rows of the recipe editor beside those of its inputs: variables, volumes, links."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.http import QueryDict

from dispersed_web.dispersed.limits import MOST_VOLUMES
from dispersed_web.recipes.inputs import MOST_ROWS
from dispersed_web.recipes.references import VOLUME
from dispersed_web.web.forms.recipe_fields import PartField, WholeField

ENV, VOLUMES, LINKS = "env", "volumes", "links"
VOLUME_TEXTS = ("image", "tag", "mount", "registry", "user")
MOST_LINKS = 10
# The names of the team's secrets, offered as they are typed; others are taken too, as recipes travel.
SECRETS_LIST = "team-secrets"


class EnvRow(forms.Form):
    name = PartField("Name", mono=True, placeholder="NAME", max_length=200)
    value = PartField("Value", mono=True, placeholder="value", max_length=32_768)
    team_secret = PartField("Secret of the team", mono=True, placeholder="or a team’s secret", max_length=60)
    lock = forms.BooleanField(label="Lock", required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["value"].strip = False
        for name in ("name", "value", "team_secret"):
            label = f"{self.fields[name].label} of the variable"
            self.fields[name].widget.attrs["aria-label"] = label
        self.fields["team_secret"].widget.attrs["list"] = SECRETS_LIST


class LinkRow(forms.Form):
    port = WholeField("Port", inputmode="numeric", placeholder="8888")
    label = PartField("Label", placeholder="Notebook", max_length=80)
    path = PartField("Path", mono=True, placeholder="/lab", max_length=300)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label

    def part(self) -> dict[str, Any]:
        return {name: value for name in ("port", "label", "path") if (value := self.cleaned_data.get(name))}


class VolumeRow(forms.Form):
    image = PartField("Image", mono=True, placeholder="team/data", max_length=500)
    tag = PartField("Tag", mono=True, placeholder="latest", max_length=200)
    mount = PartField("Path", mono=True, placeholder="/data", max_length=1000)
    registry = PartField("Registry", mono=True, placeholder="Docker Hub", max_length=300)
    user = PartField("Registry user", max_length=300)
    team_secret = PartField(
        "Password: a secret of the team", mono=True, placeholder="ghcr-login", max_length=60
    )
    lock = forms.BooleanField(label="Lock the password", required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["team_secret"].widget.attrs["list"] = SECRETS_LIST

    @property
    def target(self) -> str:
        """What the secret is for; empty where none is named, or no path that it could be for."""
        data = self.cleaned_data
        return f"{VOLUME}{data['mount']}" if data.get("team_secret") and data.get("mount") else ""

    def part(self) -> dict[str, Any]:
        """As it stands in the document; the secret stands elsewhere."""
        return {name: value for name in VOLUME_TEXTS if (value := self.cleaned_data.get(name))}


class Rows(BaseFormSet):
    """Rows that came from the document or were typed; blank ones are skipped."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].label = "Remove"

    def blame(self, sentence: str) -> None:
        """What is wrong with the rows together."""
        self.non_form_errors().append(sentence)

    def filled(self) -> list[Any]:
        return [form for form in self.forms if not _is_blank(form)]


def _is_blank(form: Any) -> bool:
    data = getattr(form, "cleaned_data", {})
    if data.get("DELETE"):
        return True
    if not getattr(form, "may_be_blank", True):
        return False
    return not form.errors and not any(
        value for name, value in data.items() if name not in ("DELETE", "lock")
    )


def made_rows(form: type[forms.Form], most: int, extra: int, can_delete: bool = True) -> Any:
    """A class of such rows: at most so many, so many blank ones to begin with."""
    return formset_factory(
        form,
        formset=Rows,
        extra=extra,
        can_delete=can_delete,
        max_num=most,
        absolute_max=most,
        validate_max=True,
    )


def rest_of(text: str) -> dict[str, Any]:
    """The parts of a specification that the form carries along unseen."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def with_rows_of_volumes(data: QueryDict) -> QueryDict:
    """What was sent, its volumes as rows: a page that was opened before there were such rows carries them unseen."""
    if f"{VOLUMES}-TOTAL_FORMS" in data:
        return data
    sent = data.copy()
    volumes = rest_of(data.get("rest", "")).get(VOLUMES)
    rows = [one for one in volumes if isinstance(one, dict)] if isinstance(volumes, list) else []
    sent[f"{VOLUMES}-TOTAL_FORMS"], sent[f"{VOLUMES}-INITIAL_FORMS"] = str(len(rows)), "0"
    for number, row in enumerate(rows):
        for name in VOLUME_TEXTS:
            sent[f"{VOLUMES}-{number}-{name}"] = str(row.get(name) or "")
    return sent


EnvRows = made_rows(EnvRow, MOST_ROWS, 2)
VolumeRows = made_rows(VolumeRow, MOST_VOLUMES, 1)
LinkRows = made_rows(LinkRow, MOST_LINKS, 1)
