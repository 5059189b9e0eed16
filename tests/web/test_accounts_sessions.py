"""Where somebody is signed in, for how long, and ending it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dispersed_web.events.models import Event
from tests import factories as make

pytestmark = pytest.mark.django_db
PAGE = "/account/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


def signed_in(user: Any, address: str = "192.0.2.1", agent: str = FIREFOX) -> Client:
    client = Client(REMOTE_ADDR=address, HTTP_USER_AGENT=agent)
    assert client.post("/account/login/", {"login": user.email, "password": make.PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def session_id(address: str) -> int:
    return UserSession.objects.get(ip=address).pk


def test_the_page_names_browser_and_address_and_which_one_this_is() -> None:
    user = make.make_user()
    client = signed_in(user)
    signed_in(user, "192.0.2.2", "Mozilla/5.0 (iPhone) Safari/605")
    signed_in(make.make_user(), "192.0.2.3")
    page = client.get(PAGE).content.decode()
    assert page.index("Firefox on Linux") < page.index(">this one<") < page.index("Safari on iPhone")
    assert "192.0.2.2" in page
    assert "192.0.2.3" not in page
    assert PAGE in client.get("/me/").content.decode()


def test_one_is_ended_and_the_others_stay() -> None:
    user = make.make_user()
    here, phone, office = (signed_in(user, f"192.0.2.{number}") for number in (1, 2, 3))
    assert here.post(PAGE, {"end": session_id("192.0.2.2")}).status_code == 302
    assert [is_in(one) for one in (here, phone, office)] == [True, False, True]
    assert Event.objects.get(kind="account.sessions_ended").data["count"] == 1


def test_all_others_are_ended_at_once() -> None:
    user = make.make_user()
    here, phone, office = (signed_in(user, f"192.0.2.{number}") for number in (1, 2, 3))
    here.post(PAGE, {"end": "others"})
    assert [is_in(one) for one in (here, phone, office)] == [True, False, False]


def test_ending_this_one_signs_out() -> None:
    here = signed_in(make.make_user())
    assert here.post(PAGE, {"end": session_id("192.0.2.1")})["Location"] == "/account/login/"
    assert not is_in(here)


@pytest.mark.parametrize("wanted", ["0", "x", "", "-1"])
def test_sessions_of_others_do_not_exist(wanted: str) -> None:
    here, theirs = signed_in(make.make_user()), signed_in(make.make_user(), "192.0.2.9")
    assert here.post(PAGE, {"end": session_id("192.0.2.9")}).status_code == 404
    assert here.post(PAGE, {"end": wanted}).status_code == 404
    assert is_in(theirs)


def test_only_good_sessions_are_listed(time_machine: Any) -> None:
    user = make.make_user()
    time_machine.move_to(timezone.now() - 11 * HOUR, tick=False)
    signed_in(user, "192.0.2.7")
    time_machine.move_to(timezone.now() + 11 * HOUR, tick=False)
    here = signed_in(user)
    assert "192.0.2.7" in here.get(PAGE).content.decode()
    time_machine.move_to(timezone.now() + HOUR, tick=False)
    assert "192.0.2.7" not in here.get(PAGE).content.decode()
    user.set_password("another long password")
    user.save()
    other = Client(REMOTE_ADDR="192.0.2.8")
    other.post("/account/login/", {"login": user.email, "password": "another long password"})
    assert "192.0.2.1<" not in other.get(PAGE).content.decode()


def test_the_list_costs_the_same_with_many() -> None:
    user = make.make_user()
    here = signed_in(user)
    costs = []
    for number in range(2):
        with CaptureQueriesContext(connection) as queries:
            here.get(PAGE)
        costs.append(len(queries))
        for extra in range(3):
            signed_in(user, f"198.51.100.{number}{extra}")
    assert costs[0] == costs[1]


def test_a_session_ends_after_twelve_hours_without_use(time_machine: Any) -> None:
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    here = signed_in(make.make_user())
    time_machine.move_to(start + 11 * HOUR, tick=False)
    assert is_in(here)
    time_machine.move_to(start + 23 * HOUR - MINUTE, tick=False)
    assert is_in(here)
    time_machine.move_to(start + 35 * HOUR, tick=False)
    answer = here.get("/me/")
    assert answer["Location"].startswith("/account/login/")
    assert "_auth_user_id" not in here.session


def test_a_page_left_open_keeps_no_session_alive(time_machine: Any) -> None:
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    here = signed_in(make.make_user())
    for hour in range(1, 12):
        time_machine.move_to(start + hour * HOUR, tick=False)
        here.get("/me/", HTTP_HX_REQUEST="true")
        here.get("/me/", HTTP_ACCEPT="application/json")
    time_machine.move_to(start + 12 * HOUR, tick=False)
    assert not is_in(here)


def test_a_session_ends_after_seven_days_however_busy(time_machine: Any) -> None:
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    here = signed_in(make.make_user())
    for hour in range(6, 168, 6):
        time_machine.move_to(start + hour * HOUR, tick=False)
        assert is_in(here), hour
    time_machine.move_to(start + 168 * HOUR, tick=False)
    assert not is_in(here)


def test_reading_pages_writes_nothing_for_five_minutes(time_machine: Any) -> None:
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    here = signed_in(make.make_user())
    here.get("/me/")
    time_machine.move_to(start + 4 * MINUTE, tick=False)
    assert not writes(here)
    time_machine.move_to(start + 5 * MINUTE, tick=False)
    assert writes(here)
    assert not writes(here)
    assert UserSession.objects.get().last_seen_at == start + 5 * MINUTE


def writes(client: Client) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        client.get("/account/password/change/")
    return [one["sql"] for one in queries if one["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]


def test_a_session_from_before_ages_were_noted_goes_on() -> None:
    here = signed_in(make.make_user())
    session = here.session
    del session["signed_in_at"], session["seen_at"]
    session.save()
    UserSession.objects.all().delete()
    assert is_in(here)
    assert here.session["signed_in_at"] == here.session["seen_at"] > 0
    assert UserSession.objects.get().ip == "192.0.2.1"


def test_cookies_are_for_this_site_alone(settings: Any) -> None:
    cookie = (
        Client()
        .post("/account/login/", {"login": make.make_user("a@example.org").email, "password": make.PASSWORD})
        .cookies["sessionid"]
    )
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert settings.CSRF_COOKIE_HTTPONLY


def test_signing_out_is_recorded_and_so_is_a_session_that_is_too_old() -> None:
    user = make.make_user()
    first, second = signed_in(user), signed_in(user, "192.0.2.2")
    first.post("/account/logout/")
    session = second.session
    session["seen_at"] = timezone.now().timestamp() - 13 * HOUR.total_seconds()
    session.save()
    assert not is_in(second)
    noted = Event.objects.filter(kind="account.signed_out", subject_id=str(user.pk)).order_by("pk")
    assert [(one.sentence, one.ip_address) for one in noted] == [
        ("Signed out: Firefox on Linux, from 192.0.2.1.", "192.0.2.1"),
        ("Signed out, because the session was too old: Firefox on Linux, from 192.0.2.2.", "192.0.2.2"),
    ]
    Client().post("/account/logout/")
    assert noted.count() == 2, "nobody signed out"
