import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.autostop.models import ObservedStop
from dispersed_web.jobs.models import UnmanagedJob
from dispersed_web.teams.models import AutostopPolicy, Membership, Team
from tests import factories as make

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def team(client):
    team = make.make_team("Vision Lab")
    make.sign_in(client, make.owner_of(team))
    return team


def home(team):
    return reverse("web:team-home", args=[team.slug])


def text_of(answer):
    text = re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("\u00a0", " ")
    return " ".join(text.split())


def part(html, name):
    """The titles in one of the lists."""
    section = re.search(rf'aria-labelledby="{name}-title".*?</section>', html, re.DOTALL)
    return re.findall(r'class="row-title"[^>]*>([^<]+)<', section[0]) if section else []


def test_home_leads_to_the_team_one_was_in_last(client):
    user = make.make_user()
    first, second = (make.make_team(name, owner=user) for name in ("A", "B"))
    make.sign_in(client, user)
    assert client.get("/")["Location"] == home(first)
    client.get(home(second))
    assert client.get("/")["Location"] == home(second)
    Membership.objects.filter(team=second).delete()
    assert client.get("/")["Location"] == home(first)


def test_the_switcher_names_ones_own_teams_only(client, team):
    make.make_team("Mine too", owner=make.owner_of(team))
    make.make_team("Not mine")
    text = text_of(client.get(home(team)))
    assert "Mine too" in text
    assert "Not mine" not in text


def test_without_a_team_one_is_told_what_to_do(client):
    make.sign_in(client, make.make_user())
    answer = client.get("/")
    assert answer.status_code == 200
    assert "You are in no team yet" in text_of(answer)
    assert reverse("web:team-new") in answer.content.decode()


