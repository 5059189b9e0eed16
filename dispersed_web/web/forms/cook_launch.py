"""The launch form of a recipe of the cloud, with the recipe's own questions. What they set is sent with everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web.recipes.cloud_questions import questions
from dispersed_web.recipes.document import Document
from dispersed_web.web.forms.asked_launch import AskedLaunchForm
from dispersed_web.web.forms.cook import Cook


class CookLaunchForm(AskedLaunchForm):
    """``cook`` has its recipe."""

    @sensitive_variables()
    def __init__(
        self, data: QueryDict | None = None, *, cook: Cook, env: Sequence[dict[str, Any]] = (), **options: Any
    ) -> None:
        self.cook = cook
        document = Document(inputs=questions(cook.recipe) if cook.recipe else ())
        asked = {one.env_name for one in document.inputs}
        rows = [row for row in env if row["name"] not in asked]
        super().__init__(data, document=document, env=rows, **options)

    @sensitive_variables()
    def env_values(self) -> dict[str, str]:
        """An empty answer empties a variable of the recipe, but for its secrets, which nobody sees here: unanswered, the
        cloud uses its own."""
        own = self.cook.payload.env if self.cook and self.cook.payload else {}
        emptied = {
            one.env_name: "" for one in self.document.inputs if one.env_name in own and not one.is_secret
        }
        return {**emptied, **super().env_values()}
