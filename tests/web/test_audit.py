"""The audit log: who reads how much of it, what may be asked for, and the files."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import html as markup
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dispersed_web.events import chain, context, verify
from dispersed_web.events.context import RequestFacts
from dispersed_web.events.models import ChainHead, Event
from dispersed_web.events.record import CLOUD, ENGINE, Actor
from dispersed_web.events.security import note_account
from dispersed_web.teams import keeping
from tests import factories as make
from tests.web.recipe_scenes import make_recipe

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parent.parent.parent
NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"


@pytest.fixture
def team(client: Client):
    team = make.make_team("Vision Lab", owner=make.make_user("ana@example.org", name="Ana"))
    make.sign_in(client, make.owner_of(team))
    return team


@pytest.fixture
def reader(team) -> Client:
    """A member, who manages nothing."""
    client = Client()
    make.sign_in(client, make.make_member(team, "member", make.make_user(name="Ben")))
    return client


def look(client: Client, team, **query: Any) -> str:
    return client.get(reverse("web:team-events", args=[team.slug]), query).content.decode()


def shown(client: Client, team, **query: Any) -> list[str]:
    return re.findall(r'class="event-text">(.*?)</p>', markup.unescape(look(client, team, **query)))


def take(client: Client, team, **query: Any):
    return client.get(reverse("web:team-events-export", args=[team.slug]), query)


def body(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def change_limits(team, **limits: Any) -> None:
    with context.within(RequestFacts("203.0.113.9", FIREFOX, "r-12345678")):
        keeping.set_limits(team, limits, actor=Actor.person(make.owner_of(team)), now=NOW)


class TestWhoReadsHowMuch:
    def test_who_manages_the_team_sees_from_where_and_what_was_changed(self, client, team) -> None:
        change_limits(team, max_hourly_usd="5.50", default_lifetime_s=7200, launches_frozen=True)
        page = look(client, team)
        for words in ("203.0.113.9", "Firefox on Linux", "r-12345678", "in the browser"):
            assert words in page
        rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td>', page)
        assert sorted(
            (name, before.replace("\xa0", " "), after.replace("\xa0", " ")) for name, before, after in rows
        ) == [
            ("Launches frozen", "no", "yes"),
            ("Spending per hour", "none", "$5.50"),
            ("Usual lifetime", "24 h", "2 h"),
        ]

    def test_other_members_see_what_happened_only(self, reader, team) -> None:
        change_limits(team, max_hourly_usd="5.50")
        page = look(reader, team)
        assert "changed the team" in page
        for words in ("203.0.113.9", "Firefox", "r-12345678", "5.50", "Details", "team/events/export"):
            assert words not in page

    def test_nor_can_they_find_out_addresses_by_asking(self, reader, team) -> None:
        change_limits(team, launches_frozen=True)
        assert (
            len(shown(reader, team, address="203.0.113.9"))
            == len(shown(reader, team, address="203.0.113.1"))
            == 1
        )

    @pytest.mark.parametrize("form", ["csv", "json"])
    def test_nor_take_files(self, reader, team, form: str) -> None:
        assert take(reader, team, format=form).status_code == 403
        assert not Event.objects.filter(kind="export.audit").exists()

    def test_events_of_other_teams_and_of_accounts_are_in_none(self, client, team) -> None:
        make.make_event(make.make_team(), sentence="Elsewhere.")
        note_account(make.owner_of(team), "account.key_added", "Ana added a key.", NOW)
        assert shown(client, team) == []
        assert "Elsewhere" not in body(take(client, team)) + body(take(client, team, format="json"))

    def test_a_private_recipe_is_a_link_for_its_owner_alone(self, client, reader, team) -> None:
        made = make_recipe(team, make.owner_of(team), name="Secret plan", visibility="private")
        make.make_event(team, "recipe.changed", made, "Ana changed a private recipe.")
        address = reverse("web:recipe", args=[team.slug, made.pk])
        assert address in look(client, team)
        page = look(reader, team)
        assert "Ana changed a private recipe." in page
        assert address not in page
        assert "Secret plan" not in page


class TestFilters:
    @pytest.fixture
    def log(self, team):
        ben = make.make_member(team, user=make.make_user(name="Ben"))
        job = make.make_job(team, title="Night run")
        for sentence, kind, subject, actor, days, address in (
            ("Ana froze.", "team.frozen", team, Actor.person(make.owner_of(team)), 0, "203.0.113.9"),
            ("Ben stopped it.", "job.stop_requested", job, Actor.person(ben), 1, "2001:db8::1"),
            (
                "ci launched it.",
                "job.requested",
                job,
                Actor.token(ben, "ci", at_most="member"),
                2,
                "203.0.113.9",
            ),
            ("It is idle.", "job.warned", job, ENGINE, 3, None),
            ("It ended.", "job.ended", job, CLOUD, 4, None),
        ):
            with context.within(RequestFacts(address)):
                at = NOW + dt.timedelta(days=days)
                make.make_event(team, kind, subject, sentence, actor=actor, now=at)
        return {"ben": ben, "job": job}

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, ["It ended.", "It is idle.", "ci launched it.", "Ben stopped it.", "Ana froze."]),
            ({"kind": "team"}, ["Ana froze."]),
            ({"who": "token"}, ["ci launched it."]),
            ({"who": "engine"}, ["It is idle."]),
            ({"who": "cloud"}, ["It ended."]),
            ({"who": "BEN"}, ["ci launched it.", "Ben stopped it."]),
            ({"about": "job:JOB", "who": "BEN"}, ["ci launched it.", "Ben stopped it."]),
            ({"q": "STOPPED"}, ["Ben stopped it."]),
            ({"address": "203.0.113.9"}, ["ci launched it.", "Ana froze."]),
            ({"address": "2001:0db8:0:0::1"}, ["Ben stopped it."]),
            ({"from": "2026-11-26", "to": "2026-11-27"}, ["ci launched it.", "Ben stopped it."]),
            ({"from": "2026-11-29"}, ["It ended."]),
            ({"to": "2026-11-25"}, ["Ana froze."]),
        ],
    )
    def test_each_leaves_out_the_rest(self, client, team, log, query: Any, expected: list[str]) -> None:
        names = {"BEN": str(log["ben"].pk), "job:JOB": f"job:{log['job'].pk}"}
        assert (
            shown(client, team, **{name: names.get(value, value) for name, value in query.items()})
            == expected
        )

    def test_days_are_those_of_the_reader(self, client, team) -> None:
        type(make.owner_of(team)).objects.update(time_zone="Asia/Tokyo")
        make.make_event(team, sentence="Late.", now=dt.datetime(2026, 11, 25, 15, 30, tzinfo=dt.UTC))
        assert shown(client, team, **{"from": "2026-11-26", "to": "2026-11-26"}) == ["Late."]
        assert shown(client, team, to="2026-11-25") == []

    @pytest.mark.parametrize(
        "query",
        [
            {"q": "a\0b"},
            {"who": "9" * 30},
            {"who": "x"},
            {"about": "job"},
            {"about": "job:../x"},
            {"from": "tomorrow"},
            {"from": "0001-01-01"},
            {"to": "9999-12-31"},
            {"address": "not an address"},
            {"before": "-1"},
            {"kind": "'"},
            {"q": "\ud800"},
        ],
    )
    def test_any_address_is_answered(self, client, team, query: Any) -> None:
        make.make_event(team)
        query = {name: value.encode("utf-8", "surrogatepass") for name, value in query.items()}
        assert client.get(reverse("web:team-events", args=[team.slug]), query).status_code == 200
        assert take(client, team, **query).status_code == 200

    def test_what_was_not_understood_is_said(self, client, team) -> None:
        assert "no IP address" in look(client, team, address="nowhere")
        assert "Write a day as" in look(client, team, **{"from": "tomorrow"})

    def test_the_next_page_keeps_what_is_asked_for(self, client, team) -> None:
        for number in range(60):
            make.make_event(team, "job.status", sentence=f"Run {number}.")
            make.make_event(team, "team.frozen", sentence=f"Frozen {number}.")
        page = look(client, team, kind="job", q="Run")
        older = re.search(r'href="(\?[^"]*before=\d+)"', page)[1].replace("&amp;", "&")
        rest = client.get(reverse("web:team-events", args=[team.slug]) + older).content.decode()
        assert re.findall(r"Run \d+\.</p>", rest) == [f"Run {number}.</p>" for number in range(9, -1, -1)]
        assert "Frozen" not in re.sub(r"<select.*?</select>", "", rest)

    def test_who_left_can_still_be_asked_for(self, client, team) -> None:
        ben = make.make_member(team, "member", make.make_user(name="Ben"))
        make.make_event(team, actor=Actor.person(ben))
        assert f'<option value="{ben.pk}">Ben</option>' in look(client, team)
        keeping.remove_member(team, ben, actor=Actor.person(make.owner_of(team)), now=NOW)
        assert f'<option value="{ben.pk}">Ben, who left</option>' in look(client, team)

    def test_no_query_for_each_line(self, client, team, django_assert_max_num_queries) -> None:
        for _ in range(50):
            make.make_event(team, "job.status", make.make_job(team, title="x"))
        look(client, team)
        with django_assert_max_num_queries(16):
            look(client, team)


class TestTheChain:
    def test_how_far_it_is_whole(self, client, team) -> None:
        assert "sealed with a hash" in look(client, team)
        make.make_event(team)
        chain.seal_waiting()
        assert "Sealed up to event number 1. The first check follows" in look(client, team)
        verify.check_due(NOW)
        page = look(client, team)
        assert "nothing was changed or removed up to event number 1." in page
        assert "Sealed since then" not in page
        make.make_event(team)
        chain.seal_waiting()
        assert "Sealed since then up to number 2" in look(client, team)

    def test_a_break_stands_above_everything(self, client, team) -> None:
        make.make_event(team)
        chain.seal_waiting()
        Event.objects.update(sentence="Nothing happened.")
        verify.check_due(NOW)
        page = look(client, team)
        assert "The log is not whole" in page
        assert "Number 1 (event" in page


class TestFiles:
    EVIL = ('=HYPERLINK("http://x")', "+1", "-1", "@x", "\tx", "\rx", " =x", 'a "quoted", line\nbreak')

    def test_a_spreadsheet_reads_no_formula(self, client, team) -> None:
        for text in self.EVIL:
            make.make_event(team, sentence=text, now=NOW, data={"name": text})
        answer = take(client, team)
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert answer["Content-Disposition"].startswith(f'attachment; filename="audit-{team.slug}-')
        text = body(answer)
        assert "\r\n" in text
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        sentences = [row["sentence"] for row in rows[: len(self.EVIL)]]
        assert sentences == [f"'{one}" for one in self.EVIL[:-1]] + [self.EVIL[-1]]
        assert not [
            cell for row in rows for cell in row.values() if cell.lstrip(" ")[:1] in set("=+-@\t\r\0")
        ]
        assert json.loads(rows[0]["data"]) == {"name": self.EVIL[0]}

    def test_the_json_verifies_with_nothing_but_what_is_in_it(self, client, team) -> None:
        change_limits(team, max_hourly_usd="5.50")
        for number in range(5):
            make.make_event(team, sentence=f"Événement {number}", data={"n": number / 3})
        chain.seal_waiting()
        make.make_event(team, sentence="Not sealed yet.")
        found = json.loads(body(take(client, team, format="json")))
        assert found["complete"] is True
        last = ""
        for event in found["events"][: found["chain"]["number"]]:
            covered = {
                name: value for name, value in event.items() if name not in ("chain_number", "chain_hash")
            }
            text = json.dumps(
                covered | {"previous": last, "number": event["chain_number"]},
                sort_keys=True,
                separators=(",", ":"),
            )
            last = hashlib.sha256(text.encode()).hexdigest()
            assert last == event["chain_hash"]
        assert (last, found["chain"]["number"]) == (found["chain"]["hash"], 6)
        assert found["chain"]["hash"] == ChainHead.objects.get(pk=str(team.pk)).hash
        assert found["events"][6]["chain_number"] is None

    def test_the_program_in_the_documentation_verifies_it(self, client, team, tmp_path: Path) -> None:
        program = re.search(r"```python\n(.*?)```", (ROOT / "docs/audit.md").read_text(), re.DOTALL)[1]
        make.make_event(team, sentence="First.")
        make.make_event(team, sentence="Second.")
        chain.seal_waiting()
        text = body(take(client, team, format="json"))

        def run(text: str) -> str:
            (tmp_path / "log.json").write_text(text)
            done = subprocess.run(
                [sys.executable, "-c", program, str(tmp_path / "log.json")], capture_output=True, text=True
            )
            return done.stdout + done.stderr

        assert run(text) == "whole\n"
        assert run(text.replace("Second.", "Nothing.")) == "Number 2 is not as it was sealed.\n"

    def test_a_filter_holds_for_the_file_too_and_is_said(self, client, team) -> None:
        make.make_event(team, "job.status", sentence="Run.")
        make.make_event(team, "team.frozen", sentence="Frozen.")
        found = json.loads(body(take(client, team, format="json", kind="job")))
        assert [event["sentence"] for event in found["events"]] == ["Run."]
        assert found["complete"] is False

    def test_an_empty_log_is_a_file_too(self, client, team) -> None:
        answer = take(client, team, format="json", kind="recipe")
        assert json.loads(body(answer))["events"] == []

    def test_who_took_it_is_in_the_log(self, client, team) -> None:
        body(take(client, team, format="json", kind="job", q="x"))
        event = Event.objects.get()
        assert (event.kind, event.sentence) == ("export.audit", "Ana exported the audit log as JSON.")
        assert event.data == {"filter": {"kind": "job", "q": "x"}}
        assert event.ip_address == "127.0.0.1"


class TestOnesOwnAccount:
    def test_shows_ones_own_events_with_where_they_came_from_and_nobody_elses(self, client, team) -> None:
        ana = make.owner_of(team)
        with context.within(RequestFacts("203.0.113.9", FIREFOX)):
            note_account(ana, "account.key_added", "Ana added a key.", NOW)
        note_account(make.make_user(), "account.key_added", "Somebody else added a key.", NOW)
        make.make_event(team, "member.role_changed", ana, "Ana is an owner.")
        page = client.get(reverse("web:me-security")).content.decode()
        for words in ("Ana added a key.", "203.0.113.9", "Firefox on Linux"):
            assert words in page
        for words in ("Somebody else", "is an owner"):
            assert words not in page

    def test_it_is_paged(self, client, team) -> None:
        for number in range(55):
            note_account(make.owner_of(team), "account.x", f"Event {number}.", NOW)
        page = client.get(reverse("web:me-security")).content.decode()
        assert "Event 54." in page
        assert "Event 4." not in page
        older = re.search(r'href="(\?before=\d+)"', page)[1]
        assert "Event 4." in client.get(reverse("web:me-security") + older).content.decode()

    @pytest.mark.parametrize("before", ["x", "-1", "²", "9" * 30])
    def test_any_address_is_answered(self, client, team, before: str) -> None:
        assert client.get(reverse("web:me-security"), {"before": before}).status_code == 200
