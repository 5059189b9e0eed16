"""Forms for who may use a credential and for its caps."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

from django import forms

from dispersed_web.credentials import rules
from dispersed_web.credentials.models import Credential, CredentialCaps, UsableBy
from dispersed_web.jobs.cap_matching import bare
from dispersed_web.web import words
from dispersed_web.web.forms import regions
from dispersed_web.web.forms.amounts import CountField, UsdField
from dispersed_web.web.forms.confirm import ConfirmedForm
from dispersed_web.web.forms.team import SpanField
from dispersed_web.web.forms.usable_by import ChosenMembersField, UsableByField

MANAGED_WORDS = [("admins", "Admins and owners"), ("owners", "Owners alone")]
_BETWEEN = re.compile(r"[,\n]+")


class UseForm(ConfirmedForm):
    """What it is called, who may launch with it, who may manage it. Only owners may change the last."""

    name = forms.CharField(max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    usable_by = UsableByField()
    chosen = ChosenMembersField()
    managed_by = forms.ChoiceField(
        label="Who may manage it",
        choices=MANAGED_WORDS,
        widget=forms.RadioSelect,
        help_text="Managing is replacing its keys, setting its caps, disabling and deleting it. Nobody reads it back.",
    )
    field_order = ("name", "usable_by", "chosen", "managed_by", "password")

    def __init__(self, *args: Any, credential: Credential, is_owner: bool, **kwargs: Any) -> None:
        initial = {
            "name": credential.name,
            "usable_by": credential.usable_by,
            "managed_by": credential.managed_by,
            "chosen": list(credential.chosen.values_list("user", flat=True)),
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["chosen"].offer(credential.team_id)
        if not is_owner:
            self.fields["managed_by"].disabled = True

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if (
            data.get("usable_by") == UsableBy.CHOSEN
            and not data.get("chosen")
            and "chosen" not in self.errors
        ):
            self.add_error("chosen", "Choose at least one member, or let others use it.")
        return data

    @property
    def use(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("name", "usable_by", "chosen", "managed_by")}


class NamesField(forms.CharField):
    """Names on lines of their own or between commas; cleans to a list without repetitions."""

    widget = forms.Textarea(
        attrs={"rows": "3", "autocomplete": "off", "spellcheck": "false", "class": "mono"}
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=20_000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        parts = (part.strip() for part in _BETWEEN.split(super().clean(value).replace("\r", "\n")))
        return list(dict.fromkeys(part for part in parts if part))


class OptionalSpanField(SpanField):
    """A duration, or none."""

    def clean(self, value: Any) -> int | None:
        return super().clean(value) if str(value or "").strip() else None


def _number(label: str, help_text: str) -> CountField:
    return CountField(0, 100_000, label=label, required=False, help_text=help_text)


def _money(label: str, help_text: str) -> UsdField:
    return UsdField(zero=True, label=label, required=False, help_text=help_text)


class CapsForm(ConfirmedForm):
    """What may be launched with it, named as in :data:`dispersed_web.credentials.rules.CAPS`. Empty is no cap."""

    max_active_jobs = _number("Jobs at once", "Waiting launches and those in doubt count too.")
    max_hourly_usd = _money(
        "USD per hour", "All its jobs together. A job counts at its quote until its price is known."
    )
    max_day_usd = _money("USD per day", "Once spent, nothing more is launched that day. Running jobs go on.")
    max_month_usd = _money("USD per month", "The same for the calendar month.")
    task = forms.ChoiceField(
        label="Tasks",
        required=False,
        choices=[("", "Both"), ("BATCH", "Batch only"), ("PERSISTENT", "Persistent only")],
        widget=forms.RadioSelect,
    )
    gpu_models = NamesField(label="GPU models", help_text="One a line, such as RTX 5090. Empty: any.")
    keep_unknown_gpus = forms.BooleanField(
        label="Keep GPU names that are not known",
        required=False,
        help_text="A launch must name its GPU in just these words, or nothing is launched with this credential.",
    )
    max_gpu_count = _number("GPUs in a job", "Over all its machines.")
    regions = forms.MultipleChoiceField(
        label="Regions", required=False, choices=regions.CHOICES, widget=forms.CheckboxSelectMultiple
    )
    images = NamesField(
        label="Images",
        help_text="One a line, with the registry if it has one: dispersednetwork/*, ghcr.io/lab/train:v2. * is any text.",
    )
    max_lifetime_s = OptionalSpanField(
        label="Longest lifetime",
        required=False,
        help_text="From the launch to the hard end; no extension goes beyond it. For example 12h.",
    )
    field_order = (*rules.CAPS, "password")

    def __init__(
        self, *args: Any, caps: CredentialCaps | None, known_gpus: Sequence[str] = (), **kwargs: Any
    ) -> None:
        """``known_gpus``: the models of the cloud's list; none where it was not read yet, and then any name is taken."""
        initial = {name: getattr(caps, name) for name in rules.CAPS} if caps else {}
        super().__init__(*args, initial=initial, **kwargs)
        self.known_gpus = known_gpus

    def clean(self) -> dict[str, Any]:
        """A mistyped model would let nothing through, and nobody would know why."""
        data = self.cleaned_data
        stored = {bare(name) for name in self.initial.get("gpu_models") or ()}
        known = {bare(name): name for name in self.known_gpus}
        unknown = [one for one in data.get("gpu_models") or () if bare(one) not in known.keys() | stored]
        if known and unknown and not data.get("keep_unknown_gpus"):
            self.add_error("gpu_models", " ".join(_unknown(name, known) for name in unknown[:5]))
        return data

    @property
    def asks_about_gpus(self) -> bool:
        """Whether a name was typed that is on no list."""
        return self.is_bound and bool("gpu_models" in self.errors or self.data.get("keep_unknown_gpus"))

    @property
    def caps(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in rules.CAPS}


def _unknown(name: str, known: dict[str, str]) -> str:
    meant = difflib.get_close_matches(bare(name[:60]), known, n=1, cutoff=0.5)
    return f"No GPU of Dispersed is called “{name[:60]}”." + (
        f" Did you mean “{known[meant[0]]}”?" if meant else ""
    )


def cap_lines(caps: CredentialCaps | None) -> list[tuple[str, str]]:
    """The caps that are set, as lines of a page."""
    if caps is None:
        return []
    money = (("max_hourly_usd", "Per hour"), ("max_day_usd", "Per day"), ("max_month_usd", "Per month"))
    tasks = {"BATCH": "Batch only", "PERSISTENT": "Persistent only"}
    lines = [
        ("Jobs at once", "" if caps.max_active_jobs is None else str(caps.max_active_jobs)),
        *((label, f"${amount:.2f}") for name, label in money if (amount := getattr(caps, name)) is not None),
        ("Tasks", tasks.get(caps.task, "")),
        ("GPU models", ", ".join(caps.gpu_models)),
        ("GPUs in a job", "" if caps.max_gpu_count is None else str(caps.max_gpu_count)),
        ("Regions", ", ".join(caps.regions)),
        ("Images", ", ".join(caps.images)),
        ("Longest lifetime", words.round_duration(caps.max_lifetime_s) if caps.max_lifetime_s else ""),
    ]
    return [(label, text) for label, text in lines if text]
