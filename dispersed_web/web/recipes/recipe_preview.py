"""What the editor shows of a recipe that is being written: the launch form that it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from dispersed_web.credentials.models import TeamSecret
from dispersed_web.recipes.check import problems
from dispersed_web.recipes.document import Document, complete
from dispersed_web.recipes.shape import shape_problems
from dispersed_web.teams.models import Team
from dispersed_web.web import markdown
from dispersed_web.web.forms.recipe import ICONS
from dispersed_web.web.forms.recipe_inputs import RecipeInputs
from dispersed_web.web.recipes.recipe_prices import Machine, Prices, machine_of


@dataclass(frozen=True)
class Preview:
    """The launch form of an unsaved recipe; ``unknown_secrets`` are names that the team has no secret of."""

    name: str
    icon: str
    description: SafeString
    machine: Machine
    inputs: RecipeInputs
    unknown_secrets: tuple[str, ...] = ()


def preview_of(team: Team, data: Mapping[str, Any], about: Mapping[str, Any]) -> Preview | None:
    """``None`` while the document cannot be shown as a form. What the specification lacks does not matter yet."""
    if any(shape_problems(data)):
        return None
    document = complete(Document.from_json(data))
    if any(problem.path[:1] != ("spec",) for problem in problems(document)):
        return None
    return Preview(
        name=str(about.get("name") or ""),
        icon=icon if (icon := str(about.get("icon") or "")) in ICONS else "file",
        description=markdown.render(str(about.get("description_md") or "")),
        machine=machine_of(document, Prices.of_team(team)),
        inputs=RecipeInputs(document),
        unknown_secrets=_unknown(document.secrets.values(), names_of_secrets(team)),
    )


def names_of_secrets(team: Team) -> list[str]:
    """What the secrets of the team are called."""
    return list(TeamSecret.objects.filter(team=team).order_by("name").values_list("name", flat=True))


def _unknown(named: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Names that the team has not: no fault, as recipes travel and secrets are added later."""
    have = {name.lower() for name in known}
    return tuple(dict.fromkeys(name for name in named if name.lower() not in have))
