"""From the answers to a recipe's inputs to the flat body of a launch, and to the order that is held to the recipe."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from django.views.decorators.debug import sensitive_variables

from dispersed_web.api import orders
from dispersed_web.api.errors import Refused
from dispersed_web.credentials.models import Credential
from dispersed_web.credentials.secret_names import looks_secret
from dispersed_web.jobs.launch import Order, RecipeUse
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.secret_refs import Known
from dispersed_web.recipes.answers import kept_answers
from dispersed_web.recipes.document import REGISTRY_SECRET, Document
from dispersed_web.recipes.models import RecipeVersion
from dispersed_web.recipes.references import TEAM_SECRET, VOLUME, Reference, is_reference
from dispersed_web.recipes.render import Rendered, render
from dispersed_web.teams.models import Team

# Of the call, not of the job.
OF_THE_CALL = ("credential_id", "same_again", "supersedes")


@sensitive_variables()
def with_names(answers: Mapping[str, Any], team: Team) -> dict[str, Any]:
    """The answers with the name of each secret of the team that is given by its id or in another case, as a job keeps
    them. What names nothing stays as it is: the launch says so."""
    given = {key: _ref_in(answer) for key, answer in answers.items()}
    if not any(given.values()):
        return dict(answers)
    known = Known.of(team, None)
    named = {key: Reference(known.name(ref)).to_json() for key, ref in given.items() if ref}
    return {**answers, **named}


def _ref_in(answer: Any) -> str:
    if is_reference(answer) and isinstance(answer[TEAM_SECRET], str):
        return str(answer[TEAM_SECRET])
    if isinstance(answer, Mapping) and set(answer) == {"team_secret_id"}:
        return str(answer["team_secret_id"])
    return ""


@sensitive_variables()
def body_of(document: Document, given: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a launch without a recipe that asks for the same: the document with the answers filled in, and what
    ``given["overrides"]`` puts in place of it. Raises :class:`Refused` (400) with the fault of each answer."""
    rendered = render(document, given["answers"])
    if rendered.problems:
        faults = {f"answers.{key}": sentence for key, sentence in rendered.problems.items()}
        raise Refused(400, "invalid", f"Not valid: {', '.join(faults)}.", faults)
    overrides = given.get("overrides") or {}
    made = {name: value for name, value in (rendered.values | rendered.autostop).items() if value is not None}
    made["registry_secret"] = rendered.registry_secret
    if not overrides.get("registry_secret"):  # null in its place takes the recipe's own away
        made["registry_secret_id"] = rendered.refs.get(REGISTRY_SECRET)
    if overrides.get("registry_secret_id"):
        made["registry_secret"] = ""
    body = made | overrides | {name: given[name] for name in OF_THE_CALL if name in given}
    if "volumes" not in overrides:
        body["volumes"] = _volumes(rendered)
    body["env"] = _rows(rendered, overrides.get("env", []), body.pop("remove_env", ()))
    body["title"] = given.get("title") or overrides.get("title") or made.get("title", "")
    return body


def _volumes(rendered: Rendered) -> list[Mapping[str, Any]]:
    return [
        {**one, "team_secret_id": rendered.refs.get(f"{VOLUME}{one['mount']}")}
        for one in rendered.values.get("volumes") or ()
    ]


@sensitive_variables()
def _rows(
    rendered: Rendered, overrides: list[Mapping[str, Any]], removed: Collection[str]
) -> list[Mapping[str, Any]]:
    rows = {
        name: {
            "name": name,
            "value": value,
            "secret": name in rendered.secret_env or looks_secret(name),
            "team_secret_id": rendered.refs.get(f"env.{name}"),
        }
        for name, value in rendered.env.items()
        if name not in removed
    }
    return list((rows | {row["name"]: row for row in overrides}).values())


@sensitive_variables()
def order_of(
    version: RecipeVersion,
    given: Mapping[str, Any],
    body: Mapping[str, Any],
    team: Team,
    credential: Credential,
) -> Order:
    """The order of ``body``, bound to the recipe's version."""
    document = Document.from_json(version.document)
    order = orders.order_of(body, team, credential)
    return replace(
        order,
        tags=render(document, given["answers"]).tags,
        recipe=RecipeUse(version.pk, kept_answers(document, given["answers"], order.secret_env)),
    )


@sensitive_variables()
def is_same(job: Job, body: Mapping[str, Any], order: Order) -> bool:
    """Whether the job was launched from this version with these answers."""
    return (
        order.recipe is not None
        and job.recipe_version_id == order.recipe.version_id
        and job.answers == dict(order.recipe.answers)
        and orders.is_same(job, body, order)
    )
