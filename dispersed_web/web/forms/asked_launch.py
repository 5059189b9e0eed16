"""A launch form that asks questions: those of a recipe of the team, or of one of the cloud.

A field that a question sets, or that an author locked, is *held*: Django's ``disabled`` makes whatever is posted for it
count for nothing, and the domain checks the order once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import Volume
from dispersed_web.jobs.secret_refs import NONE
from dispersed_web.recipes import references
from dispersed_web.recipes.document import ENV, GPU, REGISTRY_SECRET, Document, Input
from dispersed_web.recipes.references import VOLUME
from dispersed_web.recipes.render import render
from dispersed_web.web.forms.env import PREFIX, EnvFormSet
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.recipe_inputs import RecipeInputs, name_of
from dispersed_web.web.forms.recipe_values import fields_of, fixed_names, values_of
from dispersed_web.web.forms.team_secrets import ref_of
from dispersed_web.web.recipes import recipe_words


class AskedLaunchForm(LaunchForm):
    """The form of ``document``: its questions, and every other field with the document's values."""

    @sensitive_variables()
    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        document: Document,
        initial: Mapping[str, Any],
        answers: Mapping[str, Any] | None = None,
        env: Sequence[dict[str, Any]] = (),
        **options: Any,
    ) -> None:
        self.document = document
        self.inputs = RecipeInputs(
            self.document,
            data,
            visitor=options["visitor"],
            ssh_key=initial.get("ssh_key") or "",
            keys=options.get("keys", ()),
            answers=answers,
            known=options.get("known", NONE),
        )
        self.rendered = render(self.document, self.inputs.answers())
        super().__init__(data, initial=dict(initial), env=env, **options)
        if self.locks_env:
            self.env = EnvFormSet(prefix=PREFIX)
        self._hold()

    # What the recipe decides -----------------------------------------------------------------------------------------

    def _hold(self) -> None:
        targets = self.document.targets()
        locked = self.document.locked_targets()
        self.asked_by: dict[str, Input] = {}
        held: set[str] = set()
        for target in {*targets, *locked}:
            for name in fields_of(target):
                if name not in self.fields:
                    continue
                held.add(name)
                field = self.fields[name]
                field.disabled, field.required = True, False
                field.is_covered = target in targets
                if target in targets:
                    self.asked_by[name] = targets[target]
        self.held = frozenset(held)
        meant = values_of(self.rendered)
        self.initial |= {name: meant.get(name) for name in held}
        if GPU in targets and not targets[GPU].is_fixed:
            self.gpu_field = name_of(targets[GPU])

    @property
    def locks_env(self) -> bool:
        return ENV in self.document.locked_targets()

    def fixed_env(self) -> frozenset[str]:
        """Variables that a question sets or the author locked."""
        return fixed_names(self.document)

    def locked_env(self) -> list[tuple[str, str]]:
        """Locked variables with their values, or the name of the secret that they get, for showing."""
        asked = {one.env_name for one in self.document.inputs}
        named = self.document.secret_variables
        shown = {**self.document.env, **{name: references.words(secret) for name, secret in named.items()}}
        return [(name, shown[name]) for name in sorted(self.fixed_env() - asked) if name in shown]

    # Faults ----------------------------------------------------------------------------------------------------------

    def env_is_valid(self) -> bool:
        """Rows that nobody may fill are not read."""
        return self.locks_env or super().env_is_valid()

    def is_valid(self) -> bool:
        return all([super().is_valid(), self.inputs.is_valid(), not self._doubled_env()])

    @property
    def has_faults(self) -> bool:
        return super().has_faults or bool(self.inputs.faults)

    def _doubled_env(self) -> bool:
        """Variables in the free rows that the recipe decides."""
        taken, doubled = self.fixed_env() | self._row_names(), False
        asked = {one.env_name: one.name for one in self.document.inputs if not one.hidden}
        for row in [] if self.locks_env else self.env.forms:
            name = getattr(row, "cleaned_data", {}).get("name")
            if name in taken and not row.cleaned_data.get("DELETE"):
                told = f"“{asked[name]}” asks for {name} above." if name in asked else ""
                row.add_error("name", told or f"{name} is set by the recipe.")
                doubled = True
        return doubled

    def _row_names(self) -> set[str]:
        answers = self.inputs.answers()
        return {name for key in self.inputs.rows for name in answers.get(key) or ()}

    def add_error(self, field: str | None, error: Any) -> None:
        """What is wrong with a field that a question sets is said beside the question."""
        one = self.asked_by.get(field or "") if hasattr(self, "asked_by") else None
        if one is None:
            super().add_error(field, error)
            return
        self.cleaned_data.pop(field, None)
        sentences = error.messages if isinstance(error, ValidationError) else [str(error)]
        if one.hidden:
            super().add_error(None, [f"{one.name}: {sentence}" for sentence in sentences])
        elif name_of(one) not in self.inputs.errors:
            self.inputs.add_error(name_of(one), sentences)

    def _blame(self, name: str, sentence: str) -> None:
        one = self.document.by_key.get(name) or self.document.targets().get(name)
        if one and not one.hidden and name_of(one) in self.inputs.fields:
            if name_of(one) not in self.inputs.errors:
                self.inputs.add_error(name_of(one), sentence)
            return
        super()._blame(fields_of(name)[0], sentence)

    def _clean_reach(self) -> None:
        """Where nobody can choose, nobody is asked to."""
        if "reach" in self.held and "reach" not in self.asked_by:
            return
        super()._clean_reach()

    def bar_regions(self, is_barred: Callable[[str], bool]) -> None:
        super().bar_regions(is_barred)
        for one in self.document.inputs:
            if one.to == "allowed_region_codes" and name_of(one) in self.inputs.fields:
                self.inputs.fields[name_of(one)].widget.is_barred = is_barred

    def forget_faults(self) -> None:
        super().forget_faults()
        self.inputs.errors.clear()

    def row_sources(self) -> list[Any]:
        return [*([] if self.locks_env else super().row_sources()), *self.inputs.rows.values()]

    # What is asked for -----------------------------------------------------------------------------------------------

    @property
    def locks_volumes(self) -> bool:
        return "volumes" in self.document.locked_targets()

    def locked_volumes(self) -> list[tuple[str, str]]:
        """The paths of locked volumes, and what is there, for showing."""
        refs, volumes = self.volume_refs(), self.volumes()
        named = {one.mount: refs.get(f"{VOLUME}{one.mount}", "") for one in volumes}
        return [(one.mount, recipe_words.volume(one.to_plain(), named[one.mount])) for one in volumes]

    def volumes(self) -> tuple[Volume, ...]:
        if self.volume_rows.is_bound and not self.locks_volumes:
            return super().volumes()
        return tuple(Volume.from_plain(row) for row in self.rendered.values.get("volumes") or ())

    def volume_refs(self) -> dict[str, str]:
        if self.volume_rows.is_bound and not self.locks_volumes:
            return super().volume_refs()
        return {target: name for target, name in self.rendered.refs.items() if target.startswith(VOLUME)}

    @sensitive_variables()
    def env_values(self) -> dict[str, str]:
        rows = self.inputs.answers()
        asked = {name: value for key in self.inputs.rows for name, value in (rows.get(key) or {}).items()}
        fixed = {name: value for name, value in self.rendered.env.items() if name in self.fixed_env()}
        free = {} if self.locks_env else super().env_values()
        return {**free, **asked, **fixed}

    def secret_env(self) -> frozenset[str]:
        free = frozenset() if self.locks_env else super().secret_env()
        return free | self.rendered.secret_env | self.inputs.secret_env()

    def secret_refs(self) -> dict[str, str]:
        """Those of the rows, and in the parts that the recipe decides its own."""
        refs = {} if self.locks_env else super().secret_refs()
        decided = {f"env.{name}" for name in self.fixed_env()}
        decided |= {REGISTRY_SECRET} if "registry_from" in self.held else set()
        chosen = {**refs, **self.inputs.row_refs()}
        if self.locks_env:
            chosen |= self.volume_refs()
        if self.locks_env and (registry := ref_of(self.cleaned_data.get("registry_from"))):
            chosen[REGISTRY_SECRET] = registry
        own = {target: name for target, name in self.rendered.refs.items() if target in decided}
        return {target: ref for target, ref in chosen.items() if target not in decided} | own

    def exposed_env(self) -> list[str]:
        return [*dict.fromkeys([*super().exposed_env(), *self.inputs.exposed_env()])]
