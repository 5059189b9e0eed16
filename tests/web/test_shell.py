"""The frame around every page: what it says of the whole team, and where it stays silent."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from dispersed_web.autostop.models import Engine
from dispersed_web.jobs import sweeps
from dispersed_web.web import shell
from dispersed_web.web.banners import Banner, digest, folded
from dispersed_web.web.cache import ForgivingRedisCache
from dispersed_web.web.words import said, since
from tests import factories

pytestmark = pytest.mark.django_db
OLD = "What is shown of the jobs is a while old. Dispersed cannot be reached."


@pytest.fixture
def job(client):
    team = factories.make_team()
    factories.make_credential(
        team,
        listed_at=timezone.now() - dt.timedelta(minutes=20),
        failures=3,
        failure="Dispersed cannot be reached.",
    )
    factories.sign_in(client, factories.owner_of(team))
    return factories.make_job(team)


@pytest.mark.parametrize("name", ["team-home", "team", "launch"])
def test_a_page_that_does_not_say_how_old_the_jobs_are_has_a_banner(client, job, name):
    assert OLD in client.get(reverse(f"web:{name}", args=[job.team.slug])).content.decode()


def test_pages_that_say_it_themselves_have_none(client, job):
    for address in (
        reverse("web:jobs", args=[job.team.slug]),
        reverse("web:job", args=[job.team.slug, job.pk]),
        reverse("web:job-spec", args=[job.team.slug, job.pk]),
    ):
        text = client.get(address).content.decode()
        assert "What is shown of the jobs" not in text
        assert text.count("Dispersed cannot be reached.") == 1


@pytest.mark.parametrize(
    ("count", "said"), [(1, "show 1 running job any more"), (2, "show 2 running jobs any more")]
)
def test_jobs_that_were_lost_sight_of_are_said_everywhere(client, count, said):
    team = factories.make_team()
    factories.sign_in(client, factories.owner_of(team))
    now = timezone.now()
    for _ in range(count):
        factories.make_job(team, missing_since=now, missing_alarmed_at=now)
    assert said in client.get(reverse("web:me")).content.decode()


# What keeps auto-stop from working -----------------------------------------------------------------------------------


@pytest.fixture
def team(client):
    """A team with a running job, whose background work is on time."""
    team = factories.make_team()
    factories.sign_in(client, factories.owner_of(team))
    factories.make_job(team)
    for name in sweeps.NEEDED:
        sweeps.note_finished(name, timezone.now())
    return team


def banners(client) -> list[tuple[str, str]]:
    """The level and the words of each banner on a page that has nothing to do with jobs."""
    html = client.get(reverse("web:me")).content.decode()
    section = re.search(r'<section id="banners".*?</section>', html, re.DOTALL)[0]
    found = re.findall(r'class="banner banner-(alarm|warning|info)"[^>]*>(.*?)</div>', section, re.DOTALL)
    texts = [(level, re.sub(r"<[^>]+>", "", body).replace("\u00a0", " ")) for level, body in found]
    return [(level, " ".join(text.split())) for level, text in texts if "No connection" not in text]


def minutes_ago(minutes: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(minutes=minutes)


def test_without_trouble_nothing_stands_above_the_page(client, team):
    assert banners(client) == []


def test_a_late_engine_is_said_with_what_it_means_and_what_to_do(client, team):
    sweeps.Sweep.objects.filter(name="autostop").update(finished_at=minutes_ago(4))
    ((level, text),) = banners(client)
    assert level == "alarm"
    assert "has stood still for 4 min: no limit is checked." in text
    assert "Jobs go on and cost money" in text
    assert "must start it again" in text


def test_a_stop_that_is_not_confirmed_is_an_alarm_with_its_cost(client, team):
    factories.make_job(team, stop_requested_at=minutes_ago(4))
    assert banners(client) == [
        (
            "alarm",
            "1 job does not stop although it was asked for, and may still cost money, up to $0.69/h. Look",
        )
    ]


@pytest.mark.parametrize(
    ("ok", "failed", "is_told"), [(9, 0, True), (0, 9, False), (None, 0, False), (9, None, False)]
)
def test_heartbeats_that_cannot_arrive_are_said(client, team, ok, failed, is_told):
    Engine.objects.create(
        receiver_ok_at=None if ok is None else minutes_ago(ok),
        receiver_failed_at=None if failed is None else minutes_ago(failed),
        receiver_error="another server answered",
    )
    found = banners(client)
    assert bool(found) == is_told
    if is_told:
        assert found[0][0] == "warning"
        assert "have not reached this server for 9 min: another server answered." in found[0][1]


def test_that_idleness_is_counted_anew_is_said_for_an_hour(client, team):
    engine = Engine.objects.create(trusted_since=minutes_ago(12), why="auto-stop did not run for 5 minutes")
    ((level, text),) = banners(client)
    assert level == "info"
    assert text.startswith(
        "Idleness has been counted anew for 12 min, because auto-stop did not run for 5 minutes."
    )
    engine.trusted_since = minutes_ago(61)
    engine.save()
    team.bump(team.pk)
    assert banners(client) == []


def test_a_team_that_auto_stop_does_not_watch_hears_nothing_of_its_troubles(client, team):
    Engine.objects.create(
        trusted_since=minutes_ago(1), receiver_ok_at=minutes_ago(9), receiver_failed_at=minutes_ago(0)
    )
    team.jobs.update(task="BATCH")
    assert banners(client) == []


@pytest.mark.parametrize(("offset_ms", "count"), [(29_000, 0), (-45_000, 1)])
def test_a_clock_that_is_off_is_said(client, team, offset_ms, count):
    team.credentials.update(clock_offset_ms=offset_ms)
    found = banners(client)
    assert len(found) == count
    if count:
        assert "differ by 45 s" in found[0][1]
        assert "no job is stopped for idleness" in found[0][1]


def test_alarms_stand_before_warnings_and_warnings_before_news(client, team):
    Engine.objects.create(
        trusted_since=minutes_ago(1), receiver_ok_at=minutes_ago(9), receiver_failed_at=minutes_ago(0)
    )
    factories.make_job(team, stop_requested_at=minutes_ago(4))
    team.credentials.update(clock_offset_ms=45_000)
    assert [level for level, _ in banners(client)] == ["alarm", "warning", "warning", "info"]


def test_alarms_of_several_keys_are_folded_and_that_of_jobs_that_run_on_stands_open(client, team):
    factories.make_job(team, stop_requested_at=minutes_ago(4))
    for _ in range(2):
        factories.make_credential(team, state="broken", failure="It was revoked.")
    html = client.get(reverse("web:me")).content.decode()
    opened, folded = html[: html.index("</section>")].split('class="banners-more"')
    assert "does not stop although" in opened
    assert "It was revoked." not in opened
    assert (folded.count("It was revoked."), "2 more alarms" in folded) == (2, True)


@pytest.mark.parametrize(
    ("alarms", "shown", "more"),
    [
        ([], "", ""),
        (["stops"], "stops", ""),
        (["stops", "late", "missing", "held"], "stops late missing held", ""),
        (["stops", "key 1"], "stops key 1", ""),
        (["stops", "key 1", "key 2"], "stops", "key 1 key 2"),
        (["key 1", "late", "key 2", "stops"], "late stops", "key 1 key 2"),
        (["key 1", "key 2"], "key 1 key 2", ""),
        (["key 1", "key 2", "key 3"], "key 1", "key 2 key 3"),
    ],
)
def test_what_costs_money_is_never_folded(alarms, shown, more):
    found = [Banner("alarm", said(name), folds=name.startswith("key")) for name in alarms]
    open_ones, folded_ones = folded([*found, Banner("warning", said("clocks"))])
    assert (words_of(open_ones), words_of(folded_ones)) == (shown, more)


def words_of(found: list[Banner]) -> str:
    return " ".join(one.text.before for one in found)


def test_a_long_alarm_is_cut_and_said_in_full_when_asked(client, team):
    for number in range(7):
        factories.make_job(team, title=f"A run with a title of some words, number {number}")
    team.credentials.update(state="broken", failure="It was revoked.")
    assert (
        '<details class="banner-text"><summary><span>8 running jobs'
        in client.get(reverse("web:me")).content.decode()
    )


def test_a_live_part_names_other_banners_than_the_page_shows_and_they_are_fetched(client, team):
    address = reverse("web:jobs", args=[team.slug])
    html = client.get(address).content.decode()
    shown, url = re.search(r'data-shown="(\w+)" data-url="([^"]+)"', html).groups()

    def named() -> str:
        part = client.get(address, headers={"HX-Request": "true"})
        return json.loads(part["HX-Trigger"])["frame"]["banners"]

    assert named() == shown
    factories.make_job(team, stop_requested_at=minutes_ago(4))
    team.bump(team.pk)
    assert named() != shown
    fetched = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert fetched.startswith('<section id="banners"')
    assert "1 job does not stop" in fetched
    assert f'data-shown="{named()}"' in fetched


def test_the_age_of_old_data_is_left_out_where_the_page_says_it(client, job):
    assert OLD not in client.get(reverse("web:banners", args=[job.team.slug]) + "?age=said").content.decode()
    assert OLD in client.get(reverse("web:banners", args=[job.team.slug])).content.decode()


def test_banners_are_for_members(client, team):
    factories.sign_in(client, factories.make_user())
    assert client.get(reverse("web:banners", args=[team.slug])).status_code == 404


def test_how_the_installation_stands_is_read_once_for_all_teams(
    redis_server, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(ForgivingRedisCache, "_down_until", 0.0)
    cache.clear()
    sweeps.note_finished("autostop", timezone.now())
    first = shell.standing()
    assert first.acts
    assert set(first.finished) == {"autostop"}
    with django_assert_num_queries(0):
        assert shell.standing() == first


def test_time_that_passes_is_no_other_banner():
    def shown(minutes: int) -> str:
        text = since(minutes_ago(minutes), timezone.now(), "Held for ")
        return digest([Banner("alarm", text, "/holds/1/")])

    assert shown(1) == shown(9)
    assert shown(1) != digest([Banner("alarm", said("Held for "), "/holds/2/")])


@pytest.mark.parametrize("page", ["home", "job", "job-activity", "job-logs"])
def test_a_part_of_a_page_keeps_the_margin_true(client, page):
    team = factories.make_team()
    job = factories.make_job(team)
    factories.sign_in(client, factories.owner_of(team))
    sweeps.note_finished("autostop", timezone.now())
    address = reverse("web:team-home", args=[team.slug]) if page == "home" else ""
    address = address or reverse(f"web:{page}", args=[team.slug, job.pk])
    answer = client.get(address, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    news = json.loads(answer["HX-Trigger"])
    assert news["shell"]["active_jobs"] == 1
    assert {"synced_at", "checked_at"} <= news["shell"].keys()
