"""The pages of a team's auto-stop: who sees and changes it, what is saved, what is tried, what is refused."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.autostop.models import ObservedStop
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job
from dispersed_web.signals.models import Bucket, bucket_start
from dispersed_web.teams.models import AutostopPolicy
from tests import factories as make

pytestmark = pytest.mark.django_db
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)


@pytest.fixture
def team(client):
    team = make.make_team("Vision Lab")
    make.sign_in(client, make.owner_of(team))
    return team


def url(team, name=""):
    return reverse(f"web:autostop{name}", args=[team.slug])


def html(answer):
    return answer.content.decode().replace("\u00a0", " ")


def policy_of(team):
    return AutostopPolicy.of(team.pk)


def typed(team, *stops, **changes):
    """The form as a browser sends it with what holds now, each stop as (days, time)."""
    row = policy_of(team)
    until = row.observe_until or timezone.now() + dt.timedelta(days=7)
    fields = {
        "version": row.version,
        "mode": "enforce" if row.mode == "enforce" else "until" if row.observe_until else "observe",
        "observe_until": f"{until:%Y-%m-%dT%H:%M}",
        "high_idle_s": "1h",
        "high_idle_max_s": "8h",
        "high_lead_s": "15 min",
        "medium_idle_s": "90 min",
        "medium_idle_max_s": "8h",
        "medium_lead_s": "20m",
        "boot_grace_s": "20m",
        "checkin_first_s": "2h",
        "checkin_every_s": "4h",
        "checkin_every_max_s": "12h",
        "checkin_answer_s": "30m",
        "zone": "Europe/Berlin",
        "budget_stops": "on",
        "stops-TOTAL_FORMS": len(stops) + 1,
        "stops-INITIAL_FORMS": 0,
    }
    for number, (days, at) in enumerate([*stops, ((), "")]):
        fields |= {f"stops-{number}-weekdays": list(days), f"stops-{number}-at": at}
    return fields | changes


def save(client, team, *stops, **changes):
    return client.post(url(team, "-change"), typed(team, *stops, save="yes", **changes))


# Who may --------------------------------------------------------------------------------------------------------------

ADDRESSES = [("", "get"), ("-change", "get"), ("-change", "post"), ("-enforce", "post"), ("-read", "post")]


@pytest.mark.parametrize(("name", "method"), ADDRESSES)
@pytest.mark.parametrize("role", ["viewer", "member", "admin", "owner"])
def test_everybody_in_the_team_sees_it_and_admins_change_it(client, team, name, method, role):
    make.sign_in(client, make.make_member(team, role))
    may = name == "" or role in ("admin", "owner")
    answer = getattr(client, method)(url(team, name))
    assert (answer.status_code == 403) != may
    assert may or policy_of(team).version == 1


@pytest.mark.parametrize(("name", "method"), ADDRESSES)
def test_a_stranger_sees_nothing(client, team, name, method):
    make.sign_in(client, make.owner_of(make.make_team()))
    assert getattr(client, method)(url(team, name)).status_code == 404
    client.logout()
    assert getattr(client, method)(url(team, name)).status_code == 302


@pytest.mark.parametrize("name", ["-enforce", "-read"])
def test_acts_are_posts(client, team, name):
    assert client.get(url(team, name)).status_code == 405


def test_who_may_not_change_it_is_offered_nothing(client, team):
    page = html(client.get(url(team)))
    assert url(team, "-change") in page
    assert url(team, "-enforce") in page
    make.sign_in(client, make.make_member(team, "viewer"))
    page = html(client.get(url(team)))
    assert "A machine whose heartbeat is quiet for 1 h is stopped" in page
    assert url(team, "-change") not in page
    assert url(team, "-enforce") not in page


def test_it_is_found_in_the_navigation_and_on_the_team_page(client, team):
    for name in ("team-home", "team"):
        assert f'href="{url(team)}"' in html(client.get(reverse(f"web:{name}", args=[team.slug])))


# Saving ---------------------------------------------------------------------------------------------------------------


def test_what_is_typed_holds(client, team):
    answer = save(
        client,
        team,
        (("0", "4"), "18:00"),
        (("5",), "12:30"),
        mode="enforce",
        high_idle_s="45 min",
        checkin_first_s="1h30",
        team_day_usd="25",
        member_month_usd="400.50",
    )
    assert (answer.status_code, answer.url) == (302, url(team))
    row = policy_of(team)
    assert (row.mode, row.observe_until) == ("enforce", None)
    assert (row.high_idle_s, row.checkin_first_s) == (2700, 5400)
    assert (row.team_day_usd, row.member_month_usd, row.team_month_usd) == (25, Decimal("400.50"), None)
    stops = [{"weekdays": [0, 4], "at": "18:00"}, {"weekdays": [5], "at": "12:30"}]
    assert row.schedule == {"zone": "Europe/Berlin", "stops": stops}
    page = html(client.get(url(team)))
    assert "Monday and Friday at 18:00 and Saturday at 12:30 (Europe/Berlin)" in page
    assert "quiet for 45 min" in page


def test_the_form_shows_what_holds_and_saved_as_it_stands_changes_nothing(client, team):
    save(client, team, (("2",), "07:05"), mode="observe", high_idle_s="2h")
    page = html(client.get(url(team, "-change")))
    assert 'value="2h"' in page
    assert 'value="07:05"' in page
    assert re.search(r'value="observe" checked', page)
    assert re.search(r'value="2" id="[^"]*" checked', page)
    before = policy_of(team)
    again = typed(team, (("2",), "07:05"), mode="observe", high_idle_s="2h")
    assert client.post(url(team, "-change"), again).status_code == 302
    assert policy_of(team).version == before.version
    assert Event.objects.filter(kind="team.autostop_changed").count() == 1


def test_the_end_of_observing_is_not_moved_by_saving_something_else(client, team):
    until = policy_of(team).observe_until
    save(client, team, high_idle_s="2h")
    assert policy_of(team).observe_until == until
    assert Event.objects.get(kind="team.autostop_changed").data["after"] == {"high_idle_s": 7200}


def test_observing_ends_on_the_clock_of_whoever_sets_it(client, team):
    user = make.owner_of(team)
    user.time_zone = "Asia/Tokyo"
    user.save()
    day = (timezone.now() + dt.timedelta(days=3)).date()
    save(client, team, mode="until", observe_until=f"{day}T09:00")
    assert policy_of(team).observe_until == dt.datetime.combine(day, dt.time(0), dt.UTC)


def test_a_removed_stop_is_gone(client, team):
    save(client, team, (("0",), "18:00"), (("1",), "19:00"))
    save(client, team, (("0",), "18:00"), (("1",), "19:00"), **{"stops-0-DELETE": "on"})
    assert policy_of(team).schedule["stops"] == [{"weekdays": [1], "at": "19:00"}]
    save(client, team, (("1",), "19:00"), **{"stops-0-DELETE": "on"})
    assert policy_of(team).schedule is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"high_idle_s": "soon"}, "high_idle_s"),
        ({"high_idle_s": ""}, "high_idle_s"),
        ({"high_idle_s": "0"}, "high_idle_s"),
        ({"high_idle_s": "9h"}, "high_idle_max_s"),
        ({"high_lead_s": "60m"}, "high_lead_s"),
        ({"boot_grace_s": "0m"}, "boot_grace_s"),
        ({"checkin_every_s": "13h"}, "checkin_every_max_s"),
        ({"mode": "until", "observe_until": ""}, "observe_until"),
        ({"mode": "until", "observe_until": "2020-01-01T00:00"}, "observe_until"),
        ({"mode": "never"}, "mode"),
        ({"team_day_usd": "0"}, "team_day_usd"),
        ({"team_day_usd": "NaN"}, "team_day_usd"),
        ({"zone": "Mars/Olympus", "stops-0-weekdays": ["0"], "stops-0-at": "18:00"}, "zone"),
    ],
)
def test_a_fault_stands_beside_its_field_and_what_was_typed_is_kept(client, team, changes, field):
    answer = save(client, team, medium_idle_s="77 min", **changes)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert 'value="77 min"' in html(answer)
    assert policy_of(team).version == 1


@pytest.mark.parametrize(
    ("days", "at", "field"), [(("0",), "", "at"), ((), "18:00", "weekdays"), (("0",), "25:00", "at")]
)
def test_half_a_stop_is_a_fault(client, team, days, at, field):
    answer = save(client, team, (days, at))
    assert answer.status_code == 422
    assert list(answer.context["form"].stops.errors[0]) == [field]
    assert policy_of(team).schedule is None


def test_who_saves_after_somebody_else_is_told_and_can_save_then(client, team):
    mine = typed(team, high_idle_s="2h")
    save(client, team, checkin_answer_s="45m")
    refused = client.post(url(team, "-change"), mine)
    assert refused.status_code == 422
    page = html(refused)
    assert "Somebody changed the policy meanwhile" in page
    assert "changed the auto-stop policy: check-ins." in page
    assert 'value="2h"' in page
    assert policy_of(team).high_idle_s == 3600
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    assert client.post(url(team, "-change"), mine | {"version": version}).status_code == 302
    assert policy_of(team).high_idle_s == 7200


def test_a_stop_that_somebody_else_typed_too_is_not_lost(client, team):
    mine = typed(team, (("0",), "18:00"))
    save(client, team, (("0",), "18:00"))
    version = re.search(r'name="version" value="(\d+)"', html(client.post(url(team, "-change"), mine)))[1]
    client.post(url(team, "-change"), mine | {"version": version})
    assert policy_of(team).schedule["stops"] == [{"weekdays": [0], "at": "18:00"}]


def test_an_admin_is_told_that_only_owners_raise_a_budget(client, team):
    save(client, team, team_day_usd="10")
    make.sign_in(client, make.make_member(team, "admin"))
    answer = save(client, team, team_day_usd="11")
    assert answer.status_code == 422
    assert "Only an owner may raise or lift a budget" in answer.context["form"].errors["team_day_usd"][0]
    assert save(client, team, team_day_usd="9").status_code == 302


class TestThePasswordIsAskedForAgain:
    @pytest.fixture(autouse=True)
    def signed_in_long_ago(self, client, team):
        client.logout()
        client.force_login(make.owner_of(team))

    def test_to_save_but_neither_to_try_nor_to_enforce(self, client, team):
        assert "Your password" in html(client.get(url(team, "-change")))
        assert save(client, team, high_idle_s="2h").status_code == 422
        assert policy_of(team).high_idle_s == 3600
        tried = client.post(url(team, "-change"), typed(team, high_idle_s="2h") | {"try": "yes"})
        assert tried.status_code == 200
        assert "Your password" in html(tried)
        assert client.post(url(team, "-enforce")).status_code == 302
        assert policy_of(team).mode == "enforce"

    def test_with_it_the_policy_is_saved(self, client, team):
        assert save(client, team, high_idle_s="2h", password=make.PASSWORD).status_code == 302
        assert policy_of(team).high_idle_s == 7200

    def test_it_is_never_sent_back(self, client, team):
        for answer in (
            save(client, team, password="not-it-7281"),
            client.post(url(team, "-read"), typed(team, password="not-it-7281")),
            client.post(url(team, "-change"), typed(team, password="not-it-7281") | {"try": "yes"}),
        ):
            assert "not-it-7281" not in html(answer)


def test_enforcing_is_one_click_and_moves_the_jobs(client, team):
    job = make.make_job(team)
    page = html(client.get(url(team)))
    assert "stops for idleness are only noted" in page
    answer = client.post(url(team, "-enforce"), follow=True)
    assert "Stops for idleness are enforced now" in html(answer)
    assert Job.objects.get(pk=job.pk).limits_version == job.limits_version + 1
    assert "enforced already" in html(client.post(url(team, "-enforce"), follow=True))
    assert "Enforce now" not in html(client.get(url(team)))


# Trying, reading back -------------------------------------------------------------------------------------------------


def watched_run(team, title="Notebook", hours=8, busy=2, again=None):
    """A run that ended just now; its GPU worked for ``busy`` hours, and once more after ``again`` hours."""
    end = bucket_start(timezone.now())
    begin = end - hours * HOUR
    job = make.make_job(
        team, "COMPLETED", title=title, now=end, running_at=begin, launched_at=begin, ended_at=end
    )
    run = make.make_run(job, running_at=begin, started_at=begin, ended_at=end)
    rows = []
    for slot in range(hours * 12):
        start = begin + slot * 5 * MINUTE
        works = slot < busy * 12 or (again is not None and again * 12 <= slot < again * 12 + 6)
        last = start + 4 * MINUTE
        use = {"gpu_top": 90, "gpu_busy": 5, "gpu_at": last} if works else {"gpu_top": 0}
        rows.append(
            Bucket(
                run=run,
                source="heartbeat",
                start=start,
                count=5,
                first_at=start,
                last_at=last,
                gap=MINUTE,
                **use,
            )
        )
    Bucket.objects.bulk_create(rows)
    return job


def test_a_draft_is_tried_and_nothing_is_saved(client, team):
    watched_run(team)
    watched_run(team, "Sweep", again=3.25)
    answer = client.post(url(team, "-change"), typed(team, high_idle_s="30m") | {"try": "yes"})
    assert answer.status_code == 200
    tried = answer.context["tried"]
    assert (tried.totals.runs, tried.totals.stops, tried.totals.false_stops) == (2, 2, 1)
    assert tried.totals.saved_usd == pytest.approx(Decimal("0.69") * Decimal("5.5"), abs=Decimal("0.08"))
    limits = {line.limit.replace("\u00a0", " "): line.false_stops for line in answer.context["tried_limits"]}
    assert limits == {"30 min": 1, "1 h": 1, "1 h 30 min": 0, "2 h": 0}
    page = html(answer)
    assert "Used again after 49 min" in page or "Used again after 50 min" in page
    assert "GPU 90 %" in page
    assert 'value="30m"' in page
    assert policy_of(team).high_idle_s == 3600
    assert page.index("Sweep") < page.index("Notebook"), "false stops come first"


def test_another_teams_runs_are_not_tried_on(client, team):
    watched_run(make.make_team())
    answer = client.post(url(team, "-change"), typed(team) | {"try": "yes"})
    assert "No persistent job ran in the last 30 days." in html(answer)


def test_a_draft_with_a_fault_is_not_tried(client, team):
    answer = client.post(url(team, "-change"), typed(team, high_idle_s="soon") | {"try": "yes"})
    assert answer.status_code == 422
    assert "tried" not in answer.context


def test_what_is_typed_is_read_back(client, team):
    read = html(
        client.post(url(team, "-read"), typed(team, (("6",), "23:00"), high_idle_s="30m", mode="observe"))
    )
    assert "quiet for 30 min is stopped" in read
    assert "Sunday at 23:00 (Europe/Berlin)" in read
    assert "Stops for idleness are only noted" in read
    assert "<html" not in read
    assert "not complete yet" in html(client.post(url(team, "-read"), typed(team, high_idle_s="")))


# What it did ----------------------------------------------------------------------------------------------------------


def observed(team, title, hours, again=None):
    job = make.make_job(team, title=title, created_at=timezone.now() - (hours + 2) * HOUR)
    at = timezone.now() - hours * HOUR
    used = {"used_again_at": at + again * HOUR, "used_again": "GPU 88 %"} if again else {}
    return ObservedStop.objects.create(
        team=team,
        job=job,
        at=at,
        quiet_since=at - HOUR,
        sentence="Idle.",
        hourly_rate_usd=Decimal("1.00"),
        **used,
    )


def test_stops_that_were_only_observed_are_listed_with_what_became_of_them(client, team):
    assert "Nothing yet" in html(client.get(url(team)))
    observed(team, "Left alone", 3)
    observed(team, "Used again", 10, again=2)
    observed(make.make_team(), "Of others", 3)
    page = html(client.get(url(team)))
    assert "Not used since" in page
    assert "Used again after 2 h 00 min" in page
    assert "GPU 88 %" in page
    assert "$3.00" in page
    assert "Of others" not in page
    totals = client.get(url(team)).context["observed_totals"]
    assert (totals.stops, totals.false_stops) == (2, 1)


def test_many_are_shown_in_part_first(client, team):
    for number in range(10):
        observed(team, f"Job {number:02}", number + 1)
    page = html(client.get(url(team)))
    assert "Show 2 more" in page
    assert "Job 09" not in page
    assert "Job 09" in html(client.get(url(team) + "?all"))


def test_savings_are_a_range_with_the_method_beside_them(client, team):
    owner = make.owner_of(team)
    ended_at = timezone.now() - 20 * HOUR
    job = make.make_job(
        team,
        "CANCELLED",
        reason="idle",
        ended_at=ended_at,
        launched_at=ended_at - HOUR,
        hourly_rate_usd=Decimal("1.00"),
    )
    make.make_event(team, "job.requested", job, actor=Actor.person(owner), now=ended_at + 4 * HOUR)
    page = html(client.get(url(team)))
    assert "$4.00 to $12.00" in page
    assert "The upper figure leaves the owner out of it" in page
