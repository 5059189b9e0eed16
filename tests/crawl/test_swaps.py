"""Ids in query, form and body, swapped for another team's one at a time: as if there were no such thing, nothing stored
with it, nothing of it shown, nothing signed for it. Holes of this kind sit in bodies, not in addresses."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from tests.api.caller import launch_body
from tests.crawl import routes
from tests.crawl.forms import Form, Page, queries
from tests.crawl.table import API, PAGES
from tests.crawl.test_crawl import Crawl, said, text_of
from tests.crawl.world import World

pytestmark = [pytest.mark.crawl, pytest.mark.django_db]
FORM = "application/x-www-form-urlencoded"
# The token of a form, and the id of a request as the audit has it.
RANDOM = re.compile(r'name="form_token" value="[^"]*"|\b[0-9a-f]{32}\b')
# Names under which pages take an id by query, whether or not a link with it was found.
NAMED = {
    "again": "job_id",
    "job": "job_id",
    "from": "job_id",
    "credential": "credential_id",
    "recipe": "recipe_id",
    "preset": "preset_id",
    "run": "run_id",
    "key": "key_id",
    "supersedes": "job_id",
    "token": "token_id",
}
# Fields that take a person by number.
PEOPLE = {"to", "owner", "user", "member", "chosen", "users"}


class Swaps:
    """The ids of one team with those of the other and with made-up ones."""

    def __init__(self, world: World) -> None:
        own, foreign = world.a.names(""), world.b.names("")
        self.twins = {
            str(value): (str(foreign[name]), str(uuid.uuid4()))
            for name, value in own.items()
            if isinstance(value, uuid.UUID) and name in foreign
        }
        people = zip(world.a.people.values(), world.b.people.values(), strict=True)
        self.people = {str(one.pk): (str(other.pk), "987654321") for one, other in people}
        self.people |= {
            one.email: (other.email, "nobody@example.net")
            for one, other in zip(world.a.people.values(), world.b.people.values(), strict=True)
        }
        self.foreign = {theirs for theirs, _ in self.twins.values()}

    def of(self, pairs: list[tuple[str, str]], choices: list[tuple[str, str]] = ()) -> Iterator[Any]:
        """The pairs twice, alike but for one value: with another team's id, and with one of nothing."""
        seen = set()
        for name, value in (*pairs, *choices):
            twins = self.twins.get(value) or (self.people.get(value) if name in PEOPLE else None)
            if twins and (name, value) not in seen:
                seen.add((name, value))
                rest = [one for one in pairs if one[0] != name]
                yield name, [*rest, (name, twins[0])], [*rest, (name, twins[1])]


class Walk(Crawl):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.swaps = Swaps(world)
        self.swapped: set[str] = set()

    def compare(self, what: str, client: Client, method: str, first: Any, second: Any) -> None:
        """``first`` names what is another team's, ``second`` nothing: both must do the same, and that is nothing."""
        one, seen = self.ask(client, method, **first["request"])
        other, _ = self.ask(client, method, **second["request"])
        what = f"{method} {what} → {one.status_code}"
        self.swapped.add(what)
        self.expect(what, one.status_code == other.status_code, f"but {other.status_code} for nothing")
        self.expect(what, one.status_code != 500, "broke")
        ids = (first["id"], second["id"])
        self.expect(what, spoken(one, ids) == spoken(other, ids), "differs from nothing")
        self.expect(what, "Bravo" not in text_of(one), "shows what is another team's")
        self.expect(what, not seen.cloud, "asked the cloud for", seen.cloud)
        stored = [value for value in seen.values if any(theirs in value for theirs in self.swaps.foreign)]
        self.expect(what, not stored, "stored another team's id", stored[:1])


def spoken(answer: Any, ids: tuple[str, str]) -> str:
    """The answer without the ids that were swapped, and without what is random each time."""
    text = RANDOM.sub("", said(answer, {}))
    return re.sub("|".join(rf"\b{re.escape(one)}\b" for one in ids), "", text)


def sent(path: str, pairs: list[tuple[str, str]], method: str) -> dict[str, Any]:
    """The request whose last pair was swapped."""
    swapped = {"id": pairs[-1][1]}
    if method == "GET":
        return swapped | {"request": {"path": f"{path}?{urlencode(pairs)}"}}
    return swapped | {"request": {"path": path, "data": urlencode(pairs).encode(), "content_type": FORM}}


