"""A filling of the launch form as plain data, for presets and links. It never holds a secret, and it never changes what a
recipe's author decided: what it says of such a field is left out when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import Volume
from dispersed_web.dispersed.limits import MOST_VOLUMES
from dispersed_web.recipes import references
from dispersed_web.recipes.inputs import BadAnswer, read
from dispersed_web.recipes.references import TEAM_SECRET, reference_in
from dispersed_web.web.forms.advice import looks_like_a_secret
from dispersed_web.web.forms.asked_launch import AskedLaunchForm
from dispersed_web.web.forms.filling import Reading, Typed
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.recipe_inputs import as_json
from dispersed_web.web.forms.ssh_choice import OTHER
from dispersed_web.web.forms.team_secrets import choice_of, ref_of

VOLUMES = "volumes"
NEVER = frozenset({"registry_secret", "same_again", "supersedes_sure", "env_lines", "copies"})


@sensitive_variables()
def typed_of(form: LaunchForm) -> Typed:
    """What stands in a sent form, without secrets and without what the recipe decides."""
    found = Typed()
    for name in set(form.fields) - NEVER - (form.held if form.version else frozenset()):
        value = _typed(form, name)
        if name == "registry_from" and value:
            value = form.known.name(ref_of(value))
        if value is not None and not _is_secret_text(value):
            found.values[name] = value
    if rows := form.volume_rows.plain(form.known):
        found.values[VOLUMES] = rows
    for row in form.env.forms:
        data = getattr(row, "cleaned_data", {})
        if data.get("name") and not data.get("DELETE"):
            found.env.append(_env_row(data["name"], data.get("value", ""), row.secret))
            if row.ref:
                found.env[-1]["team_secret"] = form.known.name(row.ref)
    if isinstance(form, AskedLaunchForm):
        found.answers = form.inputs.kept()
    return found


def _typed(form: LaunchForm, name: str) -> Any:
    if name == "ssh_key":  # only what is known to be a public key
        return form.cleaned_data.get("ssh_key")
    if form.fields[name].disabled:  # a question of a recipe of the cloud sets it, which only that form asks
        value = form[name].value()
        return value if isinstance(value, list) else "" if value is None else str(value)
    value = form.fields[name].widget.value_from_datadict(form.data, {}, name)
    if isinstance(value, bool):
        return "on" if value else ""
    return value


def _is_secret_text(value: Any) -> bool:
    return isinstance(value, str) and looks_like_a_secret(value)


@sensitive_variables()
def _env_row(name: str, value: str, is_secret: bool) -> dict[str, str]:
    if is_secret or looks_like_a_secret(value):
        return {"name": name, "value": "", "kind": "secret"}
    return {"name": name, "value": value, "kind": "plain"}


@sensitive_variables()
def reading(form: LaunchForm, typed: Typed) -> Reading:
    """What of ``typed`` this form, which has not been sent, may begin with."""
    found = Reading()
    for name, value in typed.values.items():
        try:
            found.values[name] = _volumes(form, value) if name == VOLUMES else _cleaned(form, name, value)
        except (ValidationError, KeyError):
            found.ignored.append(name)
    locks_env = isinstance(form, AskedLaunchForm) and form.locks_env
    fixed = form.fixed_env() if isinstance(form, AskedLaunchForm) else frozenset()
    for row in typed.env:
        name = str(row.get("name", ""))
        (found.ignored.append(name) if locks_env or name in fixed else found.env.append(dict(row)))
        if row.get("team_secret") and not choice_of(row["team_secret"], form.known):
            found.ignored.append(_cannot_be_used(row["team_secret"]))
    _read_answers(form, typed.answers, found)
    return found


def _volumes(form: LaunchForm, value: Any) -> list[dict[str, str]]:
    """The rows to begin with. Raises ``KeyError`` where they are not to be filled."""
    locked = isinstance(form, AskedLaunchForm) and form.locks_volumes
    if locked or not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise KeyError(VOLUMES)
    return [Volume.from_plain(one).to_plain() | _named(one, form) for one in value[:MOST_VOLUMES]]


def _named(volume: dict[str, Any], form: LaunchForm) -> dict[str, str]:
    """The secret of the team that a volume names, as far as it may be chosen."""
    name = str(volume.get(TEAM_SECRET) or "")
    return {TEAM_SECRET: name} if name and choice_of(name, form.known) else {}


def _cleaned(form: LaunchForm, name: str, value: Any) -> Any:
    """Raises ``KeyError`` for what is no field, or not one to be filled."""
    if name in NEVER or name in form.held:
        raise KeyError(name)
    control = form.fields[name]
    if name == "ssh_key":
        return control.clean([OTHER, str(value)])
    if isinstance(control, forms.MultipleChoiceField):
        return control.clean(value if isinstance(value, list) else [value])
    if not isinstance(value, str):
        raise KeyError(name)
    if value == "" and control.required:
        return None
    return control.clean(value)


def _read_answers(form: LaunchForm, answers: Mapping[str, Any], found: Reading) -> None:
    known = form.document.by_key if isinstance(form, AskedLaunchForm) else {}
    for key, value in answers.items():
        one = known.get(key)
        reference = reference_in(value) if one is not None and one.type == "secret" else None
        if one is None or one.is_fixed or (one.is_secret and not reference):
            found.ignored.append(key)
            continue
        if reference:
            usable = choice_of(reference.name, form.known)
            found.answers |= {key: reference.to_json()} if usable else {}
            found.ignored += [] if usable else [_cannot_be_used(reference.name)]
            continue
        try:
            found.answers[key] = as_json(read(one, value)) if value not in (None, "", []) else value
        except BadAnswer:
            found.ignored.append(one.name)


def _cannot_be_used(name: Any) -> str:
    return f"{references.words(str(name)[:60])}, which you may not use or is gone"
