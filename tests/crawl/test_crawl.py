"""Every address × everybody × every method: who gets in, who is turned away, and that nothing happened when they were.

Access is proved here, not believed: the table says what is expected, the URL configuration says what exists.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from dispersed_web.api import throttling
from dispersed_web.teams.roles import RANK, Role
from tests.crawl import routes, table
from tests.crawl.routes import Route
from tests.crawl.table import ACCOUNTS, API, API_PAGES, NAMELESS, PAGES, ROLES
from tests.crawl.watch import Seen, watched
from tests.crawl.world import World

pytestmark = pytest.mark.django_db
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LOOKS = ("GET", "HEAD", "OPTIONS")
ACTORS = (
    "anonymous",
    *(f"{letter}.{role}" for letter in "ab" for role in ROLES),
    "removed",
    "site_admin",
)
SCOPES = ("read", "operate", "admin")
TOKENS = ("none", *(f"{role}.{scope}" for role in ROLES for scope in SCOPES))
TOKENS += ("expired", "revoked", "removed", "foreign")
DEAD = {"none", "expired", "revoked", "removed"}
# What differs between two answers that say the same.
VARIES = re.compile(r'"X-CSRFToken": "\w+"|csrfmiddlewaretoken" value="\w+"|server-time" content="[^"]+"')


def on_sqlite_but(one: str, everybody: tuple[str, ...]) -> list[Any]:
    """On PostgreSQL one that reaches everything is enough to show that it takes every query."""
    return [pytest.param(who, marks=() if who == one else pytest.mark.crawl) for who in everybody]


@pytest.mark.crawl
def test_every_address_is_in_the_table_and_the_table_has_no_other() -> None:
    listed = PAGES.keys() | ACCOUNTS.keys() | API.keys() | API_PAGES.keys()
    existing = {name for _, name, _ in routes.every() if name}
    assert {"not listed": existing - listed, "gone": listed - existing} == {
        "not listed": set(),
        "gone": set(),
    }
    assert {pattern for pattern, name, _ in routes.every() if not name} == NAMELESS


class Crawl:
    """One actor's walk. Deviations are gathered, so that one run tells them all."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked = Counter[str]()
        self.faults: list[str] = []
        self.last_id = max(one["id"] for one in world.sandbox.control.requests())

    def ask(self, client: Client, method: str, path: str, **options: Any) -> tuple[HttpResponse, Seen]:
        cookies = client.cookies.copy()
        with watched(self.world.sandbox, self.last_id) as seen:
            answer = client.generic(method, path, **options)
            if answer.streaming:
                answer.content_read = b"".join(answer.streaming_content)
        throttling.window.forget()
        client.cookies = cookies  # also after a sign-out
        self.last_id = seen.last_id
        self.asked[method] += 1
        return answer, seen

    def expect(self, what: str, ok: bool, *about: object) -> None:
        if not ok:
            self.faults.append(f"{what}: {' '.join(map(str, about))}")

    def assert_clean(self) -> None:
        assert not self.faults, "\n".join([f"{len(self.faults)} deviations", *self.faults[:200]])

    def nothing_happened(self, what: str, seen: Seen, caches: frozenset[str] = frozenset()) -> None:
        self.expect(what, not seen.tables - caches, "stored", seen.tables)
        self.expect(what, not seen.cloud, "asked the cloud for", seen.cloud)


def text_of(answer: HttpResponse) -> str:
    body = getattr(answer, "content_read", None)
    return (body if body is not None else answer.content).decode(errors="replace")


def said(answer: HttpResponse, names: dict[str, Any]) -> str:
    """The answer without what was asked for, and without what differs each time."""
    text = VARIES.sub("", text_of(answer))
    for value in names.values():
        text = text.replace(str(value), "") if len(str(value)) > 3 else text
    return text


# Pages ---------------------------------------------------------------------------------------------------------------


def allowed(actor: str, who: str) -> bool:
    if who == "anyone":
        return True
    if who == "nobody" or actor == "anonymous":
        return False
    if who == "reader":
        return True
    if who == "site":
        return actor == "site_admin"
    side, _, role = actor.partition(".")
    return side == "a" and RANK[Role(role)] >= RANK[Role(who)]


