"""The launch form: every field of the create call, held to the limits of the cloud and of the team."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import JobSpec, Volume
from dispersed_web.jobs import market, secret_refs
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.launch import Order
from dispersed_web.jobs.market import GpuChoice
from dispersed_web.jobs.secret_refs import NONE, Known
from dispersed_web.recipes.document import REGISTRY_SECRET
from dispersed_web.recipes.models import RecipeVersion
from dispersed_web.teams.models import AutostopPolicy, Team
from dispersed_web.web.forms import advice
from dispersed_web.web.forms.cook import Cook
from dispersed_web.web.forms.env import PREFIX, EnvFormSet, absorb_lines
from dispersed_web.web.forms.launch_checks import LaunchChecks
from dispersed_web.web.forms.launch_names import (
    CREDENTIAL_CODES,
    MARKET_TOO,
    OF_THE_MARKET,
    PREVIEWED,
)
from dispersed_web.web.forms.order import spec_of, wish_of
from dispersed_web.web.forms.quote import Quote
from dispersed_web.web.forms.ssh_choice import KnownKey
from dispersed_web.web.forms.stop_choices import choices_of
from dispersed_web.web.forms.team_secrets import ref_of
from dispersed_web.web.forms.visitor import Visitor
from dispersed_web.web.forms.volumes import volume_rows


class LaunchForm(LaunchChecks):
    """The custom form. ``held`` names the fields that somebody else decides, for the recipe's ``version``: see
    :mod:`asked_launch`."""

    held: frozenset[str] = frozenset()
    gpu_field = "gpu"
    cook: Cook | None = None
    version: RecipeVersion | None = None

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
        self.volume_rows = volume_rows(data, (initial or {}).get("volumes") or (), known)
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

    def bar_regions(self, is_barred: Callable[[str], bool]) -> None:
        """Lets nobody tick these by accident."""
        self.fields["allowed_region_codes"].widget.is_barred = is_barred

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
        refs = {**(self.env.refs() if self.env.is_bound else {}), **self.volume_refs()}
        registry = ref_of(self.cleaned_data.get("registry_from"))
        return {**refs, REGISTRY_SECRET: registry} if registry else refs

    def volume_refs(self) -> dict[str, str]:
        return self.volume_rows.refs() if self.volume_rows.is_bound else {}

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
