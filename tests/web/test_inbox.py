"""The inbox, and the bell in the frame."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from dispersed_web.notifications import inbox, outbox
from dispersed_web.notifications.models import Delivery
from dispersed_web.teams.models import Membership
from tests import factories as make

pytestmark = pytest.mark.django_db
INBOX = reverse("web:inbox")
SOON = timezone.now() + dt.timedelta(hours=5)


@pytest.fixture
def team(client):
    team = make.make_team("Vision Lab")
    make.sign_in(client, make.owner_of(team))
    return team


def tell(team, kind="job.warned", sentence="Its lifetime ends.", **job):
    subject = make.make_job(team, **{"title": "Dev Box"} | job)
    make.make_event(team, kind, subject, sentence, audience="job_owner")
    outbox.fan_out(timezone.now())
    return Delivery.objects.filter(way="inbox").latest("id")


def html(answer):
    return answer.content.decode()


def count(page):
    found = re.search(r'nav-count-new"><span data-shell="unread">(\d+)', page)
    return int(found[1]) if found else 0


def rows(client, query=""):
    return [(row.id, row.is_unread) for row in client.get(INBOX + query).context["rows"]]


def test_notices_of_all_teams_newest_first(client, team):
    other = make.make_team("Other Lab", owner=make.owner_of(team))
    first, second = tell(team), tell(other, title="Second")
    page = html(client.get(INBOX))
    assert rows(client) == [(second.pk, True), (first.pk, True)]
    for words in ("Vision Lab", "Other Lab", "Stops soon: Dev Box", "Its lifetime ends."):
        assert words in page


def test_looking_reads_nothing(client, team):
    notice = tell(team)
    for _ in range(2):
        assert count(html(client.get(INBOX))) == 1
    notice.refresh_from_db()
    assert notice.read_at is None


def test_opening_leads_to_the_job_and_reads_it(client, team):
    notice = tell(team)
    job = Job.objects.get()
    Job.objects.update(warned_at=notice.event.at)
    answer = client.post(reverse("web:inbox-open", args=[notice.pk]))
    assert answer["Location"] == reverse("web:job", args=[team.slug, job.pk])
    notice.refresh_from_db()
    job.refresh_from_db()
    assert notice.read_at is not None
    assert job.warning_delivered_at is not None
    assert count(html(client.get(answer["Location"]))) == 0


WARNED = {
    "status": "RUNNING",
    "stop_at": SOON,
    "hourly_rate_usd": "0.69",
    "launched_at": timezone.now(),
    "ceiling_s": 86400,
}


def warned(team, kind="job.warned", rule="idle"):
    notice = tell(team, kind, **WARNED)
    warning = {
        "warned_at": notice.event.at,
        "warned_for": SOON,
        "verdict_state": "warned",
        "verdict_rule": rule,
    }
    Job.objects.filter(pk=notice.event.subject_id).update(**warning)
    Event.objects.filter(pk=notice.event_id).update(data={"rule": rule})
    return notice


def acts(client):
    return [[act.label for act in row.acts] for row in client.get(INBOX).context["rows"]]


@pytest.mark.parametrize(
    ("kind", "rule", "offered", "words"),
    [
        ("job.warned", "idle", ["Extend", "Stop"], "Use it again or extend it, and the stop is called off."),
        (
            "job.checkin",
            "checkin_unanswered",
            ["Still in use", "Stop"],
            "Say that it is still in use, and it goes on.",
        ),
        ("job.warned", "schedule", ["Stop"], "The team&#x27;s schedule stops it. An admin can change that."),
    ],
)
def test_a_warning_says_what_calls_the_stop_off_and_offers_it(client, team, kind, rule, offered, words):
    notice = warned(team, kind, rule)
    page = html(client.get(INBOX))
    assert acts(client) == [offered]
    assert words in page
    assert "$0.69/h" in page
    for name in re.findall(rf'href="[^"]*{notice.event.subject_id}/(ask/[a-z-]+/)"', page):
        assert (
            client.get(reverse("web:job", args=[team.slug, notice.event.subject_id]) + name).status_code
            == 200
        )


def test_only_the_newest_warning_of_a_stop_that_still_comes_offers_anything(client, team):
    notice = warned(team)
    subject = Job.objects.get(pk=notice.event.subject_id)
    make.make_event(team, "job.reminded", subject, "Soon.", audience="job_owner")
    outbox.fan_out(timezone.now())
    assert acts(client) == [["Extend", "Stop"], []]
    Job.objects.update(warned_at=None, warned_for=None)
    assert acts(client) == [[], []]
    assert "the stop is called off" not in html(client.get(INBOX))


def test_who_may_only_look_is_offered_nothing(client, team):
    warned(team)
    Membership.objects.update(role="viewer")
    assert acts(client) == [[]]


def test_one_or_all_are_marked_as_read(client, team):
    one, two, three = tell(team), tell(team), tell(team)
    assert count(html(client.get(INBOX))) == 3
    client.post(reverse("web:inbox-read", args=[two.pk]))
    assert rows(client) == [(three.pk, True), (two.pk, False), (one.pk, True)]
    assert count(html(client.get(INBOX))) == 2
    assert rows(client, "?show=unread") == [(three.pk, True), (one.pk, True)]
    client.post(reverse("web:inbox-read-all"))
    assert rows(client, "?show=unread") == []
    assert "Mark all as read" not in html(client.get(INBOX))


def test_pages_go_on_where_the_last_ended(client, team, monkeypatch):
    monkeypatch.setattr(inbox, "PAGE_SIZE", 2)
    made = [tell(team).pk for _ in range(3)]
    page = html(client.get(INBOX))
    older = re.search(r'href="(\?before=\d+)"', page)[1]
    assert [pk for pk, _ in rows(client)] == made[:0:-1]
    assert [pk for pk, _ in rows(client, older)] == made[:1]


@pytest.mark.parametrize("query", ["?before=x", "?before=-1", "?before=" + "9" * 30, "?show=x", "?before=²"])
def test_any_address_is_taken(client, team, query):
    tell(team)
    assert len(rows(client, query)) == 1


def test_without_notices_it_says_what_will_come(client, team):
    assert "No notices" in html(client.get(INBOX))
    assert "Everything is read" in html(client.get(f"{INBOX}?show=unread"))


def test_nobody_sees_or_reads_what_is_told_to_others(client, team):
    notice = tell(team)
    make.sign_in(client, make.make_member(team, "admin"))
    assert rows(client) == []
    assert count(html(client.get(INBOX))) == 0
    for name in ("inbox-open", "inbox-read"):
        assert client.post(reverse(f"web:{name}", args=[notice.pk])).status_code == 404
        assert client.post(reverse(f"web:{name}", args=[notice.pk + 99])).status_code == 404
    client.post(reverse("web:inbox-read-all"))
    notice.refresh_from_db()
    assert notice.read_at is None


def test_who_left_the_team_sees_its_notices_no_more(client, team):
    notice = tell(team)
    make.make_team("Mine", owner=make.owner_of(team))
    Membership.objects.filter(team=team).delete()
    assert rows(client) == []
    assert count(html(client.get(INBOX))) == 0
    assert client.post(reverse("web:inbox-open", args=[notice.pk])).status_code == 404


def test_in_no_team_it_is_empty(client):
    make.sign_in(client, make.make_user())
    assert client.get(INBOX).status_code == 200


@pytest.mark.parametrize("name", ["inbox-open", "inbox-read", "inbox-read-all"])
def test_reading_is_a_post(client, team, name):
    notice = tell(team)
    args = [] if name == "inbox-read-all" else [notice.pk]
    for method in ("get", "head", "put", "delete"):
        assert getattr(client, method)(reverse(f"web:{name}", args=args)).status_code == 405


def test_it_needs_signing_in(client):
    for url in (INBOX, reverse("web:inbox-read-all"), reverse("web:inbox-open", args=[1])):
        assert client.post(url)["Location"].startswith("/account/login/")


def test_a_page_of_notices_asks_for_its_jobs_once(client, team, django_assert_max_num_queries):
    for _ in range(5):
        tell(team)
    client.get(INBOX)
    with django_assert_max_num_queries(14):
        client.get(INBOX)
