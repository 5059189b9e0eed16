"""What is typed in the recipe editor, as a form or as YAML, and what is made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.http import QueryDict

from dispersed_web.events.record import Actor
from dispersed_web.jobs import as_recipe
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import keeping
from dispersed_web.recipes.about import ABOUT
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import Recipe, RecipeVersion
from dispersed_web.recipes.shape import shape_problems
from dispersed_web.web.access import Seat
from dispersed_web.web.forms import recipe_input_rows
from dispersed_web.web.forms.recipe import RecipeForm
from dispersed_web.web.forms.recipe_yaml import YamlForm, written
from dispersed_web.web.recipes.recipe_diff import Part, compared
from dispersed_web.web.recipes.recipe_page import author


@dataclass(frozen=True)
class Start:
    """What the editor begins with. ``seen`` is the number of the version."""

    document: Document = field(default_factory=Document)
    about: Mapping[str, Any] = field(default_factory=dict)
    seen: int | None = None

    @classmethod
    def of_recipe(cls, recipe: Recipe) -> Start:
        about = {name: getattr(recipe, name) for name in ABOUT}
        return cls(Document.from_json(recipe.current.document), about, recipe.current.number)

    @classmethod
    def of_job(cls, job: Job, actor: Actor) -> tuple[Start, list[str]]:
        """A job's specification, and what is said of it: what was secret is asked for. Where the whole cannot be a
        recipe, the name is left, and the notes say why. Raises :class:`RecipeRefused` where it would lose locks."""
        taken = as_recipe.from_job(job, actor)
        notes = [*taken.notes, *(problem.sentence for problem in taken.problems)]
        return cls(taken.document or Document(), {"name": job.title[:80], **taken.about}), notes

    def form(self) -> RecipeForm:
        began = json.dumps(dict(self.about)) if self.seen else ""
        return RecipeForm(document=self.document, initial={**self.about, "seen": self.seen, "began": began})


@dataclass(frozen=True)
class Draft:
    """What is to be saved: the document, what is said about it, the note, and what the editor began with."""

    document: Mapping[str, Any]
    about: Mapping[str, str]
    note: str = ""
    seen: int = 0
    began: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_form(cls, form: RecipeForm) -> Draft:
        """Of a valid form."""
        data = form.cleaned_data
        about = {name: data[name] for name in ABOUT}
        return cls(form.document_json(), about, data["note"], data["seen"] or 0, _began(data["began"]))

    @classmethod
    def of_yaml(cls, form: YamlForm) -> Draft:
        """Of a valid text."""
        data, recipe = form.cleaned_data, form.recipe
        document = recipe.document.to_json() if recipe else {}
        return cls(document, form.about(), data["note"], data["seen"] or 0, _began(data["began"]))


def as_yaml(form: RecipeForm) -> YamlForm | None:
    """The same as text; ``None`` while something in the form cannot be read, which would be lost."""
    document, about = form.typed()
    rows = sum(rows.total_error_count() for rows in form.all_rows)
    if rows or set(form.errors) - {"name"} or any(shape_problems(document)):
        return None
    kept = {name: form[name].value() for name in ("note", "seen", "began")}
    return YamlForm(initial={"yaml": written(document, about), **kept})


def as_form(text: YamlForm) -> RecipeForm | None:
    """The same as a form; ``None`` while the text has faults."""
    if not text.is_valid() or text.recipe is None:
        return None
    kept = {name: text[name].value() for name in ("note", "seen", "began")}
    return RecipeForm(document=text.recipe.document, initial={**text.about(), **kept})


def make(place: Seat, user: Any, draft: Draft, now: Any) -> Recipe:
    """A new private recipe. Raises ``RecipeRefused``."""
    return keeping.create(
        place.team,
        document=draft.document,
        owner=user,
        actor=place.actor,
        now=now,
        note=draft.note,
        **draft.about,
    )


def save(place: Seat, recipe: Recipe, draft: Draft, now: Any) -> int | None:
    """Saves what changed, all or nothing; the number of the new version if there is one. Of what is said about the
    recipe only what this editor changed: the rest may be newer. Raises ``RecipeRefused``."""
    about = {name: value for name, value in draft.about.items() if value != draft.began.get(name)}
    with transaction.atomic():
        if about:
            keeping.change_about(recipe, actor=place.actor, now=now, **about)
        version = keeping.save_version(
            recipe, draft.document, seen_version=draft.seen, actor=place.actor, now=now, note=draft.note
        )
    return version.number if version else None


@dataclass(frozen=True)
class Conflict:
    """Somebody else saved meanwhile: their version, and what they changed."""

    newest: RecipeVersion
    by: str
    changes: Sequence[Part]


def conflict(recipe: Recipe, draft: Draft) -> Conflict:
    """What somebody else saved while the draft was written."""
    newest = recipe.versions.select_related("made_by").latest("number")
    seen = recipe.versions.filter(number=draft.seen).first()
    return Conflict(newest, author(newest, recipe), compared(seen, newest))


def rearranged(data: QueryDict) -> tuple[RecipeForm, int | None]:
    """The form after a button that adds, moves or removes inputs, and which input to show open."""
    act = data.get("act", "")
    changed = recipe_input_rows.after_act(data, act)
    number = act.rpartition("-")[2]
    opened = int(number) if act.startswith("refresh") and number.isdecimal() else None
    return RecipeForm(changed), opened


def _began(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
