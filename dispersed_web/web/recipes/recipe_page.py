"""The page of one recipe: what it asks, launches and costs, its versions, and what was launched from it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from dispersed_web.jobs.market import GpuChoice
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import queries
from dispersed_web.recipes.document import ALL, Document
from dispersed_web.recipes.models import Recipe, RecipePin, RecipeVersion
from dispersed_web.web import markdown, words
from dispersed_web.web.access import Seat
from dispersed_web.web.jobs import rows
from dispersed_web.web.recipes import recipe_words
from dispersed_web.web.recipes.recipe_cards import CLOUD, STARTER, made_by
from dispersed_web.web.recipes.recipe_prices import Machine, Prices, machine_of
from dispersed_web.web.words import Phrase

MOST_PRICES = 8
MOST_VERSIONS = 5
MOST_JOBS = 5


@dataclass(frozen=True)
class VersionLine:
    """One version in the list of them."""

    number: int
    note: str
    by: str
    age: Phrase


@dataclass(frozen=True)
class JobLine:
    """A job that was launched from the recipe; ``number`` is that of its version."""

    pk: Any
    title: str
    status: dict[str, str]
    number: int
    owner: str
    age: Phrase


@dataclass(frozen=True)
class PriceLine:
    """What one GPU that fits costs, in words."""

    name: str
    memory: str
    price: str


@dataclass(frozen=True)
class Original:
    """What a recipe was copied from, and whether the reader may see it."""

    recipe: Recipe
    seen: bool


def context(
    place: Seat, recipe: Recipe, version: RecipeVersion, user_id: int, now: dt.datetime
) -> dict[str, Any]:
    """What the page of a recipe shows of one of its versions."""
    document = Document.from_json(version.document)
    machine = machine_of(document, Prices.of_team(place.team))
    lines = [_price(choice, machine) for choice in machine.fitting if choice.offered]
    connection = document.connection
    return {
        "team": place.team,
        "recipe": recipe,
        "version": version,
        "is_current": version.pk == recipe.current_id,
        "by": made_by(recipe),
        "is_mine": recipe.owner_id == user_id,
        "is_pinned": RecipePin.objects.filter(recipe=recipe, user=user_id).exists(),
        "description": markdown.render(recipe.description_md),
        "questions": recipe_words.questions(document),
        "groups": recipe_words.groups(document),
        "locks_all": ALL in document.locked,
        "tags": document.tags,
        "connection": markdown.render(connection.get("text") or ""),
        "links": connection.get("links") or (),
        "machine": machine,
        "prices": lines[:MOST_PRICES],
        "more_prices": len(lines[MOST_PRICES:]),
        "versions": version_lines(recipe, now)[:MOST_VERSIONS],
        "jobs": _jobs(recipe, now),
        "copied_from": _original(recipe, place, user_id),
        "origin": _origin(recipe),
        "launched": words.ago(recipe.launched_at, now) if recipe.launched_at else "",
    }


def version_lines(recipe: Recipe, now: dt.datetime) -> list[VersionLine]:
    """Newest first."""
    found = recipe.versions.select_related("made_by").defer("document").order_by("-number")
    return [
        VersionLine(one.number, one.note, author(one, recipe), words.ago(one.made_at, now)) for one in found
    ]


def author(version: RecipeVersion, recipe: Recipe) -> str:
    """Who made the version, in words."""
    if version.made_by_id:
        return str(version.made_by)
    return "Dispersed Web" if recipe.source.startswith(STARTER) else "somebody who left"


def _price(choice: GpuChoice, machine: Machine) -> PriceLine:
    low, high = (choice.from_usd or 0) * machine.nodes, (choice.to_usd or 0) * machine.nodes
    price = words.rate(low) if low == high else f"{words.money(low)} to {words.rate(high)}"
    memory = f"{choice.vram_gb}\u00a0GB" if choice.vram_gb else ""
    return PriceLine(choice.name.removeprefix("NVIDIA "), memory, price)


def _jobs(recipe: Recipe, now: dt.datetime) -> list[JobLine]:
    found = Job.objects.filter(team=recipe.team_id, recipe_version__recipe=recipe)
    found = found.select_related("recipe_version", "owner", "credential").order_by("-created_at", "-id")
    return [_job(job, now) for job in found[:MOST_JOBS]]


def _job(job: Job, now: dt.datetime) -> JobLine:
    story = rows.story_of(job, now, dt.UTC)
    return JobLine(
        pk=job.pk,
        title=job.title,
        status={"kind": story.kind, "label": story.label},
        number=job.recipe_version.number,
        owner=str(job.owner) if job.owner_id else "nobody",
        age=words.ago(job.created_at, now),
    )


def _original(recipe: Recipe, place: Seat, user_id: int) -> Original | None:
    if recipe.copied_from_id is None:
        return None
    seen = queries.visible_to(user_id, place.team).filter(pk=recipe.copied_from_id).exists()
    return Original(recipe.copied_from, seen)


def _origin(recipe: Recipe) -> str:
    if recipe.source.startswith(STARTER):
        return "the starter recipes"
    return "the cloud’s recipes" if recipe.source.startswith(CLOUD) else ""
