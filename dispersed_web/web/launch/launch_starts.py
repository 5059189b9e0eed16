"""What a launch can start from: one's presets, recipes that are pinned, lately used or come with the product, examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Case, F, IntegerField, Q, Value, When
from django.db.models.functions import Lower
from django.urls import reverse

from dispersed_web.accounts.models import User
from dispersed_web.jobs.models import Preset
from dispersed_web.recipes import queries
from dispersed_web.recipes.models import Recipe, RecipePin
from dispersed_web.web.access import Seat
from dispersed_web.web.launch.examples import EXAMPLES
from dispersed_web.web.markdown import first_line

MOST_PRESETS, MOST = 4, 8


@dataclass(frozen=True)
class Start:
    """One entry of the strip; ``kind`` says in a word what it is."""

    name: str
    url: str
    icon: str
    kind: str
    about: str = ""


def starts(seat: Seat, user: User) -> list[Start]:
    """The usual preset first, then other presets, then recipes, then the examples."""
    found = [*_presets(seat, user), *_recipes(seat, user)][:MOST]
    return [*found, *_examples(seat)]


def _presets(seat: Seat, user: User) -> Iterator[Start]:
    mine = Preset.objects.filter(user=user, team=seat.team)
    for preset in mine.order_by("-is_usual", F("used_at").desc(nulls_last=True), "-created_at")[
        :MOST_PRESETS
    ]:
        kind = "My usual" if preset.is_usual else "Preset"
        yield Start(preset.name, _launch(seat, f"?preset={preset.pk}"), "user", kind)


def _recipes(seat: Seat, user: User) -> Iterator[Start]:
    pinned = RecipePin.objects.filter(user=user).values("recipe")
    rank = Case(
        When(pk__in=pinned, then=Value(0)),
        When(Q(launched_at__isnull=False), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    shown = queries.usable_by(user.pk, seat.team).annotate(rank=rank)
    shown = shown.filter(Q(rank__lt=2) | Q(source__startswith="starter:"))
    for recipe in shown.order_by("rank", F("launched_at").desc(nulls_last=True), Lower("name"))[:MOST]:
        url = reverse("web:recipe-launch", args=[seat.team.slug, recipe.pk])
        yield Start(recipe.name, url, recipe.icon, _kind(recipe), first_line(recipe.description_md))


def _kind(recipe: Recipe) -> str:
    return {0: "Pinned", 1: "Used lately"}.get(recipe.rank, "Recipe")


def _examples(seat: Seat) -> Iterator[Start]:
    for key, example in EXAMPLES.items():
        yield Start(example.name, _launch(seat, f"?example={key}"), "file", "Example", example.about)


def _launch(seat: Seat, query: str) -> str:
    return reverse("web:launch", args=[seat.team.slug]) + query