def test_anybody_makes_a_team_and_owns_it(client):
    user = make.sign_in(client, make.make_user())
    answer = client.post(reverse("web:team-new"), {"name": "Vision Lab"})
    team = Team.objects.get(name="Vision Lab")
    assert answer["Location"] == home(team)
    assert Membership.objects.get(team=team).user == user
    told = team.events.order_by("id").values_list("kind", flat=True)
    assert list(told) == ["team.created", "recipe.starters_given"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_team_needs_a_name(client, name):
    make.sign_in(client, make.make_user())
    assert client.post(reverse("web:team-new"), {"name": name}).status_code == 422
    assert not Team.objects.exists()


def test_to_make_a_team_one_signs_in(client):
    for method in ("get", "post"):
        assert getattr(client, method)(reverse("web:team-new"))["Location"].startswith("/account/login/")
    make.make_user()
    assert client.get("/")["Location"].startswith("/account/login/")


def test_the_first_steps_go_as_they_are_taken(client, team):
    user = make.sign_in(client, make.make_member(team))
    assert client.get(home(team)).context["steps"].done is False
    credential = make.make_credential(team)
    make.give_ssh_key(user, make.SSH_KEY)
    answer = client.get(home(team))
    assert "First steps" in text_of(answer)
    make.make_job(team, "COMPLETED", credential=credential)
    assert "First steps" not in text_of(client.get(home(team)))


def test_only_an_admin_is_offered_to_add_a_credential(client, team):
    add = reverse("web:credential-add", args=[team.slug])
    assert add in client.get(home(team)).content.decode()
    make.sign_in(client, make.make_member(team, "member"))
    assert add not in client.get(home(team)).content.decode()


def test_the_figures_count_what_bills_and_what_waits(client, team):
    now = timezone.now()
    other = make.make_member(team, "member")
    make.make_job(team, hourly_rate_usd=2)
    make.make_job(team, hourly_rate_usd="0.5", created_by=other)
    make.make_job(team, "PENDING", created_by=other)
    make.make_job(team, "COMPLETED", hourly_rate_usd=9)
    make.make_job(make.make_team(), hourly_rate_usd=100)
    make.make_job(team, "UNCONFIRMED", stop_at=now + dt.timedelta(hours=1))
    figures = client.get(home(team)).context["figures"]
    assert figures.burning_usd == 2.5
    assert (figures.billing, figures.active, figures.mine) == (2, 4, 2)
    assert (figures.soon, figures.attention) == (1, 1)
    assert "$2.50 /h" in text_of(client.get(home(team)))


def test_what_was_not_launched_here_burns_along(client, team):
    make.make_job(team, hourly_rate_usd=2)
    credential, at = team.credentials.get(), timezone.now()
    seen = {"status": "RUNNING", "first_seen_at": at, "seen_at": at}
    UnmanagedJob.objects.create(credential=credential, remote_uuid="a", hourly_rate_usd="0.5", **seen)
    text = text_of(client.get(home(team)))
    assert "$2.50 /h" in text
    assert "1 job bills, $0.50/h not from here" in text


def test_the_lists_hold_what_they_are_called(client, team):
    now = timezone.now()
    other = make.make_member(team, "member")
    make.make_job(team, title="Mine")
    make.make_job(team, title="Over", status="COMPLETED")
    make.make_job(team, title="Later", created_by=other, stop_at=now + dt.timedelta(hours=3))
    make.make_job(team, title="Sooner", created_by=other, stop_at=now + dt.timedelta(hours=1))
    make.make_job(team, title="Stuck", created_by=other, stop_requested_at=now - dt.timedelta(minutes=5))
    html = client.get(home(team)).content.decode()
    assert part(html, "mine") == ["Mine"]
    assert part(html, "soon") == ["Sooner", "Later"]
    assert part(html, "attention") == ["Stuck"]


def test_what_is_about_to_stop_can_be_chosen_and_extended_or_kept(client, team):
    now = timezone.now()
    job = make.make_job(team, title="Sooner", stop_at=now + dt.timedelta(hours=1))
    make.make_job(team, title="Later", stop_at=now + dt.timedelta(hours=9))
    html = client.get(home(team)).content.decode()
    boxes = re.findall(r'<input[^>]*name="job" value="([^"]+)"', html)
    assert boxes == [str(job.pk)]
    for act in ("in-use", "extend", "stop"):
        assert f'formaction="{reverse("web:jobs-ask", args=[team.slug, act])}"' in html
    make.sign_in(client, make.make_member(team, "viewer"))
    html = client.get(home(team)).content.decode()
    assert part(html, "soon") == ["Sooner"]
    assert 'name="job"' not in html
    assert "data-bulk-bar" not in html


def test_a_job_that_is_used_right_now_is_not_about_to_stop(client, team):
    now = timezone.now()
    soon = {"stop_at": now + dt.timedelta(minutes=50), "verdict_rule": "idle"}
    make.make_job(team, title="Used", **soon)
    make.make_job(team, title="Quiet", quiet_since=now - dt.timedelta(minutes=10), **soon)
    answer = client.get(home(team))
    assert part(answer.content.decode(), "soon") == ["Quiet"]
    assert answer.context["figures"].soon == 1
    assert "for idleness, unless used" in text_of(answer)
    assert "$0.69/h of it quiet" in text_of(answer)


def test_a_warned_job_is_listed_once_more_only_if_it_is_ones_own(client, team):
    now = timezone.now()
    other = make.make_member(team, "member")
    soon = now + dt.timedelta(minutes=9)
    make.make_job(team, title="Warned", created_by=other, warned_at=now, stop_at=soon)
    make.make_job(team, title="Lost", created_by=other, warned_at=now, stop_at=soon, missing_alarmed_at=now)
    html = client.get(home(team)).content.decode()
    assert part(html, "attention") == ["Lost"]
    assert sorted(part(html, "soon")) == ["Lost", "Warned"]


def test_that_idle_stops_are_only_observed_is_said_with_what_they_would_have_done(client, team):
    now = timezone.now()
    policy = AutostopPolicy.of(team.pk)
    jobs = [make.make_job(team) for _ in range(3)]
    assert "no job would have been stopped" in text_of(client.get(home(team)))
    for days, job in ((1, jobs[0]), (2, jobs[0]), (3, jobs[1]), (8, jobs[2])):
        at = now - dt.timedelta(days=days)
        used_again_at = now if job == jobs[1] else None
        ObservedStop.objects.create(
            team=team, job=job, at=at, quiet_since=at, sentence="x", used_again_at=used_again_at
        )
    text = text_of(client.get(home(team)))
    assert "Stops for idleness are only noted until" in text
    assert "2 jobs would have been stopped. 1 of them was used again" in text
    policy.mode = AutostopPolicy.Mode.ENFORCE
    policy.save()
    assert "only noted" not in text_of(client.get(home(team)))


def test_a_viewer_is_offered_no_act(client, team):
    make.make_job(team)
    assert "ask/stop" in client.get(home(team)).content.decode()
    make.sign_in(client, make.make_member(team, "viewer"))
    html = client.get(home(team)).content.decode()
    assert "ask/stop" not in html
    assert reverse("web:launch", args=[team.slug]) not in html


def test_the_live_part_is_sent_again_only_when_something_changed(client, team):
    page = client.get(home(team)).content.decode()
    poll = re.search(r'hx-get="([^"]+)"', page)[1]
    later = client.get(poll, headers=HTMX)
    if later.status_code == 200:  # a minute began in between
        poll = re.search(r'hx-get="([^"]+)"', later.content.decode())[1]
        later = client.get(poll, headers=HTMX)
    assert (later.status_code, later.content) == (204, b"")
    make.make_event(team)
    changed = client.get(poll, headers=HTMX)
    assert changed.status_code == 200
    assert "<!doctype" not in changed.content.decode()
    assert 'id="home-live"' in changed.content.decode()


def test_titles_are_text(client, team):
    make.make_job(team, title="<script>alert(1)</script>")
    html = client.get(home(team)).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_the_number_of_queries_does_not_grow_with_the_jobs(client, team, django_assert_max_num_queries):
    for _ in range(8):
        make.make_job(team)
    client.get(home(team))
    with django_assert_max_num_queries(20):
        client.get(home(team))
