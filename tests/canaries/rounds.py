"""What every role can see of a running product: each address of the crawl's table, asked with what there is."""

from __future__ import annotations

import html
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dispersed_web.sandbox.recipes import OWN
from tests.canaries.outside import AT, SLUG, World
from tests.canaries.visitor import Visitor
from tests.crawl import routes, table

# One row of each kind, by the gap of the addresses that it fills.
ROWS = {
    "job_id": "SELECT id FROM jobs_job WHERE remote_uuid IS NOT NULL ORDER BY created_at LIMIT 1",
    "run_id": "SELECT id FROM jobs_jobrun ORDER BY id LIMIT 1",
    "recipe_id": "SELECT id FROM recipes_recipe WHERE name = 'Train'",
    "credential_id": "SELECT id FROM credentials_credential WHERE state = 'active'",
    "secret_id": "SELECT id FROM credentials_teamsecret",
    "membership_id": "SELECT id FROM teams_membership WHERE role = 'viewer'",
    "token_id": "SELECT id FROM teams_apitoken ORDER BY created_at LIMIT 1",
    "key_id": "SELECT id FROM accounts_sshkey",
    "team_id": "SELECT id FROM teams_team",
    "preset_id": "SELECT id FROM jobs_preset",
    "notice_id": "SELECT id FROM notifications_delivery WHERE way = 'inbox' ORDER BY id LIMIT 1",
    "invitation_id": "SELECT id FROM teams_invitation WHERE accepted_at IS NULL",
}
# What scripts fetch: by itself, or as a dialog.
PART = re.compile(r'(?:hx-get|data-asks href)="(/[^"]+)"')
MORE = (
    *("jobs/?show=all", "team/events/export/?format=csv", "team/events/export/?format=json"),
    *("launch/?again={job_id}", "jobs/{job_id}/logs/?download", "jobs/{job_id}/ask/again/"),
)


def paths(world: World) -> tuple[list[str], list[str]]:
    """Of the pages and of the API, each once."""
    names: dict[str, Any] = {"slug": SLUG, "number": 1, "decision": "keep", "act": "stop", "hold_id": 987}
    names |= {"recipe_uuid": OWN[0]["uuid"], "row_id": 987}
    for gap, statement in ROWS.items():
        (found,) = world.sql(statement)[:1] or [(uuid.uuid4(),)]
        names[gap] = uuid.UUID(found[0]) if isinstance(found[0], str) and len(found[0]) == 32 else found[0]
    rules = [table.PAGES | table.ACCOUNTS | table.API_PAGES, table.API]
    pages, api = (
        [one.path(names) for one in routes.of({name: rule for name, rule in part.items() if rule.of("GET")})]
        for part in rules
    )
    return pages + [f"{AT}/{more.format(**names)}" for more in MORE], api


def walk(world: World, *roles: str) -> None:
    """Each of these people, and who is not signed in, asks for every page, the programs for the whole API. What the
    owner's pages fetch by themselves is asked for as well."""
    pages, api = paths(world)
    world.people["nobody"] = world.visitor()
    programs = [name for name in world.people if name.startswith("by ")]
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(look_at, world.people[name], pages) for name in (*roles, "nobody")]
        asked += [pool.submit(look_at, world.people[name], api) for name in programs]
        seen = [one.result() for one in asked]
    assert min(map(len, seen)) >= 10, seen
    parts = {html.unescape(part) for text in seen[0] for part in PART.findall(text)}
    assert len(parts) >= 10, parts
    look_at(world.people[roles[0]], sorted(parts), HX_Request="true")


def look_at(visitor: Visitor, addresses: list[str], **headers: str) -> list[str]:
    """What was shown of them."""
    answers = [visitor.get(address, **headers) for address in addresses]
    broken = [(one.url, one.status_code) for one in answers if one.status_code >= 500]
    assert not broken, broken
    return [one.text for one in answers if one.status_code == 200]
