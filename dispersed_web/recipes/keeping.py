"""Making recipes and changing them. Every act reads the actor's role afresh, behind the team's lock: a launch holds the
team before it counts itself in its recipe, and so do these."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max

from dispersed_web.accounts.models import User
from dispersed_web.events.models import ActorKind
from dispersed_web.events.record import Actor, record
from dispersed_web.recipes import rights
from dispersed_web.recipes.about import ABOUT, LONGEST_NAME, clean_about
from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.locks import lost_locks
from dispersed_web.recipes.models import Recipe, RecipeVersion
from dispersed_web.teams import seats
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Action, Role, may

LONGEST_NOTE = 200


def create(
    team: Team,
    *,
    name: str,
    document: Mapping[str, Any] | Document,
    owner: User | None,
    actor: Actor,
    now: dt.datetime,
    visibility: str = Recipe.Visibility.PRIVATE,
    source: str = "",
    note: str = "",
    **about: str,
) -> Recipe:
    """A new recipe with its first version; ``about`` are ``description_md``, ``category`` and ``icon``.

    Raises :class:`RecipeRefused`: ``not_allowed``, or ``invalid`` with the field or all problems of the document.
    """
    with transaction.atomic():
        role = role_in(hold(team), actor)
        if not rights.may_make(role) or not _may_own(owner, role, actor):
            raise not_allowed()
        if owner is not None and not rights.may_make(seats.role_of(team, owner.pk)):
            raise RecipeRefused("no_member", f"{owner} may not have recipes in this team.", field="owner")
        values = {"visibility": visibility, "source": source, "name": name, **about}
        recipe = place(team, owner, document, actor, now, note=note, **values)
        tell(recipe, actor, "recipe.created", f"{actor.label} made {called(recipe)}.", now)
    return recipe


def place(
    team: Team,
    owner: User | None,
    document: Mapping[str, Any] | Document,
    actor: Actor,
    now: dt.datetime,
    *,
    note: str = "",
    **values: Any,
) -> Recipe:
    """The recipe and its first version, without asking who may and without an event. Raises :class:`RecipeRefused`."""
    checked = _checked(document)
    about = clean_about({field: values.pop(field) for field in ABOUT if field in values})
    recipe = Recipe.objects.create(team=team, owner=owner, created_at=now, changed_at=now, **about, **values)
    _add_version(recipe, checked, actor, note, now)
    return recipe


def save_version(
    recipe: Recipe,
    document: Mapping[str, Any] | Document,
    *,
    seen_version: int,
    actor: Actor,
    now: dt.datetime,
    note: str = "",
) -> RecipeVersion | None:
    """The next version, which is the current one from now on; ``None`` when nothing changed. ``seen_version`` is the
    number of the version that the editor began with.

    Raises :class:`RecipeRefused`: ``not_allowed``, ``archived``, ``invalid``, ``locked`` for a copy that would lose its
    original's locks, ``changed_meanwhile`` when there is a newer version than ``seen_version``.
    """
    checked = _checked(document)
    with transaction.atomic():
        row = editable(recipe, actor)
        version = _next_version(row, checked, seen_version, actor, note, now)
        if version is not None:
            sentence = f"{actor.label} saved v{version.number} of {called(row)}."
            tell(row, actor, "recipe.changed", sentence, now, number=version.number, note=version.note)
    return version


def roll_back(
    recipe: Recipe, to: int, *, seen_version: int, actor: Actor, now: dt.datetime
) -> RecipeVersion | None:
    """A new version with the document of version ``to``; otherwise as :func:`save_version`."""
    with transaction.atomic():
        row = editable(recipe, actor)
        old = RecipeVersion.objects.filter(recipe=row, number=to).first()
        if old is None:
            raise RecipeRefused("no_version", f"There is no v{to} of this recipe.", field="to")
        checked = _checked(old.document)
        version = _next_version(row, checked, seen_version, actor, f"Back to v{to}", now)
        if version is not None:
            sentence = f"{actor.label} rolled {called(row)} back to v{to}, as v{version.number}."
            tell(row, actor, "recipe.rolled_back", sentence, now, number=version.number, to=to)
    return version


def change_about(recipe: Recipe, *, actor: Actor, now: dt.datetime, **about: str) -> bool:
    """Changes some of ``about.ABOUT``; False when nothing changes. Raises :class:`RecipeRefused`."""
    about = clean_about(about)
    with transaction.atomic():
        row = editable(recipe, actor)
        changes = {name: value for name, value in about.items() if getattr(row, name) != value}
        if not changes:
            return False
        before = called(row)
        Recipe.objects.filter(pk=row.pk).update(**changes, changed_at=now)
        if "name" in changes:
            row.name = changes["name"]
            sentence = f"{actor.label} renamed {before} to {called(row)}."
        else:
            sentence = f"{actor.label} changed the description of {before}."
        tell(row, actor, "recipe.about_changed", sentence, now, fields=sorted(changes))
    return True


def copy(recipe: Recipe, *, user: User, actor: Actor, now: dt.datetime, name: str = "") -> Recipe:
    """A private recipe of ``user`` with the current document of one that they may see. It keeps the original's locks in
    all its versions, unless whoever edits it may edit the original. Raises :class:`RecipeRefused`."""
    with transaction.atomic():
        role = role_in(hold(recipe.team), actor)
        row = Recipe.objects.select_related("current", "team").get(pk=recipe.pk)
        is_mine = row.owner_id == user.pk
        if not rights.may_see(role, is_owner=is_mine, visibility=row.visibility) or row.current is None:
            raise RecipeRefused("gone", "This recipe is not shared with you any more.")
        if not rights.may_make(role):
            raise not_allowed()
        values = {field: getattr(row, field) for field in ABOUT} | {"copied_from": row}
        values["name"] = name or f"Copy of {row.name}"[:LONGEST_NAME]
        note = f"Copied from v{row.current.number}"
        made = place(row.team, user, row.current.document, actor, now, note=note, **values)
        sentence = f"{actor.label} copied {called(row)} for themselves."
        tell(made, actor, "recipe.copied", sentence, now, original=str(row.pk), number=row.current.number)
    return made


def may_edit(recipe: Recipe, role: str | None, user_id: int | None) -> bool:
    """:func:`rights.may_edit` for a row and a person with ``role`` in its team."""
    return rights.may_edit(
        role,
        is_owner=user_id is not None and recipe.owner_id == user_id,
        visibility=recipe.visibility,
        has_owner=recipe.owner_id is not None,
    )


def may_free(recipe: Recipe, actor: Actor) -> bool:
    """Whether what the actor makes of the recipe need not keep its locks: they may edit it and all that it was copied
    from."""
    role, one, seen = role_in(recipe.team, actor), recipe, set()
    while one is not None and one.pk not in seen:
        if not _may_edit(one, role, actor):
            return False
        seen.add(one.pk)
        one = one.copied_from
    return True


def called(recipe: Recipe) -> str:
    """How events name it: the names of private ones are their owner's."""
    shared = recipe.visibility == Recipe.Visibility.TEAM
    return f"the recipe “{recipe.name}”" if shared else "a private recipe"


