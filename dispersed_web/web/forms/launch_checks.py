"""What the launch form holds what was typed to: each field alone, the fields together, and beside which a fault is said."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from dispersed_web import durations
from dispersed_web.dispersed import PERSISTENT, problems_of
from dispersed_web.jobs import market, rate
from dispersed_web.recipes.document import REGISTRY_SECRET
from dispersed_web.recipes.references import VOLUME
from dispersed_web.web.forms import caps_beside
from dispersed_web.web.forms.fields import split_image
from dispersed_web.web.forms.launch_fields import LaunchFields
from dispersed_web.web.forms.launch_names import FOREIGN, PLACES, SHORTEST_LIFETIME_S
from dispersed_web.web.forms.order import ANY_GPU, GPU_BY_NAME, wish_of
from dispersed_web.web.forms.quote import gpu_choices

_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


class LaunchChecks(LaunchFields):
    """The rules of :class:`~dispersed_web.web.forms.launch.LaunchForm`, which knows for whom they hold. ``as_typed`` is what
    was understood of it, with what only a cap forbids."""

    as_typed: Mapping[str, Any] = {}

    # Single fields ---------------------------------------------------------------------------------------------------

    def clean_title(self) -> str:
        title: str = self.cleaned_data["title"]
        control = any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in title)
        if control or _BIDI.search(title):
            raise ValidationError("The title must be one line without control characters.")
        return title

    def clean_description(self) -> str:
        return self.cleaned_data["description"].replace("\r\n", "\n")

    def clean_credential(self) -> uuid.UUID:
        if self.cleaned_data["credential"] not in self.by_id:
            raise ValidationError("Choose a credential of this team that may launch.")
        return self.cleaned_data["credential"]

    def clean_gpu(self) -> str:
        gpu = self.cleaned_data["gpu"] or ANY_GPU
        try:
            return gpu if gpu in (ANY_GPU, GPU_BY_NAME) else str(uuid.UUID(gpu))
        except ValueError:
            raise ValidationError("Choose a GPU from the list.") from None

    def clean_env_lines(self) -> str:
        if self.cleaned_data["env_lines"].strip():
            raise ValidationError("What is left here is not NAME=value. Mend it or remove it.")
        return ""

    def clean_lifetime(self) -> int | None:
        lifetime, most = self.cleaned_data["lifetime"], self.team.max_lifetime_s
        if lifetime is not None and not SHORTEST_LIFETIME_S <= lifetime <= most:
            raise ValidationError(
                f"Between 1m and {durations.write(most)}, the longest that the team allows."
            )
        return lifetime

    # Fields together -------------------------------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        for name in set(FOREIGN.get(data.get("task", ""), ())) - self.held:
            self.errors.pop(name, None)
            data[name] = None
        if data.get("task") == PERSISTENT and data.get("lifetime") is None and "lifetime" not in self.errors:
            self.add_error("lifetime", "A persistent job needs a time after which it is stopped.")
        self.blame_choices(self.policy)
        self._clean_image()
        self._clean_gpus()
        self._clean_reach()
        self._clean_cap()
        if self.needs_sure and (data.get("copies") or 1) > 1:
            self.add_error("copies", "Several cannot take the place of one job.")
        if self.needs_sure and not data.get("supersedes_sure"):
            self.add_error("supersedes_sure", "Tick this to launch another one all the same.")
        for name, sentence in problems_of(self.spec()).items():
            self._blame(name, sentence)
        self.as_typed = dict(data)
        for fault in caps_beside.faults(self, data):
            self._blame(fault.field, fault.sentence)
        return data

    def _clean_image(self) -> None:
        data = self.cleaned_data
        if "image" in data and "tag" in data:
            try:
                data["image"], data["tag"] = split_image(data["image"], data["tag"])
            except ValidationError as error:
                self.add_error("image", error)

    def _clean_gpus(self) -> None:
        data = self.cleaned_data
        if data.get("gpu") == GPU_BY_NAME and not data.get("gpu_name") and "gpu_name" not in self.errors:
            self.add_error("gpu_name", "Write the name of the GPU, or choose another entry.")
        if data.get("gpu_count") == 0 and data.get("gpu") not in (None, ANY_GPU):
            self.add_error(
                "gpu_count", "A chosen GPU needs a number of at least 1; for none, choose any GPU."
            )

    def _clean_reach(self) -> None:
        """Asked for only where something can be reached: who may connect must be somebody's choice."""
        data = self.cleaned_data
        reach = data.get("reach")
        if reach == "me" and not self.visitor.public:
            self.add_error("reach", "Your address cannot be told from here. Choose one of the others.")
        elif reach == "me":
            data["allowed_ips"] = (self.visitor.network,)
        elif reach == "list" and not data.get("allowed_ips") and "allowed_ips" not in self.errors:
            self.add_error("allowed_ips", "Write at least one address, or choose who else may connect.")
        elif not reach and "reach" not in self.errors and (data.get("ssh_key") or data.get("ports")):
            self.add_error("reach", "Choose who may connect to the ports of this job.")
        if reach != "list":
            self.errors.pop("allowed_ips", None)
        if reach not in ("me", "list"):
            data["allowed_ips"] = ()

    def _clean_cap(self) -> None:
        """A price above the cap stops the job at once, so a cap below every offer cannot be meant."""
        data, credential = self.cleaned_data, self.chosen_credential
        if data.get("rate_cap_usd") and credential:
            choices = gpu_choices(market.of(credential), data)
            lowest_usd, _ = market.hourly_range_usd(wish_of(data), choices)
            if sentence := rate.cap_too_low(data["rate_cap_usd"], lowest_usd):
                self.add_error("rate_cap_usd", sentence)

    def _blame(self, name: str, sentence: str) -> None:
        place: str | None = PLACES.get(name, name)
        if name.startswith("env.") and self._blame_row(name.removeprefix("env."), sentence):
            return
        if name == REGISTRY_SECRET and self.cleaned_data.get("registry_from"):
            place = "registry_from"
        if place == "env":
            return  # each row says it of itself
        if place == "volumes" or name.startswith(VOLUME):
            self.volume_rows.blame(sentence)
            return
        if place not in self.fields:
            place = None
        if place is None or place not in self.errors:
            self.add_error(place, sentence)

    def _blame_row(self, variable: str, sentence: str) -> bool:
        """Says it beside the variable's row, if there is one on the page."""
        rows = [row for source in self.row_sources() if source.is_bound for row in source.forms]
        for row in rows:
            data = getattr(row, "cleaned_data", {})
            if data.get("name") == variable and not data.get("DELETE"):
                row.add_error("kind", sentence)
                return True
        return False
