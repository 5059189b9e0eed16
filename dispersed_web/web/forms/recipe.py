"""The recipe editor's form: from a document to fields and back, and the faults of the document beside its fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from dispersed_web.dispersed import BATCH, PERSISTENT
from dispersed_web.recipes import check
from dispersed_web.recipes.about import LONGEST_DESCRIPTION, LONGEST_NAME
from dispersed_web.recipes.document import ALL, REGISTRY_SECRET, Document
from dispersed_web.recipes.models import Recipe
from dispersed_web.web.forms import regions
from dispersed_web.web.forms.recipe_faults import RecipeFaults
from dispersed_web.web.forms.recipe_fields import (
    LinesField,
    MillisField,
    PartField,
    PortsField,
    SecondsField,
    TagsField,
    WholeField,
    WordsField,
)
from dispersed_web.web.forms.recipe_input_rows import INPUTS, InputRows
from dispersed_web.web.forms.recipe_rows import ENV as ENV_ROWS
from dispersed_web.web.forms.recipe_rows import (
    LINKS,
    SECRETS_LIST,
    VOLUMES,
    EnvRows,
    LinkRows,
    VolumeRows,
    rest_of,
    with_rows_of_volumes,
)
from dispersed_web.web.forms.recipe_start import LOCK, LOCKABLE, OF_AUTOSTOP, OF_SPEC, initial_of
from dispersed_web.web.recipes import recipe_words

TASKS = [
    ("", "The launcher says it"),
    (PERSISTENT, "Persistent: until it is stopped"),
    (BATCH, "Batch: it ends by itself"),
]
ICONS = (
    "machine", "terminal", "training", "images", "language", "batch", "beaker", "book",
    "music", "cpu", "globe", "file", "recipes", "key", "shield", "money",
)  # fmt: skip


class RecipeForm(RecipeFaults):
    """``document`` fills the unbound form. What of a specification has no field here stays in ``rest``."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "What people look for"}),
    )
    description_md = forms.CharField(
        label="Description",
        required=False,
        max_length=LONGEST_DESCRIPTION,
        help_text="Markdown. Its first line is on the card.",
        widget=forms.Textarea(attrs={"rows": "5", "autocomplete": "off"}),
    )
    category = forms.ChoiceField(choices=Recipe.Category.choices)
    icon = forms.ChoiceField(choices=[(name, name) for name in ICONS], widget=forms.RadioSelect)
    note = forms.CharField(
        label="What changed",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Newer image, more disk"}),
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    began = forms.CharField(required=False, max_length=200_000, widget=forms.HiddenInput)
    rest = forms.CharField(required=False, max_length=50_000, widget=forms.HiddenInput)

    task = forms.ChoiceField(required=False, choices=TASKS)
    title = PartField("Title of the job", max_length=200)
    description = PartField("Note on the job", max_length=2000)
    image = PartField("Image", mono=True, max_length=500, placeholder="dispersednetwork/base")
    tag = PartField("Tag", mono=True, max_length=200, placeholder="latest")
    registry_host = PartField("Registry", mono=True, max_length=300, placeholder="registry.gitlab.com")
    registry_user = PartField("User", max_length=300)
    registry_team_secret = PartField(
        "Password: a secret of the team", mono=True, max_length=60, placeholder="ghcr-login"
    )
    gpu_name = PartField("GPU", max_length=80, placeholder="any that fits")
    gpu_count = WholeField("GPUs", inputmode="numeric", placeholder="1")
    min_vram_gb = WholeField("VRAM, at least", inputmode="numeric")
    cpu_count = WholeField("CPU cores, at least", inputmode="numeric")
    min_ram_gb = WholeField("RAM, at least", inputmode="numeric")
    min_storage_gb = WholeField("Disk, at least", inputmode="numeric")
    max_node_count = WholeField("Nodes, at most", inputmode="numeric", placeholder="1")
    max_retry_count = WholeField("Retries after a failure", inputmode="numeric", placeholder="0")
    allowed_region_codes = forms.MultipleChoiceField(
        label="Regions", required=False, choices=regions.CHOICES, widget=forms.CheckboxSelectMultiple
    )
    max_timeout_assign_ms = MillisField("Wait for a node", placeholder="10m")
    max_timeout_start_ms = MillisField("Start, image pull included", placeholder="30m")
    max_timeout_run_ms = MillisField("Run for at most", placeholder="1h")
    ports = PortsField("Ports to publish", placeholder="22, 8888")
    allowed_ips = WordsField("Addresses that may connect", placeholder="left to the launcher")

    lifetime_s = SecondsField("Stop after", placeholder="8h")
    idle_limit_s = SecondsField("When not used for", placeholder="1h")
    checkin_every_s = SecondsField("Ask every", placeholder="4h")
    uses_logs = forms.BooleanField(label="A silent log means that it is not used", required=False)
    log_noise = LinesField(
        "Lines that are no sign of work", rows=3, mono=True, placeholder="GET /health", max_length=8000
    )
    budget_usd = PartField("Most it may cost", inputmode="decimal", max_length=20)
    rate_cap_usd = PartField("Highest price per hour", inputmode="decimal", max_length=20)

    tags = TagsField("Tags of its jobs", max_length=1000, placeholder="research, demo")
    connection_text = PartField("What to do once it runs", rows=4)
    ssh_user = PartField("SSH user", mono=True, max_length=64, placeholder="root")
    lock_all = forms.BooleanField(label="Lock everything else", required=False)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
        document: Document | None = None,
    ) -> None:
        start = initial_of(document or Document())
        data = with_rows_of_volumes(data) if data is not None else None
        super().__init__(data, initial={"category": "other", "icon": "machine", **start, **(initial or {})})
        self.fields["registry_team_secret"].widget.attrs["list"] = SECRETS_LIST
        for target in LOCKABLE:
            self.fields[f"{LOCK}{target}"] = forms.BooleanField(
                label=f"Lock {recipe_words.target_name(target)}", required=False
            )
        self.env = EnvRows(data, prefix=ENV_ROWS, initial=start["env"] or None)
        self.inputs = InputRows(data, prefix=INPUTS, initial=start["inputs"] or None)
        self.volumes = VolumeRows(data, prefix=VOLUMES, initial=start["volumes"] or None)
        self.links = LinkRows(data, prefix=LINKS, initial=start["links"] or None)
        self.document = document or Document()

    def clean_description_md(self) -> str:
        return self.cleaned_data["description_md"].replace("\r\n", "\n")

    def is_valid(self) -> bool:
        """The rows are part of the form, and the document that it makes is checked as a whole."""
        own = super().is_valid()
        rows = [rows.is_valid() for rows in self.all_rows]
        self._blame_twins()
        self.blame(check.from_anything(self.document_json())[1])
        return own and all(rows) and not self.fault_count

    @property
    def all_rows(self) -> tuple[Any, ...]:
        return self.env, self.inputs, self.volumes, self.links

    # The document ----------------------------------------------------------------------------------------------------

    def document_json(self) -> dict[str, Any]:
        """The document as it was typed; a field at fault counts as left empty."""
        data = self.cleaned_data
        spec = {**_rest(data.get("rest", "")), **_given(data, OF_SPEC)}
        env = {
            row.cleaned_data.get("name") or "": row.cleaned_data.get("value") or ""
            for row in self.env.filled()
            if not row.cleaned_data.get("team_secret")
        }
        if env:
            spec["env"] = env
        if volumes := [row.part() for row in self.volumes.filled()]:
            spec["volumes"] = volumes
        whole = {
            "spec": spec,
            "secrets": self._secrets(data),
            "inputs": [row.part() for row in self.inputs.filled()],
            "locked": sorted(self._locked(data)),
            "autostop": _given(data, OF_AUTOSTOP),
            "tags": data.get("tags"),
            "connection": self._connection(data),
        }
        return {name: value for name, value in whole.items() if value}

    def _secrets(self, data: Mapping[str, Any]) -> dict[str, str]:
        """The secrets of the team that are named, by what gets them."""
        rows = (row.cleaned_data for row in self.env.filled())
        found = {f"env.{row.get('name') or ''}": row["team_secret"] for row in rows if row.get("team_secret")}
        found |= {row.target: row.cleaned_data["team_secret"] for row in self.volumes.filled() if row.target}
        registry = data.get("registry_team_secret")
        return {**found, REGISTRY_SECRET: registry} if registry else found

    def _locked(self, data: Mapping[str, Any]) -> Iterable[str]:
        names = {target for target in LOCKABLE if data.get(f"{LOCK}{target}")}
        rows = (row.cleaned_data for row in self.env.filled())
        names |= {f"env.{row['name']}" for row in rows if row.get("lock") and row.get("name")}
        names |= {row.target for row in self.volumes.filled() if row.target and row.cleaned_data.get("lock")}
        return names | {ALL} if data.get("lock_all") else names

    def _connection(self, data: Mapping[str, Any]) -> dict[str, Any]:
        parts = {
            "text": data.get("connection_text"),
            "ssh_user": data.get("ssh_user"),
            "links": [row.part() for row in self.links.filled()],
        }
        return {name: value for name, value in parts.items() if value}

    def typed(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The document and what is said about it as they are now, at fault or not."""
        if not self.is_bound:
            return self.document.to_json(), dict(self.initial)
        _ = self.errors, [rows.is_valid() for rows in self.all_rows]
        return self.document_json(), dict(self.cleaned_data)

    # What the template asks for --------------------------------------------------------------------------------------

    def icons(self) -> list[tuple[str, bool]]:
        chosen = str(self["icon"].value())
        return [(name, name == chosen) for name in ICONS]


def _given(data: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What is filled in; 0 is."""
    return {
        name: data[name]
        for name in names
        if data.get(name) is not False and data.get(name) not in (None, "", [])
    }


def _rest(text: str) -> dict[str, Any]:
    """What of the specification has no place in the form; volumes have one now."""
    return {name: value for name, value in rest_of(text).items() if name != VOLUMES}
