"""The cloud's own recipes: asked for now and then, kept in a row without secrets, shown with their age.

Official ones and those of the key's account are kept; archived ones and those of others are not.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from django.db import transaction

from dispersed_web.clock import Clock
from dispersed_web.credentials import masking, vault
from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.models import Credential
from dispersed_web.credentials.secret_names import looks_secret
from dispersed_web.dispersed import (
    Client,
    DispersedError,
    Recipe,
    RecipeInput,
    RecipePayload,
    Volume,
    complete_listing,
)
from dispersed_web.jobs.models import CloudCatalog

FRESH = dt.timedelta(minutes=10)
# Two that ask at once, and a page that is asked for again and again, ask the cloud once.
PAUSE = dt.timedelta(seconds=20)
MOST_PAGES = 10
SECRET_KINDS = frozenset({"secret", "password"})


@dataclass(frozen=True)
class Look:
    """One recipe as it was asked for just now; ``trouble`` says why there is none, ``is_gone`` that the cloud does not
    know it."""

    recipe: Recipe | None
    trouble: str = ""
    is_gone: bool = False


def of(credential: Credential) -> CloudCatalog:
    """What is stored, stale or not; empty for a credential that was never asked."""
    return CloudCatalog.objects.filter(credential=credential).first() or CloudCatalog(credential=credential)


def recipes(catalog: CloudCatalog) -> list[Recipe]:
    """The kept recipes, official ones first, by name."""
    found = [recipe for stored in catalog.recipes if (recipe := _restored(stored))]
    return sorted(found, key=lambda recipe: (not recipe.is_official, recipe.name.casefold(), recipe.uuid))


def find(credential_id: uuid.UUID, recipe_uuid: str) -> Recipe | None:
    """The kept recipe with this uuid, as the credential saw it last."""
    catalog = CloudCatalog.objects.filter(credential=credential_id).first()
    return next((one for one in recipes(catalog) if one.uuid == recipe_uuid), None) if catalog else None


def is_stale(catalog: CloudCatalog, now: dt.datetime) -> bool:
    """Old enough that a page which shows it should ask anew."""
    return catalog.fetched_at is None or now - catalog.fetched_at > FRESH


def refresh(credential_id: uuid.UUID, clock: Clock, *, patient: bool = True) -> None:
    """Asks the cloud and stores what it says; a fault keeps what is stored and says so. Asks at most every 20 s."""
    credential = Credential.objects.get(pk=credential_id)
    now = clock()
    catalog, _ = CloudCatalog.objects.get_or_create(credential=credential, defaults={"due_at": now})
    turn = CloudCatalog.objects.filter(pk=catalog.pk, due_at=catalog.due_at, due_at__lte=now)
    if not turn.update(due_at=now + PAUSE):
        return
    try:
        with client_for(credential, team_id=credential.team_id, purpose="recipes", patient=patient) as client:
            found = _listed(client)
    except (DispersedError, vault.CannotOpen, ValueError) as error:
        CloudCatalog.objects.filter(pk=catalog.pk).update(failure=str(error))
        return
    CloudCatalog.objects.filter(pk=catalog.pk).update(
        recipes=[_stored(recipe) for recipe in found], fetched_at=now, failure=""
    )


def look(credential: Credential, recipe_uuid: str, *, team_id: uuid.UUID) -> Look:
    """Asks for one recipe now, once, and keeps it, for a row or a page of the team. Never raises for a fault of the cloud
    or the key."""
    try:
        with client_for(credential, team_id=team_id, purpose="recipes", patient=False) as client:
            recipe = client.get_job_recipe(recipe_uuid)
    except DispersedError as error:
        return Look(None, error.sentence, error.status == 404)
    except (vault.CannotOpen, ValueError) as error:
        return Look(None, str(error))
    _keep(credential, recipe)
    return Look(_restored(_stored(recipe)))


def _listed(client: Client) -> list[Recipe]:
    """The vendor's recipes and, asked for apart in case they are many, all others that are the account's own."""
    official = complete_listing(
        lambda page: client.list_job_recipes(official=True, page=page), max_pages=MOST_PAGES
    )
    others = complete_listing(
        lambda page: client.list_job_recipes(official=False, page=page), max_pages=MOST_PAGES
    )
    found = {recipe.uuid: recipe for recipe in (*others, *official) if is_kept(recipe)}
    return list(found.values())


def is_kept(recipe: Recipe) -> bool:
    """Whether people are shown it: Dispersed's own and the account's, unless archived."""
    return (recipe.is_official or recipe.is_owner) and not recipe.is_archived


def _keep(credential: Credential, recipe: Recipe) -> None:
    """Puts one recipe into what is stored, in place of an older look at it."""
    with transaction.atomic():
        catalog, _ = CloudCatalog.objects.select_for_update().get_or_create(credential=credential)
        others = [stored for stored in catalog.recipes if stored.get("uuid") != recipe.uuid]
        catalog.recipes = [*others, _stored(recipe)]
        catalog.save(update_fields=["recipes"])


# Stored as JSON: our own fields, so that nothing is kept that was not read ------------------------------------------


def _stored(recipe: Recipe) -> dict[str, Any]:
    """Without what looks like a secret although its name does not say so."""
    payload = recipe.payload
    leaks = {name for name, value in payload.env.items() if masking.SHAPES.search(value)}
    kept = replace(
        payload,
        env={name: value for name, value in payload.env.items() if name not in leaks},
        secrets=(*payload.secrets, *(f"env.{name}" for name in sorted(leaks))),
    )
    data = asdict(replace(recipe, payload=RecipePayload()))
    for name in ("description", "quickstart_md"):
        data[name] = masking.mask(data[name])
    for one in data["inputs"]:
        if one["type"].lower() in SECRET_KINDS or looks_secret(one["key"]):
            one["default_value"] = ""
    for name in _TIMES:
        data[name] = data[name].isoformat() if data[name] else None
    data["payload"] = {item.name: getattr(kept, item.name) for item in fields(kept)}
    data["payload"]["volumes"] = [volume.to_plain() for volume in kept.volumes]
    return data


_TIMES = ("created_at", "updated_at", "last_used_at")


def _restored(stored: Mapping[str, Any]) -> Recipe | None:
    """The recipe as it was kept; ``None`` for what an older release kept otherwise."""
    try:
        data = dict(stored)
        for name in _TIMES:
            data[name] = dt.datetime.fromisoformat(data[name]) if data.get(name) else None
        data["inputs"] = tuple(
            RecipeInput(**{**one, "options": tuple((value, label) for value, label in one["options"])})
            for one in data["inputs"]
        )
        payload = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in data["payload"].items()
        }
        payload["volumes"] = tuple(Volume.from_plain(one) for one in payload["volumes"])
        data["payload"] = RecipePayload(**payload)
        return Recipe(**data)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
