"""Launches from recipes: whatever door an order comes through, it is held here to what the recipe's author locked."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from django.db.models import F
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.jobs import secret_refs, specs
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.orders import Order
from dispersed_web.jobs.secret_refs import NONE, Known
from dispersed_web.recipes import queries
from dispersed_web.recipes.answers import kept_answers
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import Recipe, RecipeVersion
from dispersed_web.recipes.references import Reference
from dispersed_web.recipes.render import Rendered, violations
from dispersed_web.teams.models import Team


@sensitive_variables()
def checked_version(order: Order, team: Team, user: User, known: Known = NONE) -> RecipeVersion | None:
    """The version that the order was made from; ``None`` for an order without a recipe. ``known`` are the team's secrets,
    of which the order may name some.

    Only the current version may be launched: an older one may lack what its author locked since. Raises
    :class:`LaunchRefused`: ``recipe_gone``, ``recipe_moved``, or ``locked`` with the field at fault.
    """
    if order.recipe is None:
        return None
    found = RecipeVersion.objects.select_related("recipe").filter(
        pk=order.recipe.version_id, recipe__in=queries.usable_by(user.pk, team)
    )
    version = found.first()
    if version is None:
        raise LaunchRefused("recipe_gone", "This recipe is archived or not shared with you any more.")
    if version.pk != version.recipe.current_id:
        raise LaunchRefused(
            "recipe_moved",
            f"The recipe has a newer version than v{version.number}. Look it over and launch again.",
        )
    document = Document.from_json(version.document)
    for target, sentence in violations(document, _asked(order, known), order.recipe.answers).items():
        raise LaunchRefused("locked", sentence, field=target)
    return version


@sensitive_variables()
def answers_to_keep(order: Order, version: RecipeVersion | None, known: Known = NONE) -> dict[str, Any]:
    """What was answered, without what is secret: answers to secret inputs, and rows that are secret or look so. Of a
    secret of the team its name is kept, as the order has it."""
    if order.recipe is None or version is None:
        return {}
    document = Document.from_json(version.document)
    kept = kept_answers(document, order.recipe.answers, order.secret_env)
    names = secret_refs.names_of(order.secret_refs, known)
    for one in document.inputs:
        if one.type == "secret":
            kept.pop(one.key, None)
            kept |= {one.key: Reference(names[one.to]).to_json()} if one.to in names else {}
    return kept


@sensitive_variables()
def _asked(order: Order, known: Known) -> Rendered:
    """The order in the terms of a rendered recipe."""
    spec, choices = order.spec, asdict(order.choices)
    return Rendered(
        values={name: getattr(spec, name) for name in (*specs.PLAIN_FIELDS, "task")}
        | {"title": order.title, "volumes": tuple(volume.to_plain() for volume in spec.volumes)},
        env=dict(spec.env),
        secret_env=order.secret_env,
        refs=secret_refs.names_of(order.secret_refs, known),
        registry_secret=spec.registry_secret.reveal() if spec.registry_secret else "",
        autostop=choices | {"lifetime_s": order.lifetime_s},
        tags=order.tags,
    )


def named(version: RecipeVersion) -> str:
    """How the team's events name it: what a private recipe is called is its owner's."""
    shared = version.recipe.visibility == Recipe.Visibility.TEAM
    return str(version) if shared else f"a private recipe v{version.number}"


def note_use(version: RecipeVersion, now: dt.datetime) -> None:
    """Counts a launch, for the gallery."""
    Recipe.objects.filter(pk=version.recipe_id).update(launches=F("launches") + 1, launched_at=now)