def expected(actor: str, who: str | None, route: Route) -> set[int] | None:
    """The statuses that this actor may get; ``None``: any but those that turn somebody away."""
    in_the_team = actor.startswith("a.")
    if who == "anyone" or (who is None and route.name in ACCOUNTS):
        return None  # the library's views answer OPTIONS, and take a PUT for a POST
    if route.name == "api:schema" and who is None:
        return {200, 401, 405}
    if route.name == "api:schema" and actor == "anonymous":
        return {401}
    if actor == "anonymous":
        return {302, 405} if who is None else {302, 404} if who == "nobody" else {302}
    if who == "nobody":
        return {404}
    if who is None:
        return {404, 405} if route.is_of_a_team and not in_the_team else {403, 404, 405}
    if allowed(actor, who):
        return None
    return {403} if in_the_team and who != "site" else {404}


def requests_of(method: str, body: bytes) -> Iterator[dict[str, Any]]:
    """The request as a page and as a part of a page, and a POST as JSON too."""
    form = {"content_type": "application/x-www-form-urlencoded", "data": body} if method == "POST" else {}
    yield form
    if method in ("GET", "POST"):
        yield form | {"headers": {"HX-Request": "true"}}
    if method == "POST" and not body:
        yield {"content_type": "application/json", "data": b"{}"}


# Answers of an allowed act without what it needs: some look for a thing that was not named.
MAY_MISS = {
    "heartbeat",
    "heartbeat-keep",
    "web:job-token",
    "web:act-link",
    "web:calendar-feed",
    "web:join",
    "web:join-link",
    "web:join-accept",
    "web:join-decline",
    "account_confirm_email",
    "mfa_edit_webauthn",
    "mfa_deactivate_totp",
    "usersessions_list",
    "mfa_remove_webauthn",
}
# What an act must be told, or it is none.
FORMS = {"web:jobs-bulk": b"act=stop", "web:hold-decide": b"decision=keep"}


def judge(crawl: Crawl, actor: str, route: Route, rule: table.Rule, method: str) -> None:
    own = crawl.world.own(actor)
    path, who = route.path(crawl.world.a.names(route.name, own)), rule.of(method)
    wanted = expected(actor, who, route)
    if who == "reader" and own is None and wanted is None and route.gaps:
        wanted = {404}  # somebody else's
    for options in requests_of(method, FORMS.get(route.name, b"")):
        answer, seen = crawl.ask(crawl.world.clients[actor], method, path, **options)
        what = f"{actor} {method} {path} {'part ' if 'headers' in options else ''}→ {answer.status_code}"
        if wanted is None:
            turned_away = (
                set() if who is None else {401, 403, 404, 405} - ({404} if route.name in MAY_MISS else set())
            )
            turned_away -= {405} if method == "HEAD" else set()
            crawl.expect(what, answer.status_code not in turned_away, "although allowed")
        else:
            wanted_here = wanted | {405} if method == "HEAD" else wanted
            crawl.expect(what, answer.status_code in wanted_here, "expected", wanted)
        if wanted is not None or who is None:
            crawl.nothing_happened(what, seen)
        crawl.expect(what, answer.status_code != 500, "broke")
        if answer.status_code == 302 and actor == "anonymous" and wanted:
            crawl.expect(what, answer["Location"].startswith("/account/login/"), answer["Location"])
        if method in LOOKS:
            crawl.nothing_happened(what, seen, rule.caches)
        if not actor.startswith("a."):
            # Whoever runs the installation sees the team's name and people, and nothing that they made.
            told = ("Alpha job", "Alpha notes", "Alpha key", "Alpha recipe") if who == "site" else ("Alpha",)
            shown = [one for one in told if one in text_of(answer)]
            crawl.expect(what, not shown, "shows what is the team's", shown)


@pytest.mark.parametrize("actor", on_sqlite_but("a.owner", ACTORS))
def test_every_page_for_everybody(world: World, actor: str, record_property: Any) -> None:
    crawl = Crawl(world)
    for rules in (PAGES, ACCOUNTS, API_PAGES):
        for route in routes.of(rules):
            for method in METHODS:
                judge(crawl, actor, route, rules[route.name], method)
    record_property("requests", crawl.asked.total())
    crawl.assert_clean()


