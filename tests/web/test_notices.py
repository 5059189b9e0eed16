"""The team's page of notifications, and one's own wishes."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.notifications import outbox
from dispersed_web.notifications.models import Channel, Delivery, Wishes
from dispersed_web.notifications.webhook import address_of
from tests import factories as make
from tests.notifications.receiver import receiver

pytestmark = pytest.mark.django_db
URL = "https://hooks.slack.com/services/T0CANARY0/B0CANARY0/secretpart9f3a"


@pytest.fixture
def hook(settings):
    with receiver() as server:
        settings.WEBHOOK_ALLOWED_HOSTS = [("127.0.0.1", server.port)]
        yield server


@pytest.fixture
def team(client):
    team = make.make_team("Vision Lab")
    make.sign_in(client, make.make_member(team, "admin"))
    return team


def url(name, team):
    return reverse(f"web:{name}", args=[team.slug])


def html(answer):
    return answer.content.decode()


def test_a_webhook_is_stored_and_its_address_never_shown(client, team):
    answer = client.post(url("team-notices", team), {"kind": "slack", "url": URL}, follow=True)
    page = html(answer)
    assert "hooks.slack.com is stored" in page
    assert "hooks.slack.com/…9f3a" in page
    assert "Not tried yet" in page
    assert address_of(Channel.objects.get(team=team)) == URL
    for shown in (page, html(client.get(url("team-events", team)))):
        assert "secretpart" not in shown


@pytest.mark.parametrize(
    ("kind", "address", "field", "says"),
    [
        ("slack", "", "url", "required"),
        ("slack", "http://example.com/x", "url", "must begin with https://"),
        ("slack", "https://192.168.0.1/secretpart", "url", "not on the public internet"),
        ("json", URL, "kind", "This is an address of Slack"),
        ("discord", "https://hooks.slack.com/services/x", "kind", "This is an address of Slack"),
        ("carrier pigeon", URL, "kind", "not one of the available choices"),
    ],
)
def test_what_cannot_work_is_marked_and_not_sent_back(client, team, kind, address, field, says):
    answer = client.post(url("team-notices", team), {"kind": kind, "url": address})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert says in html(answer)
    assert "secretpart" not in html(answer)
    assert not Channel.objects.exists()


def test_the_password_is_asked_for_again(client, team):
    client.logout()
    client.force_login(make.owner_of(team))
    assert client.post(url("team-notices", team), {"kind": "slack", "url": URL}).status_code == 422
    fields = {"kind": "slack", "url": URL, "password": make.PASSWORD}
    assert client.post(url("team-notices", team), fields).status_code == 302


def test_the_test_says_what_became_of_it(client, team, hook):
    make.make_channel(team, hook.url, host="127.0.0.1", kind="json")
    page = html(client.post(url("team-notices-test", team), follow=True))
    assert "127.0.0.1 took the test" in page
    assert "Works" in page
    hook.answer(404, b"no_service")
    page = html(client.post(url("team-notices-test", team), follow=True))
    assert (
        "The test did not arrive. It answered 404: this webhook does not exist any more (no_service)." in page
    )
    assert "Does not work" in page
    assert hook.url.partition("/services")[2] not in page
    assert len(hook.requests) == 2


def test_pausing_and_going_on(client, team):
    channel = make.make_channel(team)
    for active, says in (("0", "Paused"), ("1", "Not tried yet")):
        page = html(client.post(url("team-notices-switch", team), {"active": active}, follow=True))
        channel.refresh_from_db()
        assert channel.active is (active == "1")
        assert says in page


def test_removing(client, team):
    make.make_channel(team)
    page = html(client.post(url("team-notices-remove", team), follow=True))
    assert not Channel.objects.exists()
    assert "Remove it" not in page


@pytest.mark.parametrize("name", ["team-notices-test", "team-notices-switch", "team-notices-remove"])
def test_without_a_webhook_there_is_nothing_to_do(client, team, name):
    assert "The team has no webhook." in html(client.post(url(name, team), follow=True))
    assert not Event.objects.exists()


def test_the_latest_deliveries_are_listed_with_what_became_of_them(client, team, hook):
    now = timezone.now()
    make.make_channel(team, hook.url, host="127.0.0.1", kind="json")
    other = make.make_team()
    for one in (team, other):
        make.make_event(one, "job.warned", make.make_job(one, title=f"Box of {one}"), audience="job_owner")
    hook.answer(500)
    outbox.fan_out(now)
    outbox.send_waiting(lambda: now)
    page = html(client.get(url("team-notices", team)))
    table = page[page.index("deliveries-title") :]
    for words in ("Box of Vision Lab", "Trying again", "It answered 500", "Sent", make.owner_of(team).email):
        assert words in table
    assert f"Box of {other}" not in table
    assert "secret-part" not in page


def test_a_missing_mail_server_is_said(client, team, settings):
    assert "No mail server is set" not in html(client.get(url("team-notices", team)))
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "No mail server is set" in html(client.get(url("team-notices", team)))


def test_only_who_may_manage_it_is_led_there(client, team):
    assert url("team-notices", team) in html(client.get(url("team", team)))
    make.sign_in(client, make.make_member(team, "member"))
    assert url("team-notices", team) not in html(client.get(url("team", team)))


def test_ones_own_mails_are_switched_off_and_on(client, team):
    page = html(client.get(reverse("web:me")))
    assert re.search(r'name="email_my_jobs"[^>]* checked', page)
    client.post(reverse("web:me-notices"), {})
    assert Wishes.objects.get().email_my_jobs is False
    page = html(client.get(reverse("web:me")))
    assert not re.search(r'name="email_my_jobs"[^>]* checked', page)
    client.post(reverse("web:me-notices"), {"email_my_jobs": "on"})
    assert Wishes.objects.get().email_my_jobs is True


def test_deliveries_of_the_day_before_say_that_they_were_too_old(client, team):
    now = timezone.now()
    make.make_event(
        team, "job.warned", make.make_job(team), audience="job_owner", now=now - dt.timedelta(days=2)
    )
    outbox.fan_out(now)
    outbox.send_waiting(lambda: now)
    assert Delivery.objects.get(way="email").state == "failed"
    assert "it was a day old" in html(client.get(url("team-notices", team)))