def pages(world: World, client: Client) -> Iterator[tuple[str, Page]]:
    names = world.a.names("")
    for route in routes.of(PAGES):
        if PAGES[route.name].of("GET") in ("viewer", "member", "admin", "owner"):
            path = route.path(names | world.a.names(route.name))
            answer = client.get(path)
            if answer.status_code == 200 and "html" in answer.get("Content-Type", ""):
                yield path, Page(text_of(answer), path)


def test_ids_in_links_and_forms_reach_no_further_than_the_team(world: World) -> None:
    walk, client = Walk(world), world.clients["a.owner"]
    done: set[tuple[str, str]] = set()
    for _, page in list(pages(world, client)):
        for link in page.links:
            path, pairs = queries(link)
            for name, theirs, nothing in walk.swaps.of(pairs):
                if (path, name) not in done and not done.add((path, name)):
                    walk.compare(
                        f"{path}?{name}", client, "GET", sent(path, theirs, "GET"), sent(path, nothing, "GET")
                    )
        for form in page.forms:
            _swap_form(walk, client, form, done)
    assert len(walk.swapped) > 10, walk.swapped
    walk.assert_clean()


def _swap_form(walk: Walk, client: Client, form: Form, done: set[tuple[str, str]]) -> None:
    if form.action.startswith("/account/"):
        return
    for name, theirs, nothing in walk.swaps.of(form.fields, form.choices):
        if (form.action, name) in done:
            continue
        done.add((form.action, name))
        first, second = sent(form.action, theirs, "POST"), sent(form.action, nothing, "POST")
        walk.compare(f"{form.action} {name}", client, "POST", first, second)


def test_ids_by_every_name_in_every_query_reach_no_further_than_the_team(world: World) -> None:
    walk, client = Walk(world), world.clients["a.owner"]
    names, foreign = world.a.names(""), world.b.names("")
    for route in routes.of(PAGES):
        if not route.is_of_a_team or PAGES[route.name].of("GET") is None:
            continue
        path = route.path(names | world.a.names(route.name))
        for name, kind in NAMED.items():
            theirs, nothing = [(name, str(foreign[kind]))], [(name, str(uuid.uuid4()))]
            walk.compare(
                f"{path}?{name}", client, "GET", sent(path, theirs, "GET"), sent(path, nothing, "GET")
            )
    assert len(walk.swapped) > 300
    walk.assert_clean()


# The API -------------------------------------------------------------------------------------------------------------


def bodies(world: World) -> dict[str, dict[str, Any]]:
    """By operation a body whose ids are the team's own."""
    side = world.a
    return {
        "api:jobs": launch_body(side.credential)
        | {"recipe_id": str(side.recipe.pk), "supersedes": str(side.job.pk), "ssh_key_id": str(side.key.pk)},
        "api:recipe-launch": {"credential_id": str(side.credential.pk), "inputs": {}},
        "api:job-hand-over": {"to": side.people["admin"].email},
        "api:presets": {"name": "Mine", "recipe_id": str(side.recipe.pk), "values": {}},
        "api:recipe-copy": {"name": "Copied"},
    }


def test_ids_in_the_bodies_and_queries_of_the_api_reach_no_further_than_the_team(world: World) -> None:
    walk = Walk(world)
    client = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {world.tokens()['owner.admin']}"}
    given = {str(value): pair for value, pair in (walk.swaps.twins | walk.swaps.people).items()}
    for route in routes.of(API):
        path, body = route.path(world.a.names(route.name)), bodies(world).get(route.name, {})
        for name, value in body.items():
            if not isinstance(value, str) or value not in given:
                continue
            requests = [
                {
                    "path": path,
                    "data": json.dumps(body | {name: swapped}).encode(),
                    "content_type": "application/json",
                    "headers": headers | {"Idempotency-Key": uuid.uuid4().hex},
                }
                for swapped in given[value]
            ]
            first, second = (
                {"id": swapped, "request": one} for swapped, one in zip(given[value], requests, strict=True)
            )
            walk.compare(f"{path} {name}", client, "POST", first, second)
        if API[route.name].of("GET") is None:
            continue
        for kind in ("credential_id", "recipe_id", "job_id", "run_id"):
            own = str(world.a.names(route.name)[kind])
            first, second = (
                (
                    {"id": one, "request": {"path": f"{path}?{kind}={one}", "headers": headers}}
                    for one in given[own]
                )
                if own in given
                else (None, None)
            )
            if first and second:
                walk.compare(f"{path}?{kind}", client, "GET", first, second)
    assert len(walk.swapped) > 20, walk.swapped
    walk.assert_clean()
