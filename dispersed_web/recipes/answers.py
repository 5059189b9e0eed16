"""Which of a launcher's answers may be stored and shown. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials.masking import mask
from dispersed_web.credentials.secret_names import looks_secret
from dispersed_web.recipes.document import ENV, Document
from dispersed_web.recipes.references import reference_in


@sensitive_variables()
def kept_answers(
    document: Document, answers: Mapping[str, Any], secret_env: Collection[str] = ()
) -> dict[str, Any]:
    """The answers that may be stored and shown: none to a secret input but the name of a secret of the team, none that
    sets a variable in ``secret_env``, none that has the form of a key, and no row that is such or sounds secret."""
    kept: dict[str, Any] = {}
    for one in document.inputs:
        if one.key not in answers:
            continue
        answer = answers[one.key]
        if one.type == "secret" and (reference := reference_in(answer)):
            kept[one.key] = reference.to_json()
            continue
        if one.is_secret or one.env_name in secret_env:
            continue
        if one.type == ENV and isinstance(answer, Mapping):
            rows = answer.items()
            answer = {
                name: text
                for name, text in rows
                if name not in secret_env and not looks_secret(name) and not _has_form_of_a_key(text)
            }
        elif _has_form_of_a_key(answer):
            continue
        kept[one.key] = answer
    return kept


@sensitive_variables()
def _has_form_of_a_key(answer: Any) -> bool:
    return isinstance(answer, str) and mask(answer) != answer
