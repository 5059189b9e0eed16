"""A job as a recipe: its specification without secrets, which the recipe asks for again."""

from __future__ import annotations

from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import keeping, vendor
from dispersed_web.recipes.document import AUTOSTOP_FIELDS, USD_FIELDS, Document
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
    stopping = {name: getattr(job, name) for name in AUTOSTOP_FIELDS}
    if job.task != "PERSISTENT":
        stopping["lifetime_s"] = None  # worked out from its other limits
    if job.quoted_usd and job.rate_cap_usd == 2 * job.quoted_usd:
        stopping["rate_cap_usd"] = None  # nobody chose it: it was made of the price of that day
    for name in sorted(USD_FIELDS):
        stopping[name] = f"{stopping[name].normalize():f}" if stopping[name] else None
    tags = job.tags.order_by("name").values_list("name", flat=True)
    return vendor.from_job(job.task, job.title, job.spec, autostop=stopping, tags=tags, connection=connection)
