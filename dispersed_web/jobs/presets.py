"""A person's presets: fillings of the launch form under names. They hold no secrets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from dispersed_web.accounts.models import User
from dispersed_web.events.changes import changes, snapshot
from dispersed_web.events.record import Actor, record
from dispersed_web.jobs.errors import PresetRefused
from dispersed_web.jobs.models import Preset
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team

MOST = 50
LONGEST_NAME = 60


def of(user: User, team: Team) -> QuerySet[Preset]:
    """The person's own in the team, their usual one first."""
    return (
        Preset.objects.filter(user=user, team=team)
        .select_related("recipe")
        .order_by("-is_usual", "name", "pk")
    )


def check_name(name: str, user: User, team: Team, preset: Preset | None = None) -> str:
    """The name as it is stored; ``preset`` is the one that gets it. Raises :class:`PresetRefused`."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise PresetRefused(
            "invalid", f"Write a name of at most {LONGEST_NAME} characters on one line.", field="name"
        )
    others = Preset.objects.filter(user=user, team=team).exclude(pk=preset.pk if preset else None)
    if others.filter(name=name).exists():
        sentence = "You have a preset of this name. Choose another, or delete that one first."
        raise PresetRefused("name_taken", sentence, field="name")
    if preset is None and others.count() >= MOST:
        sentence = f"You have {MOST} presets in this team, the most there can be. Delete one."
        raise PresetRefused("too_many_presets", sentence, field="name")
    return name


def save(
    user: User,
    team: Team,
    *,
    name: str,
    recipe: Recipe | None,
    values: Mapping[str, Any],
    answers: Mapping[str, Any],
    is_usual: bool,
    now: dt.datetime,
    actor: Actor | None = None,
) -> Preset:
    """A new preset. ``values`` are the form's fields and ``answers`` those to the recipe's inputs, both as typed and
    without secrets: the caller has taken these out. Raises :class:`PresetRefused`."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two at once could share a name
        preset = Preset(
            user=user, team=team, name=check_name(name, user, team), recipe=recipe, created_at=now
        )
        preset.values, preset.answers, preset.is_usual = dict(values), dict(answers), is_usual
        _one_usual(preset)
        preset.save(force_insert=True)
        _tell(preset, actor, "saved", now)
    return preset


def change(
    preset: Preset, *, name: str, is_usual: bool, now: dt.datetime, actor: Actor | None = None
) -> None:
    """Another name, and whether it is the usual one. Raises :class:`PresetRefused`."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=preset.user_id)
        old = Preset.objects.get(pk=preset.pk)
        before = snapshot(old)
        preset.name = check_name(name, preset.user, preset.team, preset)
        preset.is_usual = is_usual
        _one_usual(preset)
        preset.save(update_fields=["name", "is_usual"])
        data = changes("jobs.Preset", before, {"is_usual": is_usual})
        if data or old.name != preset.name:
            _tell(preset, actor, "changed", now, data)


def delete(preset: Preset, *, now: dt.datetime, actor: Actor | None = None) -> bool:
    """Forgets it; False when it is gone already. Jobs that were launched from it are as they were."""
    with transaction.atomic():
        gone = bool(Preset.objects.filter(pk=preset.pk).delete()[0])
        if gone:
            _tell(preset, actor, "deleted", now)
    return gone


def _tell(
    preset: Preset, actor: Actor | None, word: str, now: dt.datetime, data: dict[str, Any] | None = None
) -> None:
    """Without ``actor`` the person did it in the browser. No page of the team's shows presets, nor does its log say what
    people call theirs."""
    actor = actor or Actor.person(preset.user)
    sentence, about = f"{actor.label} {word} a preset of their own.", ("preset", preset.pk)
    record(preset.team_id, actor, f"preset.{word}", about, sentence, now=now, data=data, bump=False)


def _one_usual(preset: Preset) -> None:
    if preset.is_usual:
        Preset.objects.filter(user=preset.user_id, team=preset.team_id).exclude(pk=preset.pk).update(
            is_usual=False
        )
