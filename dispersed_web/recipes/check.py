"""What a well-shaped document means wrongly, so that no launch from it could go well. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from dispersed_web.dispersed import JobSpec, problems_of
from dispersed_web.recipes.check_inputs import input_problems
from dispersed_web.recipes.check_secrets import secret_problems
from dispersed_web.recipes.document import (
    ALL,
    AUTOSTOP_FIELDS,
    ENV,
    GPU,
    JOB_TAG,
    MOST_INPUTS,
    REGISTRY_SECRET,
    SPEC_FIELDS,
    USD_FIELDS,
    Document,
    Problem,
    complete,
    one_target,
)
from dispersed_web.recipes.inputs import PRIVATE_KEY, with_plain_default
from dispersed_web.recipes.render import render
from dispersed_web.recipes.shape import readable_part, shape_problems
from dispersed_web.recipes.spec import job_spec

SHORTEST_S = 60
LONGEST_S = 2 * 365 * 24 * 3600
LONGEST_TITLE = 120
MOST_BYTES = 200_000
DEEPEST = 8
MOST_TAGS, LONGEST_TAG = 20, 40
MOST_LINKS, LONGEST_PATH, LONGEST_LABEL = 10, 300, 80
LONGEST_CONNECTION = 20_000
_SSH_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_PATH = re.compile(r"/[!-~]*")


def from_anything(data: Any) -> tuple[Document | None, list[Problem]]:
    """The document in ``data`` with the defaults written out, and nothing; or ``None`` and all that is wrong."""
    found = list(shape_problems(data))
    if found:
        return None, [*found, *_more(data, found)]
    document = complete(Document.from_json(data))
    found = [_at_its_entry(problem, data) for problem in problems(document)]
    if found:
        return None, found
    inputs = tuple(with_plain_default(one) for one in document.inputs)
    return replace(document, inputs=inputs), []


def _more(data: Any, found: list[Problem]) -> list[Problem]:
    """What is wrong besides, so that nobody mends a file fault by fault: in the parts that can be read, and of these in
    those that stand for themselves."""
    if not all(problem.path for problem in found):
        return []
    rest, inputs = readable_part(data, found)
    if any(shape_problems(rest)):
        return []
    more = [
        one
        for one in _of_parts(Document.from_json(rest))
        if one.path[:1] not in ((), ("locked",), ("secrets",))
    ]
    return [
        Problem(("inputs", inputs[int(one.path[1])], *one.path[2:]), one.sentence)
        if one.path[0] == "inputs" and len(one.path) > 1
        else one
        for one in more
    ]


def _at_its_entry(problem: Problem, data: Mapping[str, Any]) -> Problem:
    """With the number of a locked target in place of its name."""
    if problem.path[:1] == ("locked",) and len(problem.path) == 2:
        return Problem(("locked", data["locked"].index(problem.path[1])), problem.sentence)
    return problem


def problems(document: Document) -> list[Problem]:
    """All that is wrong with what a document without problems of shape means, each at its place (that of a locked target
    is its name)."""
    # What is wrong in its parts could not be rendered.
    return _of_parts(document) or list(_spec(document))


def _of_parts(document: Document) -> list[Problem]:
    found = [*_texts((), document.to_json()), *_lists(document)]
    found += [*_inputs(document), *_locked(document), *_autostop(document.autostop)]
    return [*found, *_tags(document), *_connection(document.connection), *secret_problems(document)]


def _texts(path: tuple[str | int, ...], value: Any) -> Iterator[Problem]:
    """Characters that no database and no cloud takes, and private keys."""
    if len(path) > DEEPEST:
        yield Problem(path[:2], "This is nested too deeply.")
        return
    if not path and len(json.dumps(value)) > MOST_BYTES:
        yield Problem((), f"A recipe has at most {MOST_BYTES // 1000} kB.")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts((*path, name), inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts((*path, number), inner)
    elif isinstance(value, str):
        if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in value):
            yield Problem(path, "This has a character that cannot be stored.")
        if PRIVATE_KEY in value:
            yield Problem(path, "This is a private key: ask for it with an input of type secret.")


def _lists(document: Document) -> Iterator[Problem]:
    kinds: dict[str, tuple[type, str]] = {
        "allowed_region_codes": (str, "a region's code"),
        "ports": (int, "a number"),
        "allowed_ips": (str, "an address"),
        "volumes": (dict, "a mapping with image and mount"),
    }
    for name, (kind, words) in kinds.items():
        for number, entry in enumerate(document.spec.get(name) or ()):
            if not isinstance(entry, kind) or isinstance(entry, bool):
                yield Problem(("spec", name, number), f"Every entry must be {words}.")
            elif isinstance(entry, dict):
                yield from _volume(("spec", name, number), entry)


def _volume(path: tuple[str | int, ...], volume: Mapping[str, Any]) -> Iterator[Problem]:
    for name, value in volume.items():
        if name == "secret":
            if value:
                yield Problem(
                    (*path, name),
                    "A recipe holds no secrets: name one of the team, under secrets, as volume.PATH.",
                )
        elif name not in ("image", "tag", "registry", "user", "mount"):
            yield Problem((*path, str(name)), f"“{str(name)[:40]}” is not known here.")
        elif not isinstance(value, str):
            yield Problem((*path, name), f"{name} must be a text.")


def _inputs(document: Document) -> Iterator[Problem]:
    if len(document.inputs) > MOST_INPUTS:
        yield Problem(("inputs",), f"At most {MOST_INPUTS} inputs.")
        return
    keys: set[str] = set()
    targets: dict[str, str] = {}
    rows = {
        name
        for one in document.inputs
        if one.to == ENV and isinstance(one.default, dict)
        for name in one.default
    }
    for number, one in enumerate(document.inputs):
        if one.key in keys:
            yield Problem(("inputs", number, "key"), f"Another input has the key “{one.key}”.")
        keys.add(one.key)
        target = one_target(one.to)
        if target in targets and target != JOB_TAG:
            yield Problem(("inputs", number, "to"), f"The input “{targets[target]}” sets this too.")
        targets.setdefault(target, one.key)
        if one.env_name in rows:
            yield Problem(("inputs", number, "to"), f"The rows of another input set {one.env_name} too.")
        yield from input_problems(("inputs", number), one)


def _locked(document: Document) -> Iterator[Problem]:
    env = {f"env.{name}" for name in document.env} | {one.to for one in document.inputs if one.env_name}
    env |= set(document.secrets)
    known = {ALL, GPU, ENV, JOB_TAG, REGISTRY_SECRET, *SPEC_FIELDS, *AUTOSTOP_FIELDS, *env}
    asked = {one_target(one.to): one.name for one in document.inputs if not one.is_fixed}
    fixed = {one.to for one in document.inputs if one.is_fixed}
    for target in sorted(document.locked):
        path = ("locked", target)
        if target not in known:
            yield Problem(path, f"“{target[:60]}” is no field and no variable of this recipe.")
        elif one_target(target) in asked:
            name = asked[one_target(target)]
            yield Problem(path, f"“{name}” asks for {target}: lock that input, or do not lock {target}.")
        elif target == "lifetime_s" and target not in fixed and document.autostop.get(target) is None:
            yield Problem(path, "Say which lifetime is locked.")


def _autostop(autostop: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("lifetime_s", "idle_limit_s", "checkin_every_s"):
        seconds = autostop.get(name)
        if seconds is not None and not SHORTEST_S <= seconds <= LONGEST_S:
            yield Problem(("autostop", name), "Between 1 minute and two years, in seconds.")
    for name in sorted(USD_FIELDS):
        if autostop.get(name) is not None and not _is_amount(autostop[name]):
            yield Problem(("autostop", name), "An amount above 0 in US dollars, such as “12.50”.")
    noise = autostop.get("log_noise") or []
    if len(noise) > 20:
        yield Problem(("autostop", "log_noise"), "At most 20 texts.")
    for number, text in enumerate(noise):
        if not isinstance(text, str) or not 0 < len(text) <= 200:
            yield Problem(("autostop", "log_noise", number), "A text of 1 to 200 characters.")


def _is_amount(text: str) -> bool:
    try:
        return 0 < Decimal(text) < 1_000_000
    except (InvalidOperation, ValueError):
        return False


def _tags(document: Document) -> Iterator[Problem]:
    if len(document.tags) > MOST_TAGS:
        yield Problem(("tags",), f"At most {MOST_TAGS} tags.")
    for number, tag in enumerate(document.tags):
        if len(tag) > LONGEST_TAG or not tag.isprintable():
            yield Problem(("tags", number), f"A tag has at most {LONGEST_TAG} characters on one line.")
        elif tag != " ".join(tag.lower().split()) or "," in tag or ";" in tag:
            yield Problem(("tags", number), "A tag has small letters and no commas.")


def _connection(connection: Mapping[str, Any]) -> Iterator[Problem]:
    if len(connection.get("text") or "") > LONGEST_CONNECTION:
        yield Problem(("connection", "text"), f"At most {LONGEST_CONNECTION} characters.")
    user = connection.get("ssh_user")
    if user and not _SSH_USER.fullmatch(user):
        yield Problem(("connection", "ssh_user"), "A user's name has small letters, digits, _ and - only.")
    links = connection.get("links") or []
    if len(links) > MOST_LINKS:
        yield Problem(("connection", "links"), f"At most {MOST_LINKS} links.")
    for number, link in enumerate(links):
        yield from _link(("connection", "links", number), link)


def _link(path: tuple[str | int, ...], link: Any) -> Iterator[Problem]:
    if not isinstance(link, dict) or set(link) - {"port", "label", "path"}:
        yield Problem(path, "A link is a mapping with port, label and path.")
        return
    port = link.get("port")
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        yield Problem((*path, "port") if "port" in link else path, "A link needs a port between 1 and 65535.")
    label, place = link.get("label"), link.get("path")
    if label is not None and (not isinstance(label, str) or len(label) > LONGEST_LABEL):
        yield Problem((*path, "label"), f"A text of at most {LONGEST_LABEL} characters.")
    if place is not None and not (
        isinstance(place, str) and len(place) <= LONGEST_PATH and (not place or _PATH.fullmatch(place))
    ):
        yield Problem((*path, "path"), "A path starts with “/” and has no spaces.")


def _spec(document: Document) -> Iterator[Problem]:
    """What the cloud would refuse, but for what a launcher has yet to answer."""
    found = render(document, {})
    for number, one in enumerate(document.inputs):
        if one.key in found.problems and one.default is not None:
            yield Problem(("inputs", number, "default"), found.problems[one.key])
    title = str(found.values.get("title") or "")
    if len(title) > LONGEST_TITLE or not title.isprintable():
        yield Problem(("spec", "title"), f"A title has at most {LONGEST_TITLE} characters on one line.")
    found.values["title"] = "x"  # a title may have any characters, or none yet
    numbers = {one_target(one.to): number for number, one in enumerate(document.inputs)}
    for name, sentence in problems_of(job_spec(found)).items():
        at = numbers.get(one_target(name))
        if name == ENV:
            continue  # each variable has its own place
        if at is None:
            yield Problem(("spec", name) if name in document.spec else ("spec",), sentence)
        elif document.inputs[at].default not in (None, ""):
            yield Problem(("inputs", at, "default"), sentence)
    yield from _env(document)


def _env(document: Document) -> Iterator[Problem]:
    for name, value in document.env.items():
        if sentence := _env_problem({name: value}):
            yield Problem(("spec", ENV, name), sentence)
    for number, one in enumerate(document.inputs):
        if one.env_name and isinstance(one.default, str):
            texts = {one.env_name: one.default}
        else:
            texts = one.default if one.to == ENV and isinstance(one.default, dict) else {}
        if sentence := _env_problem(texts):
            yield Problem(("inputs", number, "default"), sentence)


def _env_problem(env: Mapping[str, str]) -> str:
    return problems_of(JobSpec(task="PERSISTENT", title="x", image="x", env=env)).get(ENV, "")
