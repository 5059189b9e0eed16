"""The private calendar of planned stops: read back as a calendar program reads it, and gone when it should be."""

from __future__ import annotations

import datetime as dt
import logging
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from dispersed_web.accounts.models import User
from dispersed_web.credentials.masking import mask
from dispersed_web.events.models import Event
from dispersed_web.jobs import calendar
from dispersed_web.jobs.models import CalendarFeed, Job
from dispersed_web.teams.models import Membership
from dispersed_web.web.views import calendar as door
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def calm():
    door.PACE.forget()


class Lab:
    """Ana's team, in which Bob is a member with two jobs, and a feed of his own."""

    def __init__(self) -> None:
        self.now = timezone.now()
        self.ana = make.make_user("ana@example.org", "Ana")
        self.team = make.make_team("Vision Lab", owner=self.ana)
        self.bob = make.make_member(self.team, user=make.make_user("bob@example.org", "Bob"))
        self.job = self.make_job(title="Dev box")

    def make_job(self, status: str = "RUNNING", **fields: Any) -> Job:
        return make.make_job(self.team, status, **{"created_by": self.bob} | fields)

    def address(self, team: Any = None, user: User | None = None) -> str:
        return f"/cal/{calendar.make(user or self.bob, team, now=self.now)[1]}.ics"


@pytest.fixture
def lab():
    return Lab()


def read(answer: Any) -> list[Any]:
    assert answer.status_code == 200
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


def said(address: str) -> dict[str, Any]:
    """The events of the feed by what they say."""
    return {str(one["summary"]): one for one in read(Client().get(address))}


def stop_in(address: str) -> Any:
    return next(one for one in said(address).values() if "-stop@" in one["uid"])


def test_it_is_read_without_signing_in_and_tells_of_ones_stops(lab):
    answer = Client().get(lab.address())
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    stop = stop_in(lab.address())
    end = lab.job.launched_at + dt.timedelta(seconds=lab.job.lifetime_s)
    assert str(stop["summary"]) == "Stops unless answered: Dev box"
    assert stop["uid"].startswith(f"{lab.job.pk}-stop@")
    assert stop["dtstart"].dt.tzinfo is not None
    assert stop["dtstart"].dt <= end
    assert str(stop["url"]).endswith(f"/t/{lab.team.slug}/jobs/{lab.job.pk}/")
    alarm = stop.walk("VALARM")[0]
    assert alarm["trigger"].dt == dt.timedelta(minutes=-15)
    assert b"DTSTART:20" in answer.content
    assert re.search(rb"DTSTART:\d{8}T\d{6}Z", answer.content)


def test_what_ends_by_idleness_says_so_and_its_hard_end_stands_beside(lab):
    Job.objects.update(protected_until=lab.now + dt.timedelta(hours=3), protected_reason="A demo")
    found = said(lab.address())
    assert set(found) == {
        "Stops unless answered: Dev box",
        "End of its lifetime: Dev box",
        "Protection ends: Dev box",
    }
    assert found["Stops unless answered: Dev box"]["status"] == "TENTATIVE"
    assert found["End of its lifetime: Dev box"]["status"] == "CONFIRMED"
    protection = found["Protection ends: Dev box"]
    assert "A demo" in str(protection["description"])
    assert protection["dtstart"].dt == (lab.now + dt.timedelta(hours=3)).replace(second=0, microsecond=0)


def test_a_batch_job_has_the_time_limit_of_its_run(lab):
    job = lab.make_job(task="BATCH", title="Sweep")
    began = job.running_at
    limit = said(lab.address())["Time limit of the run: Sweep"]
    assert limit["dtstart"].dt == (began + dt.timedelta(hours=1)).replace(second=0, microsecond=0)


