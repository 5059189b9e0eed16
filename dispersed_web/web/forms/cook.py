"""Which recipe of the cloud a launch form cooks: the form is filled from what the recipe launches, and sent as its
overrides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404, QueryDict

from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import Recipe, RecipePayload
from dispersed_web.dispersed.parse import is_opaque_id
from dispersed_web.jobs import cloud_recipes
from dispersed_web.jobs.models import Job


@dataclass(frozen=True)
class Cook:
    """The recipe that is cooked; ``recipe`` is ``None`` where it could not be had, for the reason in ``trouble``."""

    uuid: str
    credential: Credential | None
    recipe: Recipe | None = None
    trouble: str = ""
    is_gone: bool = False

    @property
    def name(self) -> str:
        return self.recipe.name if self.recipe and self.recipe.name else self.uuid

    @property
    def payload(self) -> RecipePayload | None:
        return self.recipe.payload if self.recipe else None

    @property
    def kept_secret(self) -> list[str]:
        """What the recipe holds and the cloud does not give out, in words."""
        names = {"registry_secret": "the registry's password"}
        secrets = self.payload.secrets if self.payload else ()
        return [
            names.get(one) or one.removeprefix("env.").replace("volumes.", "the volume at ")
            for one in secrets
        ]


def cook_of(
    query: QueryDict, past: Job | None, credentials: Sequence[Credential], *, ask: bool
) -> Cook | None:
    """The recipe that the address, the sent form or a past job names; ``None`` for a launch that cooks nothing.

    One that was not seen yet is asked for now if ``ask``. Raises ``Http404`` for what cannot be a recipe.
    """
    wanted = query.get("cook") or (past.cook_uuid if past else "")
    if not wanted:
        return None
    if not is_opaque_id(wanted):
        raise Http404
    named = query.get("credential") or (str(past.credential_id) if past else "")
    credential = next((one for one in credentials if str(one.pk) == named), next(iter(credentials), None))
    if credential is None:
        return Cook(wanted, None)
    stored = cloud_recipes.find(credential.pk, wanted)
    if stored or not ask:
        return Cook(wanted, credential, stored)
    look = cloud_recipes.look(credential, wanted, team_id=credential.team_id)
    return Cook(wanted, credential, look.recipe, look.trouble, look.is_gone)
