"""The launch form: every field of the create call, held to the limits of the cloud and of the team."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web import durations
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import PERSISTENT, JobSpec, Volume
from dispersed_web.jobs import market, rate, secret_refs
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.launch import Order
from dispersed_web.jobs.market import GpuChoice
from dispersed_web.jobs.secret_refs import NONE, Known
from dispersed_web.recipes.document import REGISTRY_SECRET
from dispersed_web.teams.models import AutostopPolicy, Team
from dispersed_web.web.forms import advice, caps_beside
from dispersed_web.web.forms.env import PREFIX, EnvFormSet, absorb_lines
from dispersed_web.web.forms.fields import split_image
from dispersed_web.web.forms.launch_fields import LaunchFields
from dispersed_web.web.forms.launch_names import (
    CREDENTIAL_CODES,
    FOREIGN,
    MARKET_TOO,
    OF_THE_MARKET,
    PLACES,
    PREVIEWED,
    SHORTEST_LIFETIME_S,
)
from dispersed_web.web.forms.order import ANY_GPU, GPU_BY_NAME, spec_of, wish_of
from dispersed_web.web.forms.quote import Quote, gpu_choices
from dispersed_web.web.forms.ssh_choice import KnownKey
from dispersed_web.web.forms.stop_choices import choices_of
from dispersed_web.web.forms.team_secrets import ref_of
from dispersed_web.web.forms.visitor import Visitor
from dispersed_web.web.forms.volumes import volume_rows

if TYPE_CHECKING:
    from dispersed_web.web.forms.cook import Cook

_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


class LaunchForm(LaunchFields):
    """The custom form. ``held`` names the fields that somebody else decides: see :mod:`recipe_launch`."""

    held: frozenset[str] = frozenset()
    gpu_field = "gpu"
    cook: Cook | None = None

    @sensitive_variables()
    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        team: Team,
        credentials: Sequence[Credential],
        visitor: Visitor,
        initial: dict[str, Any] | None = None,
        env: Sequence[dict[str, Any]] = (),
        keys: Sequence[KnownKey] = (),
        user_id: int | None = None,
        needs_sure: bool = False,
        known: Known = NONE,
    ) -> None:
        data = absorb_lines(data) if data is not None else None
        super().__init__(data, initial=initial)
        self.team, self.user_id = team, user_id
        self.known = known
        self.fields["ssh_key"].use_keys(keys)
        self.fields["registry_from"].use(known)
        self.policy = AutostopPolicy.of(team.pk)
        self.show_bounds(self.policy)
        self.visitor = visitor
        self.needs_sure = needs_sure
        rows = {"known": known}
        self.env = EnvFormSet(data, prefix=PREFIX, initial=list(env) or None, form_kwargs=rows)
        self.volume_rows = volume_rows(data, (initial or {}).get("volumes") or ())
        self.by_id = {credential.pk: credential for credential in credentials}
        self.fields["credential"].widget.choices = [(c.pk, c.name) for c in credentials]
        for name in PREVIEWED:
            self.fields[name].widget.attrs["data-preview"] = MARKET_TOO if name in OF_THE_MARKET else True

    @property
    def chosen_credential(self) -> Credential | None:
        """The one that was chosen, or the first: also while the form is being filled."""
        try:
            wanted = uuid.UUID(str(self["credential"].value()))
        except ValueError:
            wanted = None
        return self.by_id.get(wanted) or next(iter(self.by_id.values()), None)

    def is_valid(self) -> bool:
        """The rows of the environment and of volumes are part of the form."""
        return super().is_valid() & self.env_is_valid() & self.volumes_are_valid()

    def env_is_valid(self) -> bool:
        return self.env.is_valid()

    def volumes_are_valid(self) -> bool:
        return self.volume_rows.is_valid() if self.volume_rows.is_bound else True

    @property
    def has_faults(self) -> bool:
        rows = self.env.total_error_count() + self.volume_rows.total_error_count()
        return bool(self.errors) or bool(rows)

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
        for name, sentence in self.spec().problems().items():
            self._blame(name, sentence)
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
        if place == "volumes":
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

    def add_refusal(self, refusal: LaunchRefused) -> None:
        """Shows why the domain refused, beside the field at fault or above the form."""
        self._blame("credential" if refusal.code in CREDENTIAL_CODES else refusal.field, refusal.sentence)

    # What is asked for -----------------------------------------------------------------------------------------------

    @sensitive_variables()
    def spec(self) -> JobSpec:
        """With a placeholder for each secret of the team that was chosen."""
        spec = spec_of(self.cleaned_data, self.env_values(), self.volumes())
        return secret_refs.marked(spec, self.secret_refs())

    def secret_refs(self) -> dict[str, str]:
        """The parts whose values are secrets of the team, as an order has them."""
        refs = self.env.refs() if self.env.is_bound else {}
        registry = ref_of(self.cleaned_data.get("registry_from"))
        return {**refs, REGISTRY_SECRET: registry} if registry else refs

    @sensitive_variables()
    def volumes(self) -> tuple[Volume, ...]:
        return self.volume_rows.volumes() if self.volume_rows.is_bound else ()

    @property
    def how_many(self) -> int:
        """How many jobs it asks for."""
        return getattr(self, "cleaned_data", {}).get("copies") or 1

    def forget_faults(self) -> None:
        """Shows what was typed as if nobody had looked at it yet."""
        self.errors.clear()
        for rows in self.row_sources():
            for row in rows.forms:
                row.errors.clear()

    def row_sources(self) -> list[Any]:
        """Every formset of environment rows on the page."""
        return [self.env]

    @sensitive_variables()
    def env_values(self) -> dict[str, str]:
        return self.env.values() if self.env.is_bound else {}

    def secret_env(self) -> frozenset[str]:
        return self.env.secret_names() if self.env.is_bound else frozenset()

    @sensitive_variables()
    def exposed_env(self) -> list[str]:
        """Variables that would be stored in plain although they look secret."""
        if not self.env.is_bound:
            return []
        secret = self.secret_env()
        values = [name for name, value in self.env_values().items() if advice.looks_like_a_secret(value)]
        return list(
            dict.fromkeys([*self.env.exposed_names(), *(name for name in values if name not in secret)])
        )

    @sensitive_variables()
    def order(self, choices: Sequence[GpuChoice], quoted: Quote) -> Order:
        """What the valid form asks for."""
        data = self.cleaned_data
        order = Order(
            title=data["title"],
            spec=self.spec(),
            secret_env=self.secret_env(),
            lifetime_s=data["lifetime"] or self.team.default_lifetime_s,
            gpu_label=market.label(wish_of(data), choices),
            quoted_usd=quoted.to_usd,
            lowest_usd=quoted.from_usd,
            choices=choices_of(data),
            cook_uuid=self.cook.uuid if self.cook else "",
            secret_refs=self.secret_refs(),
        )
        return secret_refs.settled(order, self.known)
