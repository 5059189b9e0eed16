"""What the OpenAPI document says of each operation: summary, description, examples, every answer."""

from dispersed_web.api.documents.autostop import (
    accept_rate,
    change_policy,
    get_policy,
    in_use,
    protect_job,
    replay_policy,
    unprotect_job,
)
from dispersed_web.api.documents.base import OVERVIEW, TokenScheme
from dispersed_web.api.documents.inventory import settle_job
from dispersed_web.api.documents.jobs import extend_job, get_job, launch_job, list_jobs, stop_job
from dispersed_web.api.documents.kept import change_job, hand_over_job, star_job
from dispersed_web.api.documents.market import list_gpus, list_offers
from dispersed_web.api.documents.presets import delete_preset, get_preset, list_presets, make_preset
from dispersed_web.api.documents.recipes import (
    archive_recipe,
    change_recipe,
    copy_recipe,
    get_recipe,
    get_version,
    launch_recipe,
    list_recipes,
    list_versions,
    make_recipe,
    make_recipe_private,
    make_version,
    roll_back,
    share_recipe,
    unarchive_recipe,
)
from dispersed_web.api.documents.team import get_me, list_credentials

__all__ = [
    "OVERVIEW",
    "TokenScheme",
    "accept_rate",
    "archive_recipe",
    "change_job",
    "change_policy",
    "change_recipe",
    "copy_recipe",
    "delete_preset",
    "extend_job",
    "get_job",
    "get_me",
    "get_policy",
    "get_preset",
    "get_recipe",
    "get_version",
    "hand_over_job",
    "in_use",
    "launch_job",
    "launch_recipe",
    "list_credentials",
    "list_gpus",
    "list_jobs",
    "list_offers",
    "list_presets",
    "list_recipes",
    "list_versions",
    "make_preset",
    "make_recipe",
    "make_recipe_private",
    "make_version",
    "protect_job",
    "replay_policy",
    "roll_back",
    "settle_job",
    "share_recipe",
    "star_job",
    "stop_job",
    "unarchive_recipe",
    "unprotect_job",
]
