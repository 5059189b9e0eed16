"""Auto-stop on the launch form: what is chosen, inside the team's bounds, and what the form says becomes of the job."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from dispersed_web.autostop import choices
from dispersed_web.jobs.launch import StopChoices
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import AutostopPolicy
from tests import factories
from tests.web.launch_forms import (
    RTX_5090,
    address,
    faults,
    member,
    only_job,
    opened,
    send,
    text_of,
    with_market,
)

pytestmark = pytest.mark.django_db
CHOSEN = {
    "idle_limit": "45m",
    "checkin_every": "2h",
    "uses_logs": "on",
    "log_noise": "GET /health\nping",
    "budget_usd": "20",
    "rate_cap_usd": "1.5",
}


@pytest.fixture
def team(client):
    return member(client)[0]


@pytest.fixture
def fields(client, team):
    return opened(client, team) | {"title": "T", "image": "org/i", "task": "PERSISTENT"}


def set_policy(team, **values):
    AutostopPolicy.objects.update_or_create(team=team, defaults=values)


def outlook(client, team, fields, **changes):
    """What the form says beside the Launch button, in one line."""
    values = fields | changes
    return text_of(
        client.get(address(team, "launch-estimate"), {k: v for k, v in values.items() if k != "form_token"})
    )


def test_what_is_chosen_goes_with_the_job(client, team, fields):
    assert send(client, team, fields, **CHOSEN).status_code == 302
    expected = StopChoices(2700, 7200, True, ("GET /health", "ping"), Decimal(20), Decimal("1.5"))
    assert choices.of(only_job()) == expected


def test_left_alone_the_team_decides(client, team, fields):
    send(client, team, fields)
    assert choices.of(only_job()) == StopChoices()


def test_a_batch_job_has_only_money_to_choose(client, team, fields):
    assert send(client, team, fields, **CHOSEN | {"idle_limit": "nonsense"}, task="BATCH").status_code == 302
    assert choices.of(only_job()) == StopChoices(budget_usd=Decimal(20), rate_cap_usd=Decimal("1.5"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"idle_limit": "9h"}, "idle_limit"),
        ({"idle_limit": "10s"}, "idle_limit"),
        ({"checkin_every": "13h"}, "checkin_every"),
        ({"budget_usd": "0"}, "budget_usd"),
        ({"rate_cap_usd": "x"}, "rate_cap_usd"),
        ({"log_noise": "x" * 201}, "log_noise"),
    ],
)
def test_the_teams_bounds_hold_beside_the_field(client, team, fields, changes, field):
    answer = send(client, team, fields, **changes)
    assert answer.status_code == 422
    assert list(faults(answer)) == [field]
    assert not Job.objects.exists()


def test_the_bounds_move_with_the_policy(client, team, fields):
    set_policy(team, high_idle_max_s=24 * 3600)
    assert send(client, team, fields, idle_limit="20h").status_code == 302
    page = text_of(client.get(address(team)))
    assert "At most 24 h by heartbeat, 8 h by log" in page


def test_launch_again_keeps_them_as_far_as_the_team_allows(client, team, fields):
    send(client, team, fields, **CHOSEN)
    job = only_job()
    again = opened(client, team, f"?again={job.pk}")
    kept = {name: again[name][0] for name in CHOSEN}
    assert kept == CHOSEN | {"budget_usd": "20.00", "rate_cap_usd": "1.5000"}
    set_policy(team, high_idle_s=600, high_idle_max_s=1200, medium_idle_s=600, medium_idle_max_s=1200)
    assert opened(client, team, f"?again={job.pk}")["idle_limit"] == ["20m"]


def test_launch_again_does_not_keep_a_cap_that_nobody_chose(client, team):
    job = factories.make_job(team, quoted_usd=Decimal("0.69"), rate_cap_usd=Decimal("1.38"))
    assert opened(client, team, f"?again={job.pk}")["rate_cap_usd"] == [""]


def test_the_same_form_with_another_limit_is_another_launch(client, team, fields):
    assert send(client, team, fields, idle_limit="45m").status_code == 302
    assert send(client, team, fields, idle_limit="45m").status_code == 302
    assert send(client, team, fields, idle_limit="50m").status_code == 409
    assert only_job().idle_limit_s == 2700


class TestWhatBecomesOfIt:
    @pytest.fixture(autouse=True)
    def enforced(self, team):
        set_policy(team, mode="enforce", observe_until=None)

    def test_where_nothing_tells_one_is_asked_and_the_heartbeat_spares_that(self, client, team, fields):
        text = outlook(client, team, fields)
        assert (
            "You are asked after 2 h whether it is still used, because nothing tells, and then every 4 h."
            in text
        )
        assert "Without an answer within 30 min it stops." in text
        assert "Turn on the heartbeat to be spared: then it is stopped after 1 h without use" in text
        assert "only noted" not in text

    def test_ones_own_choices_are_in_it(self, client, team, fields):
        text = outlook(client, team, fields, idle_limit="40m", checkin_every="90m")
        assert "asked after 1 h 30 min" in text
        assert "every 1 h 30 min" in text
        assert "stopped after 40 min without use" in text

    def test_by_its_log(self, client, team, fields):
        text = outlook(client, team, fields, uses_logs="on")
        assert "Stopped after 1 h 30 min without new log lines, warned 20 min before." in text
        assert "You are asked" not in text
        assert "Stopped after 30 min" in outlook(client, team, fields, uses_logs="on", idle_limit="30m")

    def test_who_is_stopped_before_is_not_asked(self, client, team, fields):
        assert "You are asked" not in outlook(client, team, fields, lifetime="1h")

    def test_observing_is_said(self, client, team, fields):
        set_policy(team, mode="observe", observe_until=timezone.now() + dt.timedelta(days=3))
        assert "Stops for idleness are only noted in this team until" in outlook(client, team, fields)
        set_policy(team, mode="observe", observe_until=None)
        assert "only noted in this team for now." in outlook(client, team, fields)

    def test_a_batch_job_is_not_asked(self, client, team, fields):
        text = outlook(client, team, fields, task="BATCH")
        assert "asked" not in text
        assert "without use" not in text


class TestMoney:
    @pytest.fixture(autouse=True)
    def priced(self, team):
        with_market(team)

    def test_it_costs_at_most_its_lifetime(self, client, team, fields):
        text = outlook(client, team, fields, gpu=RTX_5090, lifetime="10h")
        assert "Costs at most $7.50 until" in text
        assert "(10 h)" in text

    def test_its_own_budget_ends_it_sooner(self, client, team, fields):
        text = outlook(client, team, fields, gpu=RTX_5090, lifetime="24h", budget_usd="2")
        assert "Costs at most $2.00 until" in text
        assert "(its own budget)" in text
        assert "(its own budget)" not in outlook(client, team, fields, gpu=RTX_5090, budget_usd="5000")

    def test_the_weekly_stop_ends_it_sooner(self, client, team, fields):
        soon = timezone.now() + dt.timedelta(hours=2)
        stops = [{"weekdays": [soon.weekday()], "at": f"{soon:%H:%M}"}]
        set_policy(team, schedule={"zone": "UTC", "stops": stops})
        text = outlook(client, team, fields, gpu=RTX_5090, lifetime="24h")
        assert "(the team’s weekly stop)" in text

    def test_the_cap_is_stated(self, client, team, fields):
        assert "costs more than $2.50/h" in outlook(client, team, fields, gpu=RTX_5090, rate_cap_usd="2.5")
        usual = outlook(client, team, fields, gpu=RTX_5090)
        assert "Stopped if the node costs more than $" in usual
        send(client, team, fields, gpu=RTX_5090)
        assert f"${only_job().rate_cap_usd:.2f}/h" in usual