@pytest.mark.crawl
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_stranger_cannot_tell_a_team_or_a_thing_from_none(world: World, method: str) -> None:
    """The same bytes for another team's and for a made-up one, whichever of the names in the address is foreign."""
    crawl = Crawl(world)
    for route in routes.of(PAGES):
        if PAGES[route.name].of(method) is None or not route.gaps:
            continue
        own, foreign = world.a.names(route.name), world.b.names(route.name)
        nothing = routes.elsewhere(own)
        for gap in route.gaps:
            if gap in ("number", "decision", "act", "recipe_uuid", "token"):
                continue
            theirs, none = own | {gap: foreign[gap]}, own | {gap: nothing[gap]}
            if theirs == own:
                continue
            first, seen = crawl.ask(world.clients["a.owner"], method, route.path(theirs))
            second, _ = crawl.ask(world.clients["a.owner"], method, route.path(none))
            what = f"{method} {route.path(theirs)} → {first.status_code}"
            crawl.expect(what, (first.status_code, second.status_code) == (404, 404), second.status_code)
            crawl.expect(what, said(first, theirs) == said(second, none), "differs from nothing")
            crawl.nothing_happened(what, seen)
    assert crawl.asked.total() > 100
    crawl.assert_clean()


# The API -------------------------------------------------------------------------------------------------------------


def api_expected(token: str, who: str | None) -> set[int] | None:
    if token in DEAD:
        return {401, 405} if who is None else {401}
    if who is None:
        return {405}
    if token == "foreign":
        return None
    role, _, scope = token.partition(".")
    least = {"viewer": "read", "member": "operate"}.get(who, "admin")
    enough = SCOPES.index(scope) >= SCOPES.index(least) and RANK[Role(role)] >= RANK[Role(who)]
    return None if enough else {403}


@pytest.mark.parametrize("token", on_sqlite_but("owner.admin", TOKENS))
def test_every_endpoint_for_every_token(world: World, token: str, record_property: Any) -> None:
    crawl, text = Crawl(world), world.tokens()[token]
    headers = {"Authorization": f"Bearer {text}"} if text else {}
    client = Client(raise_request_exception=False)
    for route in routes.of(API):
        role = token.partition(".")[0]
        names = world.a.names(route.name, world.own(f"a.{role}") if role in ROLES else None)
        for method in METHODS:
            who = API[route.name].of(method)
            wanted = api_expected(token, who)
            if token == "foreign" and who and set(route.gaps) - {"number"}:
                wanted = {404, 400, 415}  # a body that says nothing is refused before anything is looked for
            for kind in ("application/json", "application/x-www-form-urlencoded"):
                data = b"{}" if kind == "application/json" else b"a=1"
                body = {"data": data, "content_type": kind} if method not in LOOKS else {}
                answer, seen = crawl.ask(client, method, route.path(names), headers=headers, **body)
                what = f"{token} {method} {route.path(names)} {kind} → {answer.status_code}"
                if wanted is None:
                    crawl.expect(what, answer.status_code not in {401, 403, 405, 500}, "although allowed")
                else:
                    crawl.expect(what, answer.status_code in wanted, "expected", wanted)
                    crawl.nothing_happened(what, seen)
                if method in LOOKS:
                    crawl.nothing_happened(what, seen, API[route.name].caches)
                if token in DEAD or token == "foreign":
                    crawl.expect(what, "Alpha" not in text_of(answer), "shows what is the team's")
                if answer.status_code >= 400 and method != "HEAD":
                    crawl.expect(
                        what, set(json.loads(text_of(answer))) == {"error"}, "another shape of error"
                    )
                if method in LOOKS:
                    break
    record_property("requests", crawl.asked.total())
    crawl.assert_clean()


@pytest.mark.crawl
def test_a_session_is_no_token_and_a_token_no_session(world: World) -> None:
    crawl, token = Crawl(world), world.tokens()["owner.admin"]
    for route in routes.of(API):
        names = world.a.names(route.name)
        for method in API[route.name].who:
            answer, seen = crawl.ask(world.clients["a.owner"], method, route.path(names))
            crawl.expect(f"session {method} {route.name}", answer.status_code == 401, answer.status_code)
            crawl.nothing_happened(f"session {method} {route.name}", seen)
    for route in routes.of(PAGES):
        if {"anyone", "nobody"} & set(PAGES[route.name].who.values()):
            continue
        for method in PAGES[route.name].who:
            headers = {"Authorization": f"Bearer {token}"}
            path = route.path(world.a.names(route.name))
            answer, seen = crawl.ask(Client(), method, path, headers=headers)
            crawl.expect(f"token {method} {route.name}", answer.status_code == 302, answer.status_code)
            crawl.nothing_happened(f"token {method} {route.name}", seen)
    crawl.assert_clean()
