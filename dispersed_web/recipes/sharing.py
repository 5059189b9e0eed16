"""Who sees a recipe, who owns it, and whether it is in use: acts that make no version. Otherwise as ``keeping.py``."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from dispersed_web.accounts.models import User
from dispersed_web.events.changes import changes
from dispersed_web.events.record import Actor
from dispersed_web.recipes import rights
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.keeping import called, editable, not_allowed, role_in, tell
from dispersed_web.recipes.models import Recipe, RecipePin
from dispersed_web.teams import seats


def share(recipe: Recipe, *, actor: Actor, now: dt.datetime) -> bool:
    """Shows it to the whole team; False when it is so already. Raises :class:`RecipeRefused`."""
    with transaction.atomic():
        row = editable(recipe, actor)
        if not _set(row, now, visibility=Recipe.Visibility.TEAM):
            return False
        sentence = f"{actor.label} shared {called(row)} with the team."
        tell(row, actor, "recipe.shared", sentence, now, **_seen(Recipe.Visibility.PRIVATE, row))
    return True


def make_private(recipe: Recipe, *, actor: Actor, now: dt.datetime) -> bool:
    """Hides it from all but its owner, who alone may do so; False when it is so already. Raises
    :class:`RecipeRefused`."""
    with transaction.atomic():
        row = editable(recipe, actor)
        name = called(row)
        if not rights.may_hide(role_in(row.team, actor), is_owner=row.owner_id == actor.user_id):
            raise RecipeRefused("not_allowed", "Only its owner may make a recipe private.")
        if not _set(row, now, visibility=Recipe.Visibility.PRIVATE):
            return False
        sentence = f"{actor.label} made {name} private."
        tell(row, actor, "recipe.made_private", sentence, now, **_seen(Recipe.Visibility.TEAM, row))
    return True


def archive(recipe: Recipe, *, actor: Actor, now: dt.datetime) -> bool:
    """Takes it out of use, with all its versions kept; False when it is so already. Raises :class:`RecipeRefused`."""
    with transaction.atomic():
        row = editable(recipe, actor)
        if row.archived_at is not None:
            return False
        _set(row, now, archived_at=now)
        tell(row, actor, "recipe.archived", f"{actor.label} archived {called(row)}.", now)
    return True


def unarchive(recipe: Recipe, *, actor: Actor, now: dt.datetime) -> bool:
    """Brings it back into use; False when it is. Raises :class:`RecipeRefused`."""
    with transaction.atomic():
        row = editable(recipe, actor)
        if not _set(row, now, archived_at=None):
            return False
        tell(
            row,
            actor,
            "recipe.unarchived",
            f"{actor.label} brought {called(row)} back from the archive.",
            now,
        )
    return True


def hand_over(recipe: Recipe, to: User, *, actor: Actor, now: dt.datetime) -> bool:
    """Makes another member its owner; False when they are. Raises :class:`RecipeRefused`, also for somebody who may
    not make recipes in the team."""
    with transaction.atomic():
        row = editable(recipe, actor)
        if not rights.may_make(seats.role_of(row.team, to.pk)):
            raise RecipeRefused("no_member", f"{to} may not have recipes in this team.", field="owner")
        before = {"owner": row.owner_id}
        if not _set(row, now, owner_id=to.pk):
            return False
        sentence = f"{actor.label} handed {called(row)} to {to}."
        data = changes("recipes.Recipe", before, {"owner": to.pk})
        tell(row, actor, "recipe.handed_over", sentence, now, to=to.pk, **data)
    return True


def pin(recipe: Recipe, user: User) -> None:
    """Keeps it at the top of the person's gallery. Raises :class:`RecipeRefused` if they may not see it."""
    role = seats.role_of(recipe.team, user.pk)
    if not rights.may_see(role, is_owner=recipe.owner_id == user.pk, visibility=recipe.visibility):
        raise not_allowed()
    RecipePin.objects.get_or_create(recipe=recipe, user=user)


def unpin(recipe: Recipe, user: User) -> None:
    """Takes the person's pin off; nothing happens where there is none."""
    RecipePin.objects.filter(recipe=recipe, user=user).delete()


def _seen(before: str, row: Recipe) -> dict[str, Any]:
    return changes("recipes.Recipe", {"visibility": before}, {"visibility": row.visibility})


def _set(row: Recipe, now: dt.datetime, **change: object) -> bool:
    ((name, value),) = change.items()
    if getattr(row, name) == value:
        return False
    Recipe.objects.filter(pk=row.pk).update(**change, changed_at=now)
    setattr(row, name, value)
    return True