def test_ended_jobs_are_told_of_for_thirty_days(lab):
    lab.make_job("CANCELLED", title="Idle", reason="idle", ended_at=lab.now - dt.timedelta(days=29))
    lab.make_job("COMPLETED", title="Done", ended_at=lab.now - dt.timedelta(days=2))
    lab.make_job("CANCELLED", title="Old", reason="idle", ended_at=lab.now - dt.timedelta(days=31))
    lab.make_job("FAILED", title="Never", reason="refused", launched_at=None, ended_at=lab.now)
    found = said(lab.address())
    assert {"Stopped: Idle", "Ended by itself: Done"} <= set(found)
    assert not [one for one in found if "Old" in one or "Never" in one]
    assert found["Stopped: Idle"].walk("VALARM") == []
    assert str(found["Stopped: Idle"]["description"]).startswith("Idle.")


def test_its_id_stays_and_its_sequence_grows_when_the_plan_changes(lab):
    address = lab.address()
    before = stop_in(address)
    Job.objects.update(extend_until=lab.now + dt.timedelta(days=2))
    make.make_event(lab.team, "job.extended", lab.job, "Bob extended it.", now=lab.now)
    after = stop_in(address)
    assert before["uid"] == after["uid"]
    assert after["dtstart"].dt > before["dtstart"].dt
    assert int(after["sequence"]) > int(before["sequence"])
    assert after["last-modified"].dt > before["last-modified"].dt


def test_ones_own_feed_has_what_one_owns_in_ones_teams(lab):
    make.make_job(lab.team, title="Hers", created_by=lab.ana)
    elsewhere = make.make_team()
    make.make_job(elsewhere, title="Left behind", created_by=lab.bob)
    second = make.make_team()
    make.make_member(second, user=lab.bob)
    make.make_job(second, title="Second", created_by=lab.bob)
    titles = " ".join(said(lab.address()))
    assert "Dev box" in titles
    assert "Second" in titles
    assert "Hers" not in titles
    assert "Left behind" not in titles


def test_a_teams_feed_has_everybodys_jobs_and_no_other_teams(lab):
    make.make_job(lab.team, title="Hers", created_by=lab.ana)
    make.make_job(make.make_team(owner=lab.bob), title="Other", created_by=lab.bob)
    titles = " ".join(said(lab.address(lab.team)))
    assert "Hers" in titles
    assert "Other" not in titles


def test_a_job_that_was_handed_over_moves_to_the_new_owners_feed(lab):
    address = lab.address()
    Job.objects.update(owner=lab.ana)
    assert said(address) == {}


def test_it_dies_with_the_membership(lab):
    address, own = lab.address(lab.team), lab.address()
    assert Client().get(address).status_code == 200
    Membership.objects.filter(user=lab.bob).delete()
    assert Client().get(address).status_code == 404
    assert said(own) == {}


def test_it_is_dead_while_the_person_is_not_active(lab):
    address = lab.address()
    User.objects.filter(pk=lab.bob.pk).update(is_active=False)
    assert Client().get(address).status_code == 404


def test_a_new_address_ends_the_old_one_and_so_does_switching_off(lab):
    old, team = lab.address(), lab.address(lab.team)
    new = lab.address()
    assert Client().get(old).status_code == 404
    assert Client().get(new).status_code == 200
    assert calendar.switch_off(lab.bob, None, now=lab.now)
    assert not calendar.switch_off(lab.bob, None, now=lab.now)
    assert Client().get(new).status_code == 404
    assert Client().get(team).status_code == 200


def test_an_unknown_address_is_the_same_404_as_a_dead_one(lab):
    dead = lab.address()
    calendar.switch_off(lab.bob, None, now=lab.now)
    answers = [Client().get(one) for one in (dead, "/cal/nonsense.ics", "/cal/" + "x" * 43 + ".ics")]
    assert {(one.status_code, one.content) for one in answers} == {(404, answers[0].content)}


