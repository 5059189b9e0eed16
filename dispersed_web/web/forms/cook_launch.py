"""The launch form of a recipe of the cloud with the recipe's own questions as fields. Their answers are variables of the
job, which are sent with everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web.jobs.secret_refs import Known
from dispersed_web.recipes.cloud_questions import questions
from dispersed_web.recipes.document import Document, Input
from dispersed_web.recipes.references import TEAM_SECRET, Reference
from dispersed_web.web.forms.cook import Cook
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.recipe_inputs import RecipeInputs, name_of
from dispersed_web.web.forms.team_secrets import ref_of


class CookLaunchForm(LaunchForm):
    """``cook`` has its recipe. Rows of ``env`` that a question asks for begin that question instead."""

    @sensitive_variables()
    def __init__(
        self, data: QueryDict | None = None, *, cook: Cook, env: Sequence[dict[str, Any]] = (), **options: Any
    ) -> None:
        self.cook = cook
        asked = questions(cook.recipe) if cook.recipe else ()
        names = {one.env_name for one in asked}
        self.inputs = RecipeInputs(
            Document(inputs=asked),
            data,
            visitor=options["visitor"],
            answers=_answers(asked, env, options["known"]),
            known=options["known"],
        )
        super().__init__(data, env=[row for row in env if row["name"] not in names], **options)

    # Faults ----------------------------------------------------------------------------------------------------------

    def is_valid(self) -> bool:
        return all([super().is_valid(), self.inputs.is_valid(), not self._doubled()])

    @property
    def has_faults(self) -> bool:
        return super().has_faults or bool(self.inputs.faults)

    def forget_faults(self) -> None:
        super().forget_faults()
        self.inputs.errors.clear()

    def _doubled(self) -> bool:
        """Rows of a variable that a question asks for."""
        asked = {one.env_name: one.name for one in self.inputs.document.inputs}
        doubled = False
        for row in self.env.forms:
            name = getattr(row, "cleaned_data", {}).get("name")
            if name in asked and not row.cleaned_data.get("DELETE"):
                row.add_error("name", f"“{asked[name]}” asks for {name} above.")
                doubled = True
        return doubled

    def _blame(self, name: str, sentence: str) -> None:
        one = next((one for one in self.inputs.document.inputs if one.to == name), None)
        if one is None:
            super()._blame(name, sentence)
        elif name_of(one) not in self.inputs.errors:
            self.inputs.add_error(name_of(one), sentence)

    # What is asked for -----------------------------------------------------------------------------------------------

    @sensitive_variables()
    def env_values(self) -> dict[str, str]:
        return {**super().env_values(), **self._answered()}

    def secret_env(self) -> frozenset[str]:
        given = self._answered()
        secret = {
            one.env_name for one in self.inputs.document.inputs if one.is_secret and one.env_name in given
        }
        return super().secret_env() | secret

    def secret_refs(self) -> dict[str, str]:
        answers = self.inputs.answers()
        named = {
            one.to: answers[one.key].name
            for one in self.inputs.document.inputs
            if isinstance(answers.get(one.key), Reference)
        }
        return {**super().secret_refs(), **named}

    @sensitive_variables()
    def _answered(self) -> dict[str, str]:
        """What was answered. An empty answer empties a variable of the recipe, but for its secrets, which nobody sees here:
        unanswered, the cloud uses its own."""
        answers = self.inputs.answers()
        own = self.cook.payload.env if self.cook and self.cook.payload else {}
        found = {}
        for one in self.inputs.document.inputs:
            text = _text(one, answers.get(one.key))
            if text or (one.env_name in own and not one.is_secret):
                found[one.env_name] = text
        return found


@sensitive_variables()
def _text(one: Input, value: Any) -> str:
    if value is None or isinstance(value, Reference):
        return ""
    if one.type == "switch":
        return one.on if value else one.off
    return ",".join(str(entry) for entry in value) if isinstance(value, (list, tuple)) else str(value)


def _answers(asked: Iterable[Input], env: Sequence[Mapping[str, Any]], known: Known) -> dict[str, Any]:
    """What rows of a past job or of a link say of the questions. A secret is asked for again, or named again."""
    rows = {row["name"]: row for row in env}
    found: dict[str, Any] = {}
    for one in asked:
        row = rows.get(one.env_name)
        if row is None:
            continue
        if row.get(TEAM_SECRET) and one.type == "secret":
            found[one.key] = Reference(known.name(ref_of(row[TEAM_SECRET]))).to_json()
        elif one.type != "secret":
            found[one.key] = row.get("value") == one.on if one.type == "switch" else row.get("value")
    return found
