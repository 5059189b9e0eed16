"""The page behind a link in a message: open to whoever has the address, and harmless until its button is pressed."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from dispersed_web.notifications import outbox
from dispersed_web.notifications.models import ActLink, Delivery
from dispersed_web.teams.models import Membership
from tests import factories as make

pytestmark = pytest.mark.django_db


class Warned:
    """A job that its owner was warned about a moment ago."""

    def __init__(self, kind="job.warned", rule="max_lifetime"):
        self.now = timezone.now()
        self.team = make.make_team("Vision Lab", owner=make.make_user(name="Ana", time_zone="Asia/Tokyo"))
        self.stop_at = self.now + dt.timedelta(minutes=15)
        self.job = make.make_job(
            self.team,
            title="<b>Dev</b> Box",
            launched_at=self.stop_at - dt.timedelta(seconds=4500),
            lifetime_s=4500,
            stop_at=self.stop_at,
            warned_for=self.stop_at,
            warned_at=self.now,
        )
        data = {"stop_at": self.stop_at.isoformat(), "rule": rule}
        make.make_event(self.team, kind, self.job, audience="job_owner", data=data)
        outbox.fan_out(self.now)
        outbox.send_waiting(lambda: self.now)

    def path(self, label):
        return re.search(rf"{label}: \S+?(/do/[\w-]+/)", mail.outbox[-1].body)[1]

    def rows(self):
        models = (Job, ActLink, Event, Delivery)
        return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.fixture
def warned():
    return Warned()


def html(answer):
    return answer.content.decode()


@pytest.mark.parametrize("label", ["Extend by 1 h", "Stop now"])
def test_opening_changes_nothing(client, warned, label):
    before = warned.rows()
    for method in ("get", "head"):
        answer = getattr(client, method)(warned.path(label))
        assert answer.status_code == 200
    for method in ("put", "delete", "options", "patch"):
        assert getattr(client, method)(warned.path(label)).status_code == 405
    assert warned.rows() == before


def test_it_says_what_would_be_done_and_what_it_costs(client, warned):
    page = html(client.get(warned.path("Extend by 1 h")))
    stops = warned.stop_at.astimezone(warned.team.memberships.get().user.zone)
    for words in (
        "Extend “&lt;b&gt;Dev&lt;/b&gt; Box” by 1\u00a0h?",
        "Vision Lab",
        f"{stops:%H:%M} (Asia/Tokyo)",
        "$0.69 per hour",
        "1\u00a0h more",
        "about $0.69",
        "You act as Ana",
    ):
        assert words in page
    page = html(client.get(warned.path("Stop now")))
    assert "a stopped job cannot be resumed" in page
    assert "Stop the job" in page


def test_pressing_the_button_acts_without_a_sign_in_or_a_cookie(warned):
    client = Client(enforce_csrf_checks=True)
    page = html(client.post(warned.path("Extend by 1 h"), headers={"Origin": "null"}))
    warned.job.refresh_from_db()
    assert warned.job.extend_until == warned.stop_at + dt.timedelta(hours=1)
    assert "Extended" in page
    assert "(Asia/Tokyo)" in page


def test_a_second_time_it_says_when_it_was_used(client, warned):
    path = warned.path("Extend by 1 h")
    client.post(path)
    until = Job.objects.get().extend_until
    for method in ("get", "post"):
        answer = getattr(client, method)(path)
        assert answer.status_code == 410
        assert "This link was used before" in html(answer)
    assert Job.objects.get().extend_until == until


def test_stopping(client, warned, monkeypatch):
    nudged = []
    monkeypatch.setattr("dispersed_web.tasks.nudge", lambda task, *ids: nudged.append((task.name, *ids)))
    assert "The stop is under way" in html(client.post(warned.path("Stop now")))
    warned.job.refresh_from_db()
    assert warned.job.stop_reason == "user"
    assert nudged == [("dispersed_web.tasks.pursue_stop", warned.job.pk)]
    answer = client.post(warned.path("Extend by 1 h"))
    assert answer.status_code == 410
    assert "was asked for" in html(answer)


def test_a_check_in_is_answered(client):
    warned = Warned("job.checkin", "checkin_unanswered")
    path = warned.path("Still in use")
    assert "Is “&lt;b&gt;Dev&lt;/b&gt; Box” still in use?" in html(client.get(path))
    assert "goes on" in html(client.post(path))
    warned.job.refresh_from_db()
    assert warned.job.confirmed_at is not None


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (lambda one: Job.objects.update(status="CANCELLED"), 410, "has ended"),
        (lambda one: ActLink.objects.update(expires_at=one.now), 410, "This link is too old"),
        (lambda one: Membership.objects.all().delete(), 403, "does not act any more"),
        (lambda one: Membership.objects.update(role="viewer"), 403, "does not act any more"),
        (lambda one: Job.objects.update(ceiling_s=4500), 409, "as long as the team allows"),
    ],
)
def test_what_stands_in_the_way_is_said(client, warned, change, status, says):
    path = warned.path("Extend by 1 h")
    change(warned)
    answer = client.post(path)
    assert answer.status_code == status
    assert says in html(answer)
    assert Job.objects.get().extend_until is None


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "ä" * 10])
def test_an_unknown_link_does_nothing(client, db, token):
    for method in ("get", "post"):
        answer = getattr(client, method)(f"/do/{token}/")
        assert answer.status_code == 404
        assert "This link does nothing" in html(answer)


def test_whoever_is_signed_in_the_link_acts_for_whom_it_was_sent_to(client, warned):
    make.sign_in(client, make.make_user())
    client.post(warned.path("Stop now"))
    warned.job.refresh_from_db()
    assert warned.job.stop_requested_by == make.owner_of(warned.team)


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_address_is_passed_on_to_nobody(client, warned, method):
    for path in (warned.path("Stop now"), "/do/unknown/"):
        headers = getattr(client, method)(path).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in headers["X-Robots-Tag"]
        assert "no-store" in headers["Cache-Control"]
        assert headers["X-Frame-Options"] == "DENY"


def test_the_page_loads_nothing_from_elsewhere_and_shows_no_token(client, warned):
    path = warned.path("Stop now")
    page = html(client.get(path))
    assert path.split("/")[2] not in page
    assert not re.search(r'(?:src|href)="https?:', page)


def test_the_token_is_not_in_the_log(client, warned, caplog, monkeypatch):
    from dispersed_web.credentials.masking import MaskSecrets

    caplog.handler.addFilter(MaskSecrets())
    caplog.set_level("DEBUG")
    path = warned.path("Stop now")
    monkeypatch.setattr("dispersed_web.notifications.acting.use", lambda *_: 1 / 0)
    client.raise_request_exception = False
    assert client.post(path).status_code == 500
    client.get(path)
    assert "ZeroDivisionError" in caplog.text
    assert path.split("/")[2] not in caplog.text


def test_the_addresses_agree(warned):
    path = warned.path("Stop now")
    assert reverse("web:act-link", args=[path.split("/")[2]]) == path
