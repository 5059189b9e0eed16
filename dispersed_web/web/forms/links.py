"""Launch links: the form's values in an address, without secrets and without the SSH key. Opening one fills the form and
launches nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web import durations
from dispersed_web.recipes.document import Input
from dispersed_web.recipes.references import Reference, reference_in
from dispersed_web.web.forms.asked_launch import AskedLaunchForm
from dispersed_web.web.forms.filling import Typed
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.recipe_inputs import PREFIX, name_of
from dispersed_web.web.forms.team_secrets import FROM
from dispersed_web.web.forms.typed import typed_of

LONGEST = 6000
MOST_ENV = 50
NOT_SHARED = frozenset({"ssh_key", "credential"})
ENV = "env"
# A variable and the name of a secret of the team.
ENV_SECRET = "env_secret"  # noqa: S105 - a name
# Other words of the form's address.
RESERVED = frozenset({"example", "again", "supersedes", "preset", "recipe", "cook"})


@sensitive_variables()
def query_of(form: LaunchForm, blank: LaunchForm) -> str:
    """The query of a link that fills a form as the sent ``form`` is filled; what ``blank`` says anyway is left out.
    Empty where it would be longer than addresses may be."""
    typed = typed_of(form)
    pairs = [*_fields(typed.values, blank), *_env(typed.env)]
    if isinstance(form, AskedLaunchForm):
        pairs += [pair for one in form.document.inputs for pair in _answer(one, typed.answers)]
    query = urlencode(pairs)
    return query if len(query) <= LONGEST else ""


def _fields(values: Mapping[str, Any], blank: LaunchForm) -> Iterator[tuple[str, str]]:
    for name in (name for name in blank.fields if name in values and name not in NOT_SHARED | blank.held):
        usual = blank[name].value()
        if isinstance(values[name], list):
            if sorted(values[name]) != sorted(usual or []):
                yield from ((name, str(one)) for one in values[name])
        elif str(values[name]) != ("on" if usual is True else str(usual or "")):
            yield name, str(values[name])


def _env(rows: list[dict[str, str]]) -> Iterator[tuple[str, str]]:
    for row in rows:
        if row.get("team_secret"):
            yield ENV_SECRET, f"{row['name']}={row['team_secret']}"
        elif row["kind"] != "secret":
            yield ENV, f"{row['name']}={row['value']}"


def _answer(one: Input, answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    value = answers.get(one.key)
    if reference := reference_in(value):
        yield f"{name_of(one)}{FROM}", reference.name
        return
    if one.type == "ssh_key" or one.is_secret or value == one.default or one.key not in answers:
        return
    if isinstance(value, dict):
        yield from ((name_of(one), f"{name}={text}") for name, text in value.items() if text)
    elif isinstance(value, list):
        yield name_of(one), ",".join(str(entry) for entry in value)
    elif one.type == "duration" and value is not None:
        yield name_of(one), durations.write(value)
    elif one.type == "switch":
        yield name_of(one), "yes" if value else "no"
    else:
        yield name_of(one), "" if value is None else str(value)


def read(query: QueryDict, form: LaunchForm) -> tuple[Typed, list[str]]:
    """What a link fills in, and what of it is not for a link. One that is too long counts for nothing."""
    names = [name for name in query if name not in RESERVED]
    if sum(len(value) + len(name) for name in names for value in query.getlist(name)) > 2 * LONGEST:
        return Typed(), ["everything: the link is too long"]
    typed, ignored = Typed(), []
    inputs = form.document.by_key if isinstance(form, AskedLaunchForm) else {}
    for name in names:
        if name == ENV:
            typed.env += [row for row in map(_row, query.getlist(name)[:MOST_ENV]) if row]
        elif name == ENV_SECRET:
            typed.env += [row for row in map(_secret_row, query.getlist(name)[:MOST_ENV]) if row]
        elif name.startswith(PREFIX) and name.endswith(FROM):
            key = name.removeprefix(PREFIX).removesuffix(FROM)
            typed.answers[key] = Reference(query.get(name, "")).to_json()
        elif name.startswith(PREFIX):
            key = name.removeprefix(PREFIX)
            one = inputs.get(key)
            typed.answers[key] = _given(one, query.getlist(name)) if one else ""
        elif name in NOT_SHARED:
            ignored.append(name)
        else:
            several = name == "allowed_region_codes"
            typed.values[name] = query.getlist(name) if several else query.get(name, "")
    return typed, ignored


def _row(text: str) -> dict[str, str] | None:
    name, equals, value = text.partition("=")
    return {"name": name[:200], "value": value, "kind": ""} if equals and name else None


def _secret_row(text: str) -> dict[str, str] | None:
    row = _row(text)
    return row and {"name": row["name"], "value": "", "kind": "secret", "team_secret": row["value"]}


def _given(one: Input, texts: list[str]) -> Any:
    if one.type == "env":
        return {row["name"]: row["value"] for row in map(_row, texts[:MOST_ENV]) if row}
    return texts[0] if one.type != "ssh_key" else ""
