"""The launch form of a recipe of the team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web.jobs.launch import Order, RecipeUse
from dispersed_web.jobs.market import GpuChoice
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import RecipeVersion
from dispersed_web.web.forms.asked_launch import AskedLaunchForm
from dispersed_web.web.forms.quote import Quote


class RecipeLaunchForm(AskedLaunchForm):
    """What it asks for is held to the ``version``."""

    version: RecipeVersion

    @sensitive_variables()
    def __init__(self, data: QueryDict | None = None, *, version: RecipeVersion, **options: Any) -> None:
        self.version = version
        super().__init__(data, document=Document.from_json(version.document), **options)

    @sensitive_variables()
    def order(self, choices: Sequence[GpuChoice], quoted: Quote) -> Order:
        use = RecipeUse(self.version.pk, self.inputs.kept())
        return replace(super().order(choices, quoted), tags=self.rendered.tags, recipe=use)
