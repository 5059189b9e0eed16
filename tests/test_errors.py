"""Expected failures are one family, made in one way, and each is an answer of the API."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from dispersed_web.accounts.key_keeping import KeyRefused
from dispersed_web.api.errors import refusal_of
from dispersed_web.credentials.keeping import CredentialRefused
from dispersed_web.credentials.secret_rules import SecretRefused
from dispersed_web.errors import DomainError
from dispersed_web.jobs.errors import JobError, LaunchRefused, TooLate
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.teams.installation import OnlyLooks
from dispersed_web.teams.keeping import TeamRefused

FAMILY = (
    JobError,
    LaunchRefused,
    TooLate,
    TeamRefused,
    RecipeRefused,
    SecretRefused,
    CredentialRefused,
    KeyRefused,
)


def descendants(kind: type[Exception]) -> Iterator[type[Exception]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


def test_who_looks_like_one_of_the_family_belongs_to_it() -> None:
    """An error with a code and a sentence that stands outside would be an internal error of the API."""
    alike = {
        kind
        for kind in descendants(Exception)
        if kind.__module__.startswith("dispersed_web.")
        and not kind.__module__.startswith(
            ("dispersed_web.dispersed", "dispersed_web.sandbox", "dispersed_web.api")
        )
        and {"code", "sentence"} <= set(inspect.signature(kind.__init__).parameters)
    }
    assert alike
    assert all(issubclass(kind, DomainError) for kind in alike)


@pytest.mark.parametrize("kind", FAMILY)
def test_each_is_answered_with_its_code_its_sentence_and_the_input_at_fault(kind: type[DomainError]) -> None:
    answer = refusal_of(kind("name_taken", "There is one of this name.", "name"))

    assert answer is not None
    assert (answer.status, answer.code, answer.message) == (409, "name_taken", "There is one of this name.")
    assert answer.fields == {"name": "There is one of this name."}


def test_an_installation_that_only_looks_answers_with_a_conflict() -> None:
    answer = refusal_of(OnlyLooks())

    assert answer is not None
    assert (answer.status, answer.code, answer.fields) == (409, "only_looks", {})
