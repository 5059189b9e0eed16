"""A job as a recipe: its specification without secrets, which the recipe asks for again."""

from __future__ import annotations

from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import keeping, vendor
from dispersed_web.recipes.document import AUTOSTOP_FIELDS, Document
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.vendor import Taken


def from_job(job: Job, actor: Actor) -> Taken:
    """The job as a recipe of whoever saves it. Raises :class:`RecipeRefused` (``locked``) for a job that was launched
    from a recipe whose locks it would lose: that recipe is for copying."""
    connection = {}
    if job.recipe_version is not None:
        document = Document.from_json(job.recipe_version.document)
        if document.locked_targets() and not keeping.may_free(job.recipe_version.recipe, actor):
            raise RecipeRefused(
                "locked", "This job was launched from a recipe with locked parts: copy that recipe instead."
            )
        connection = dict(document.connection)
    # What the launcher chose; the highest price was worked out from a quote, a batch job's lifetime from its limits.
    kept = [name for name in AUTOSTOP_FIELDS if name not in ("rate_cap_usd", "budget_usd")]
    stopping = {name: getattr(job, name) for name in kept if name != "lifetime_s" or job.task == "PERSISTENT"}
    if job.budget_usd is not None:
        stopping["budget_usd"] = f"{job.budget_usd.normalize():f}"
    tags = job.tags.order_by("name").values_list("name", flat=True)
    return vendor.from_job(job.task, job.title, job.spec, autostop=stopping, tags=tags, connection=connection)
