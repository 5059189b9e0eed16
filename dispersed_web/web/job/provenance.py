"""Where a job came from: its recipe, how it came to be known here, who launched it and who answers for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dispersed_web.jobs import cloud_recipes
from dispersed_web.jobs.models import Job, Origin

ORIGINS = {
    Origin.ADOPTED: "Adopted: it was launched elsewhere and taken over here.",
    Origin.FOUND: "Found again at Dispersed after its launch had no clear answer.",
    Origin.IMPORTED: "From the history of the key: it ran before it was known here.",
}


@dataclass(frozen=True, slots=True)
class FromRecipe:
    """The recipe's version that was launched; ``moved`` says that it is not the current one."""

    id: str
    name: str
    number: int
    moved: str
    is_archived: bool


@dataclass(frozen=True, slots=True)
class Provenance:
    """``cook`` is the cloud's id of the recipe that was cooked, ``origin`` how the job came to be known where it was not
    launched here, ``launcher`` who launched it where that is somebody else than its ``owner``. Empty: nothing to say."""

    recipe: FromRecipe | None
    cook: str
    cook_name: str
    origin: str
    owner: str
    launcher: str

    @property
    def is_plain(self) -> bool:
        """Nothing to say beyond what the page's head says."""
        return not (self.recipe or self.cook or self.origin or self.launcher)


def provenance(job: Job, *, may_see_recipe: bool) -> Provenance:
    """``may_see_recipe``: the reader may open the recipe; somebody's private one is not named to others."""
    owner = str(job.owner) if job.owner else "nobody: its owner left"
    launcher = str(job.created_by) if job.created_by and job.created_by_id != job.owner_id else ""
    return Provenance(
        _recipe(job) if may_see_recipe else None,
        job.cook_uuid,
        _name_of_cook(job),
        ORIGINS.get(Origin(job.origin), ""),
        owner,
        launcher,
    )


def _name_of_cook(job: Job) -> str:
    """What the recipe of the cloud is called, if it was seen; its uuid otherwise."""
    found = cloud_recipes.find(job.credential_id, job.cook_uuid) if job.cook_uuid else None
    return (found.name if found else "") or job.cook_uuid


def _recipe(job: Job) -> FromRecipe | None:
    version = job.recipe_version
    if version is None:
        return None
    recipe = version.recipe
    current = recipe.current
    moved = f"current is v{current.number}" if current and current.number != version.number else ""
    return FromRecipe(str(recipe.pk), recipe.name, version.number, moved, recipe.archived_at is not None)
