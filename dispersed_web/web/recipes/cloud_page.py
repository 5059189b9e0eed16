"""The cloud's own recipes as the pages show them. Pure but for reading the rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from dispersed_web.accounts.models import User
from dispersed_web.credentials import usable
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import Recipe as CloudRecipe
from dispersed_web.jobs import cloud_recipes, market
from dispersed_web.jobs.models import CloudCatalog
from dispersed_web.recipes import queries
from dispersed_web.recipes.cloud import Import, to_import
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team
from dispersed_web.web import markdown, words
from dispersed_web.web.recipes import recipe_words
from dispersed_web.web.recipes.recipe_cards import CLOUD
from dispersed_web.web.recipes.recipe_prices import Machine, Prices, machine_of
from dispersed_web.web.words import Phrase

ASKED = [CredentialState.ACTIVE, CredentialState.BROKEN]


@dataclass(frozen=True)
class Card:
    """A recipe of the cloud in its list; ``asks`` counts its questions, ``is_here``: the team took it over already."""

    recipe: CloudRecipe
    name: str
    about: str
    image: str
    asks: int
    machine: Machine | None
    is_here: bool


@dataclass(frozen=True)
class Shelf:
    """Cards under a heading."""

    title: str
    cards: Sequence[Card]


@dataclass(frozen=True)
class Sight:
    """How fresh what is shown is: ``asked`` when it was last had, ``trouble`` why it is not newer."""

    asked: Phrase | str
    trouble: str
    is_empty: bool


def credentials_of(team: Team, user_id: int | None, role: str) -> list[Credential]:
    """Those that the person may ask with, the working ones first; disabled ones launch nothing, so they are not asked."""
    rows = Credential.objects.filter(team=team, state__in=ASKED).order_by("name")
    found = [one for one in rows if usable.may_ask(one, user_id, role)]
    return sorted(found, key=lambda one: one.state != CredentialState.ACTIVE)


def sight(credential: Credential, catalog: CloudCatalog, now: dt.datetime) -> Sight:
    """How fresh the list of the cloud's recipes is, and what keeps it from being read."""
    trouble = catalog.failure
    if credential.state == CredentialState.BROKEN:
        trouble = credential.failure or "Dispersed refuses this credential."
    asked = words.ago(catalog.fetched_at, now) if catalog.fetched_at else ""
    return Sight(asked, trouble, not catalog.recipes)


def shelves(credential: Credential, catalog: CloudCatalog, user: User, kind: str, text: str) -> list[Shelf]:
    """The official recipes and the account's own; of one ``kind`` (``official``, ``own``) or both."""
    prices = Prices.of_rows([market.of(credential)])
    here = set(_imported(credential.team, user).values_list("source", flat=True))
    found = [
        one for one in cloud_recipes.recipes(catalog) if cloud_recipes.is_kept(one) and _matches(one, text)
    ]
    cards = [_card(one, prices, here) for one in found]
    parts = (
        ("official", "Official recipes", [card for card in cards if card.recipe.is_official]),
        ("own", "Recipes of this account", [card for card in cards if not card.recipe.is_official]),
    )
    return [Shelf(title, part) for name, title, part in parts if part and kind in ("", name)]


def _matches(recipe: CloudRecipe, text: str) -> bool:
    whole = f"{recipe.name} {recipe.description} {recipe.payload.image}".casefold()
    return all(word in whole for word in text.casefold().split())


def _imported(team: Team, user: User) -> QuerySet[Recipe]:
    return queries.visible_to(user.pk, team).filter(source__startswith=CLOUD, archived_at=None)


def _card(recipe: CloudRecipe, prices: Prices, here: set[str]) -> Card:
    made = to_import(recipe)
    return Card(
        recipe=recipe,
        name=made.name,
        about=markdown.first_line(recipe.description) or markdown.first_line(recipe.quickstart_md),
        image=_image(recipe),
        asks=len(recipe.inputs),
        machine=_machine(made, prices),
        is_here=made.source in here,
    )


def _image(recipe: CloudRecipe) -> str:
    payload = recipe.payload
    return f"{payload.image}:{payload.tag}" if payload.tag else payload.image


def _machine(made: Import, prices: Prices) -> Machine | None:
    return None if made.fault else machine_of(Document.from_json(made.document), prices)


def context(recipe: CloudRecipe, credential: Credential, user: User) -> dict[str, Any]:
    """Everything that the page of one recipe says of it."""
    made = to_import(recipe)
    document = Document.from_json(made.document) if not made.fault else Document()
    source = f"{CLOUD}{recipe.uuid}"
    return {
        "recipe": recipe,
        "made": made,
        "name": made.name,
        "image": _image(recipe),
        "description": markdown.render(made.description_md),
        "questions": recipe_words.questions(document),
        "groups": recipe_words.groups(document),
        "machine": _machine(made, Prices.of_rows([market.of(credential)])),
        "kept_secret": [_secret_words(one) for one in recipe.payload.secrets],
        "size": _size(recipe.payload.image_size_bytes),
        "copies": list(_imported(credential.team, user).filter(source=source).order_by("created_at")[:5]),
    }


def _secret_words(secret: str) -> str:
    if secret == "registry_secret":  # noqa: S105 - a name
        return "the registry's password"
    if secret.startswith("volumes."):
        return f"the registry's password of the volume at {secret.removeprefix('volumes.')}"
    return secret.removeprefix("env.")


def _size(size_bytes: int | None) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes else ""
