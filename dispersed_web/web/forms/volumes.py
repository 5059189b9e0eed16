"""Volumes as rows: a data image, where it is mounted, and the registry's login where it needs one.

As with the environment, a secret that was typed goes back with the page only when the form has a fault, in a password
input, to the person who typed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import Secret, Volume
from dispersed_web.dispersed.limits import MOST_VOLUMES
from dispersed_web.jobs.secret_refs import NONE, Known
from dispersed_web.recipes.references import TEAM_SECRET, VOLUME
from dispersed_web.web.forms.team_secrets import SecretFromField, ref_of

PREFIX = "volume"
SHOWN = ("image", "tag", "mount", "registry", "user")
# The caps of a credential judge images, those of volumes too.
PREVIEWED = ("image", "tag", "mount", "registry")
_LABELS = {
    "image": ("Image", "team/data"),
    "tag": ("Tag", "latest"),
    "mount": ("Path", "/data"),
    "registry": ("Registry", "Docker Hub"),
    "user": ("Registry user", ""),
    "secret": ("Registry password", ""),
}


class VolumeRow(forms.Form):
    image = forms.CharField(required=False, max_length=500)
    tag = forms.CharField(required=False, max_length=200)
    mount = forms.CharField(required=False, max_length=1000)
    registry = forms.CharField(required=False, max_length=300)
    user = forms.CharField(required=False, max_length=300)
    secret = forms.CharField(
        required=False, max_length=4000, strip=False, widget=forms.PasswordInput(render_value=True)
    )

    secret_from = SecretFromField(label="Registry password: where it is from")

    def __init__(self, *args: Any, known: Known = NONE, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["secret_from"].use(known)
        for name, (label, example) in _LABELS.items():
            field = self.fields[name]
            field.label = label
            field.widget.attrs |= {"autocomplete": "off", "spellcheck": "false", "placeholder": example}
        for name in PREVIEWED:
            self.fields[name].widget.attrs["data-preview"] = True
        self.fields["secret"].widget.attrs["autocomplete"] = "new-password"
        if self.initial.get("has_secret"):
            self.fields["secret"].widget.attrs["placeholder"] = "Type it again"

    @property
    def is_given(self) -> bool:
        """Something was typed into it, and it is not to be removed."""
        data = getattr(self, "cleaned_data", {})
        return any(data.get(name) for name in (*_LABELS, "secret_from")) and not data.get("DELETE")

    @property
    def ref(self) -> str:
        """The secret of the team that was chosen in the place of a password."""
        return ref_of(self.cleaned_data.get("secret_from"))

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.ref:
            data["secret"] = ""
        if self.is_given:
            for name, sentence in (
                ("image", "Which image?"),
                ("mount", "Where is it mounted, such as /data?"),
            ):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, sentence)
        return data

    @sensitive_variables()
    def volume(self) -> Volume:
        secret = self.cleaned_data.get("secret")
        return Volume.from_plain(self.cleaned_data, Secret(secret) if secret else None)


class VolumeRows(BaseFormSet):
    """The rows that were filled in."""

    @property
    def is_open(self) -> bool:
        """Shown unfolded: there is something in it, or something wrong."""
        if not self.is_bound:
            return bool(self.initial)
        return bool(self.total_error_count()) or any(row.has_changed() for row in self.forms)

    @sensitive_variables()
    def volumes(self) -> tuple[Volume, ...]:
        return tuple(row.volume() for row in self.forms if row.is_given and not row.errors)

    def refs(self) -> dict[str, str]:
        """Which volumes get a secret of the team, as an order names them."""
        given = (row for row in self.forms if row.is_given and not row.errors and row.ref)
        return {f"{VOLUME}{row.cleaned_data['mount']}": row.ref for row in given}

    def plain(self, known: Known) -> list[dict[str, str]]:
        """The filled rows as texts, without secrets; those of the team by their names."""
        if not self.is_bound:
            return []
        refs = self.refs()
        return [
            {**volume.to_plain(), **({TEAM_SECRET: known.name(refs[target])} if target in refs else {})}
            for volume in self.volumes()
            for target in (f"{VOLUME}{volume.mount}",)
        ]

    def blame(self, sentence: str) -> None:
        """What is wrong with the rows together, unless a row says it already."""
        if not self.total_error_count():
            self.non_form_errors().append(sentence)

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = "Remove"


_FormSet = formset_factory(
    VolumeRow,
    formset=VolumeRows,
    extra=1,
    can_delete=True,
    max_num=MOST_VOLUMES,
    absolute_max=MOST_VOLUMES,
    validate_max=True,
)


@sensitive_variables()
def volume_rows(
    data: QueryDict | None, initial: Sequence[Mapping[str, Any]] = (), known: Known = NONE
) -> VolumeRows:
    """The rows as sent, or as ``initial`` begins them; a form that was sent without any rows leaves them as they
    begin."""
    sent = data if data is not None and f"{PREFIX}-TOTAL_FORMS" in data else None
    rows = _FormSet(
        sent, prefix=PREFIX, initial=[_row(one) for one in initial] or None, form_kwargs={"known": known}
    )
    for field in rows.management_form.fields.values():
        field.widget.attrs["data-preview"] = True
    return rows


def _row(volume: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: volume.get(name) or "" for name in SHOWN}
    named = volume.get(TEAM_SECRET) or ""
    return {**shown, "secret_from": named, "has_secret": bool(volume.get("has_secret")) and not named}
