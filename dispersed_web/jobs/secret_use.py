"""What hangs on a secret of the team: recipes and presets that name it, jobs that got it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F

from dispersed_web.credentials.models import TeamSecret
from dispersed_web.jobs.models import ENDED, Job, Preset
from dispersed_web.recipes.models import Recipe, RecipeVersion
from dispersed_web.recipes.references import TEAM_SECRET, reference_in
from dispersed_web.teams.models import Team


@dataclass
class Use:
    """``recipes`` are the names of those that the reader may see, ``private_recipes`` and ``presets`` are numbers: what
    others keep for themselves is not named. ``jobs`` are id and title of those that have not ended."""

    recipes: list[str] = field(default_factory=list)
    private_recipes: int = 0
    presets: int = 0
    jobs: list[tuple[uuid.UUID, str]] = field(default_factory=list)


def used_in(
    team: Team, secrets: Iterable[TeamSecret], reader_id: int, *, presets: bool = False
) -> dict[uuid.UUID, Use]:
    """For each of the secrets what uses it; ``presets`` too where asked for, as all of the team's are read for that."""
    found = {secret.pk: Use() for secret in secrets}
    by_name = {secret.name.lower(): found[secret.pk] for secret in secrets}
    if found:
        _recipes(team, by_name, reader_id)
        _jobs(team, {str(pk): use for pk, use in found.items()})
        if presets:
            _presets(team, by_name)
    return found


def _recipes(team: Team, by_name: dict[str, Use], reader_id: int) -> None:
    current = RecipeVersion.objects.filter(
        recipe__team=team, recipe__archived_at=None, recipe__current=F("pk")
    )
    rows = current.filter(document__has_key="secrets").order_by("recipe__name")
    for name, visibility, owner_id, document in rows.values_list(
        "recipe__name", "recipe__visibility", "recipe__owner", "document"
    ):
        for secret in {str(one).lower() for one in document["secrets"].values()} & set(by_name):
            if visibility == Recipe.Visibility.TEAM or owner_id == reader_id:
                by_name[secret].recipes.append(name)
            else:
                by_name[secret].private_recipes += 1


def _jobs(team: Team, by_id: dict[str, Use]) -> None:
    active = Job.objects.filter(team=team).exclude(status__in=ENDED).exclude(secret_refs={})
    for job_id, title, refs in active.order_by("-created_at").values_list("pk", "title", "secret_refs"):
        for secret in set(refs.values()) & set(by_id):
            by_id[secret].jobs.append((job_id, title))


def _presets(team: Team, by_name: dict[str, Use]) -> None:
    for values, answers in Preset.objects.filter(team=team).values_list("values", "answers"):
        for secret in _named(values, answers) & set(by_name):
            by_name[secret].presets += 1


def _named(values: dict[str, Any], answers: dict[str, Any]) -> set[str]:
    """The secrets that a preset names."""
    rows = [row.get(TEAM_SECRET) for row in values.get("env") or ()]
    references = [reference_in(answer) for answer in answers.values()]
    found = [*rows, values.get("registry_from"), *(one.name for one in references if one)]
    return {str(name).lower() for name in found if name}
