"""What can go wrong with keeping recipes, as errors with a code and a sentence for users."""

from __future__ import annotations

from collections.abc import Iterable

from dispersed_web.errors import DomainError
from dispersed_web.recipes.document import Problem


class RecipeRefused(DomainError):
    """Nothing of the recipe was changed; of a document that cannot be, ``problems`` are all its faults."""

    def __init__(self, code: str, sentence: str, field: str = "", problems: Iterable[Problem] = ()) -> None:
        super().__init__(code, sentence, field)
        self.problems = tuple(problems)
