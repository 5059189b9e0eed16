"""Launching from recipes in tests, as a door does it: render, then ask for what came out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from dispersed_web.jobs.launch import Order, RecipeUse, StopChoices
from dispersed_web.jobs.marker import ascii_title
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import ENDED
from dispersed_web.recipes.answers import kept_answers
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import Recipe
from dispersed_web.recipes.render import Rendered, render
from dispersed_web.recipes.spec import job_spec
from tests.factories import SSH_KEY
from tests.jobs.world import World

RATE_USD = Decimal("0.6900")


def ask_for(recipe: Recipe, **answers: Any) -> Order:
    """The order of somebody who answers ``answers``, and gives their SSH key where one is asked for."""
    document = Document.from_json(recipe.current.document)
    keys = {one.key: SSH_KEY for one in document.inputs if one.type == "ssh_key"}
    answers = {**keys, **answers}
    found = render(document, answers)
    assert not found.problems, found.problems
    use = RecipeUse(recipe.current_id, kept_answers(document, answers, found.secret_env))
    return as_order(found, use)


def as_order(found: Rendered, use: RecipeUse) -> Order:
    title = found.values["title"]
    autostop = dict(found.autostop)
    lifetime_s = autostop.pop("lifetime_s", None) or 3600
    return Order(
        title,
        replace(job_spec(found), title=ascii_title(title)),
        found.secret_env,
        lifetime_s,
        "RTX 5090",
        RATE_USD,
        StopChoices(**{name: value for name, value in autostop.items() if value is not None}),
        found.tags,
        use,
        secret_refs=found.refs,
    )


def let_it_come(world: World, job: Job) -> JobRun | None:
    """Lets time pass until a machine is reachable or a batch job has ended; its run."""
    for _ in range(40):
        world.pass_time(30)
        job.refresh_from_db()
        run = job.runs.last()
        if job.state in ENDED or (job.task == "PERSISTENT" and run and run.node_urls):
            return run
    raise AssertionError(f"it is still {job.status}")