# Parts ---------------------------------------------------------------------------------------------------------------


def _checked(document: Mapping[str, Any] | Document) -> Document:
    checked, problems = from_anything(document.to_json() if isinstance(document, Document) else document)
    if checked is None:
        first = problems[0]
        field = ".".join(map(str, first.path)) or "document"
        raise RecipeRefused("invalid", first.sentence, field=field, problems=problems)
    return checked


def _next_version(
    row: Recipe, document: Document, seen_version: int, actor: Actor, note: str, now: dt.datetime
) -> RecipeVersion | None:
    if row.archived_at is not None:
        raise RecipeRefused("archived", "This recipe is archived. Bring it back first.")
    current = row.current
    number = current.number if current else 0
    if number != seen_version:
        raise RecipeRefused(
            "changed_meanwhile",
            f"Somebody saved v{number} while you edited v{seen_version}. Look at theirs, then save again.",
        )
    before = Document.from_json(current.document) if current else Document()
    if current and before.to_json() == document.to_json():
        return None
    _keep_locks(row, before, document, actor)
    return _add_version(row, document, actor, note, now)


def _keep_locks(row: Recipe, before: Document, after: Document, actor: Actor) -> None:
    """Raises :class:`RecipeRefused` where a copy would lose locks of an original that the actor may not edit."""
    if row.copied_from is None or may_free(row.copied_from, actor):
        return
    first = row.versions.earliest("number")
    if problems := lost_locks(Document.from_json(first.document), before, after):
        raise RecipeRefused("locked", problems[0].sentence, field="locked", problems=problems)


def _add_version(row: Recipe, document: Document, actor: Actor, note: str, now: dt.datetime) -> RecipeVersion:
    last = row.versions.aggregate(last=Max("number"))["last"] or 0
    note = " ".join(note.replace("\0", "").split())[:LONGEST_NOTE]
    version = RecipeVersion.objects.create(
        recipe=row,
        number=last + 1,
        document=document.to_json(),
        note=note,
        made_by_id=actor.user_id,
        made_at=now,
    )
    Recipe.objects.filter(pk=row.pk).update(current=version, changed_at=now)
    row.current = version
    return version


def hold(team: Team) -> Team:
    """The team's row, held until the transaction ends. (On SQLite a transaction holds the whole database.)"""
    return Team.objects.select_for_update().get(pk=team.pk)


def role_in(team: Team, actor: Actor) -> str | None:
    """The operator and the product itself may do what owners may."""
    return Role.OWNER if actor.kind == ActorKind.ENGINE else seats.role_of_actor(team, actor)


def _may_own(owner: User | None, role: str | None, actor: Actor) -> bool:
    """People make recipes of their own; what belongs to nobody is for those who manage recipes."""
    if actor.kind == ActorKind.ENGINE:
        return True
    return owner.pk == actor.user_id if owner else may(role, Action.MANAGE_RECIPES)


def _may_edit(recipe: Recipe, role: str | None, actor: Actor) -> bool:
    return actor.kind == ActorKind.ENGINE or may_edit(recipe, role, actor.user_id)


def editable(recipe: Recipe, actor: Actor) -> Recipe:
    """The row as it is now, of a recipe that the actor may edit, behind its team's lock."""
    role = role_in(hold(recipe.team), actor)
    row = Recipe.objects.select_related("current", "team", "copied_from").get(pk=recipe.pk)
    if not _may_edit(row, role, actor):
        raise not_allowed()
    return row


def not_allowed() -> RecipeRefused:
    """The refusal of an act that the person's role does not allow."""
    return RecipeRefused("not_allowed", "Your role in this team does not allow that.")


def tell(recipe: Recipe, actor: Actor, kind: str, sentence: str, now: dt.datetime, **data: Any) -> None:
    """Writes the event of a recipe that was made, changed or shared."""
    record(recipe.team_id, actor, kind, ("recipe", recipe.pk), sentence, now=now, data=data)