def test_what_did_not_change_is_not_sent_again(lab):
    address = lab.address()
    first = Client().get(address)
    again = Client().get(address, headers={"If-None-Match": f'W/"x", {first["ETag"]}'})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    Job.objects.update(title="Renamed")
    changed = Client().get(address, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_the_address_is_told_to_nobody(lab):
    for answer in (Client().get(lab.address()), Client().get("/cal/nonsense.ics")):
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex, nofollow"
        assert answer["Cache-Control"] == "private, no-cache"
        assert not answer.cookies
    for method in ("post", "put", "delete", "patch"):
        assert getattr(Client(), method)(lab.address()).status_code == 405


def test_its_token_is_stored_as_a_digest_and_kept_out_of_logs(lab, caplog, monkeypatch):
    address = lab.address()
    token = address.removeprefix("/cal/").removesuffix(".ics")
    assert len(token) == 43
    assert token not in str(list(CalendarFeed.objects.values()))
    assert token not in str(list(Event.objects.values()))
    assert token not in mask(f"GET {address} 404")
    monkeypatch.setattr(door.planned, "plan", lambda *_: 1 / 0)
    with caplog.at_level(logging.DEBUG):
        assert Client().get(address).status_code == 503
    assert "ZeroDivisionError" in caplog.text
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("dispersed_web")]
    assert token not in str(ours)


def test_no_secret_of_a_job_is_in_it(lab):
    spec = make.make_spec(title="Dev", env={"HF_TOKEN": "hidden-value"})
    lab.make_job(
        spec=spec, secret_env=frozenset({"HF_TOKEN"}), title="Key sk_live_abcdefghijkl", notes="private note"
    )
    text = Client().get(lab.address()).content.decode().replace("\r\n ", "")
    for word in (
        "hidden-value",
        "sk_live_abcdefghijkl",
        "private note",
        "HF_TOKEN",
        make.SSH_KEY.split()[1][:30],
    ):
        assert word not in text


def test_a_title_cannot_break_out_of_its_line(lab):
    Job.objects.update(title="A; B, C\\n\u2028BEGIN:VALARM")
    assert len(read(Client().get(lab.address()))) == len(said(lab.address()))
    assert any("A; B, C" in one for one in said(lab.address()))


def test_it_is_throttled(lab):
    address = lab.address()
    answers = [Client().get(address).status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]
    assert int(Client().get(address)["Retry-After"]) > 0
    assert Client().get(lab.address(lab.team)).status_code == 200


def test_its_queries_do_not_grow_with_the_jobs(lab, django_assert_max_num_queries):
    address = lab.address()
    for number in range(12):
        lab.make_job(title=f"Job {number}")
    with django_assert_max_num_queries(20):
        assert len(said(address)) >= 13


def test_the_use_is_noted(lab):
    Client().get(lab.address())
    assert CalendarFeed.objects.get().last_used_at is not None


def test_the_address_is_made_on_ones_own_page_and_shown_once(client, lab):
    make.sign_in(client, lab.bob)
    page = client.post(reverse("web:me-calendar"))
    found = re.search(r"(https?://[^/<]+)(/cal/[\w-]{43}\.ics)", page.content.decode())
    assert f'href="webcal://{found[1].partition("://")[2]}{found[2]}"' in page.content.decode()
    assert Client().get(found[2]).status_code == 200
    assert "no-store" in page["Cache-Control"]
    later = client.get(reverse("web:me")).content.decode()
    assert "/cal/" not in later
    assert "Make a new address" in later
    client.post(reverse("web:me-calendar-off"))
    assert Client().get(found[2]).status_code == 404


def test_a_members_address_of_the_team_is_their_own(client, lab):
    make.sign_in(client, lab.bob)
    hers = lab.address(lab.team, lab.ana)
    page = client.post(reverse("web:team-calendar", args=[lab.team.slug])).content.decode()
    path = re.search(r"/cal/[\w-]{43}\.ics", page)[0]
    assert Client().get(path).status_code == 200
    client.post(reverse("web:team-calendar-off", args=[lab.team.slug]))
    assert Client().get(path).status_code == 404
    assert Client().get(hers).status_code == 200
    assert list(Event.objects.filter(kind__startswith="calendar").values_list("kind", flat=True)) == [
        "calendar.made",
        "calendar.made",
        "calendar.switched_off",
    ]
