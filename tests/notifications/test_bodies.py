"""The three formats: what is said in each, and that text of people and of the cloud stays text."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from dispersed_web.notifications import bodies
from dispersed_web.notifications.links import Link
from dispersed_web.notifications.notice import Notice, compose
from tests import factories

pytestmark = pytest.mark.django_db
STOP_AT = dt.datetime(2026, 11, 23, 20, 30, tzinfo=dt.UTC)
LINKS = (
    Link("extend", 60, "Extend by 1 h", "https://app.example.org/do/one/"),
    Link("stop", None, "Stop now", "https://app.example.org/do/two/"),
)
NASTY = "<!channel> @everyone <@U1> [click](https://evil.example) *x* & <https://evil.example|ok>"


def notice(title: str = "Dev Box", sentence: str = "Idle for 60 min.", **data: Any) -> Notice:
    team = factories.make_team("Lab")
    job = factories.make_job(team, title=title)
    data |= {"stop_at": STOP_AT.isoformat(), "rule": "idle", "sentence": sentence}
    at = STOP_AT - dt.timedelta(minutes=15)
    return compose(factories.make_event(team, "job.warned", job, now=at, data=data))


def test_slack_gets_the_time_for_each_reader_and_links_as_buttons() -> None:
    body = bodies.slack(notice(), LINKS)
    section, context, actions = body["blocks"]
    stamp = int(STOP_AT.timestamp())
    assert section["text"]["text"] == (
        f"*Stops at <!date^{stamp}^{{time}}|20:30 UTC>: Dev Box*\nIdle for 60 min."
    )
    assert "Use it again or extend it" in context["elements"][0]["text"]
    buttons = actions["elements"]
    assert [(one["text"]["text"], one["url"]) for one in buttons[:2]] == [
        ("Extend by 1 h", LINKS[0].url),
        ("Stop now", LINKS[1].url),
    ]
    assert buttons[1]["style"] == "danger"
    assert f"<{LINKS[0].url}|Extend by 1 h>" in body["text"]


def test_slack_text_names_nobody_and_links_nowhere() -> None:
    body = bodies.slack(notice(NASTY, NASTY), LINKS)
    text = json.dumps(body, ensure_ascii=False)
    for live in ("<!channel>", "<@U1>", "<https://evil.example|ok>", "@everyone"):
        assert live not in text
    assert "&lt;!channel&gt;" in text
    assert "&amp;" in text
    markdown = [body["blocks"][0]["text"], *body["blocks"][1]["elements"]]
    assert all(one["verbatim"] is True for one in markdown)


def test_discord_gets_the_time_for_each_reader_and_mentions_nobody() -> None:
    body = bodies.discord(notice(), LINKS)
    stamp = int(STOP_AT.timestamp())
    (embed,) = body["embeds"]
    assert body["content"] == f"Stops at <t:{stamp}:t>: Dev Box"
    assert {"name": "Stops", "value": f"<t:{stamp}:f>", "inline": True} in embed["fields"]
    assert f"[Extend by 1 h]({LINKS[0].url})" in embed["description"]
    assert body["allowed_mentions"] == {"parse": []}


def test_discord_text_names_nobody_and_links_nowhere() -> None:
    body = bodies.discord(notice(NASTY, NASTY), ())
    for text in (body["content"], body["embeds"][0]["description"].partition("\n\n")[0]):
        for live in ("@everyone", "[click](https", "https://evil", " <@U1>", " *x*"):
            assert live not in text
        assert "\\[click\\]\\(" in text


def test_the_longest_texts_fit_into_what_the_services_take() -> None:
    long = notice("*" * 120, "_" * 5000)
    slack, discord = bodies.slack(long, LINKS), bodies.discord(long, LINKS)
    assert len(slack["blocks"][0]["text"]["text"]) <= 3000
    assert len(discord["content"]) <= 2000
    assert len(discord["embeds"][0]["description"]) <= 4096
    assert all(len(field["value"]) <= 1024 for field in discord["embeds"][0]["fields"])


def test_json_says_it_in_plain_values() -> None:
    made = notice(NASTY)
    body = json.loads(bodies.body("json", made, LINKS))
    assert body["subject"].startswith("Stops at 2026-11-23 20:30 UTC: <!channel>")
    assert body["stop_at"] == STOP_AT.isoformat()
    assert body["job"]["hourly_rate_usd"] == "0.6900"
    assert body["data"] == {"rule": "idle"}
    assert body["links"][1] == {"act": "stop", "minutes": None, "label": "Stop now", "url": LINKS[1].url}
