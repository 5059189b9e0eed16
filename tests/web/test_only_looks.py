"""In a copy of another installation's database every page says so, and what acts is answered with the sentence."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.clock import database_now
from dispersed_web.jobs.models import Sweep
from dispersed_web.notifications.models import Delivery
from dispersed_web.teams import api_tokens, installation
from dispersed_web.teams.models import Installation
from tests import factories as make
from tests.jobs.copied import changing_requests
from tests.jobs.world import World

pytestmark = pytest.mark.django_db
SAID = "it only looks"


@pytest.fixture
def world(sandbox: Any) -> World:
    return World(sandbox)


@pytest.fixture
def copy(world: World, client: Any, settings: Any) -> World:
    """A running job, in a database that another installation holds, before somebody who is signed in."""
    world.job = world.launched()
    installation.claim()
    settings.INSTALLATION_ID = "staging"
    make.sign_in(client, world.user)
    return world


def test_every_page_has_the_red_banner(copy: World, client: Any) -> None:
    slug = copy.team.slug
    for address in (reverse("web:jobs", args=[slug]), reverse("web:job", args=[slug, copy.job.pk])):
        page = client.get(address).content.decode()
        assert page.count(SAID) == 1
        assert "banner-alarm" in page
        assert "Background work" not in page
    client.logout()
    assert SAID in client.get(reverse("account_login")).content.decode()


def test_pages_of_somebody_without_a_team_have_it_too(copy: World, client: Any) -> None:
    make.sign_in(client, make.make_user())
    assert SAID in client.get(reverse("web:home"), follow=True).content.decode()


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "part"])
def test_the_stop_button_answers_with_the_sentence_and_nothing_is_asked(
    copy: World, client: Any, htmx: bool
) -> None:
    stop = reverse("web:job-stop", args=[copy.team.slug, copy.job.pk])
    page = reverse("web:job", args=[copy.team.slug, copy.job.pk])
    headers = {"referer": f"http://testserver{page}"} | ({"hx-request": "true"} if htmx else {})
    answer = client.post(stop, {}, headers=headers)
    if htmx:
        assert SAID in answer.headers["HX-Trigger"]
    else:
        assert answer.url.endswith(page)
        assert client.get(page).content.decode().count(SAID) == 2, "as the banner and as the answer"
    copy.job.refresh_from_db()
    assert copy.job.stop_requested_at is None


def test_a_launch_is_refused_with_the_sentence(copy: World) -> None:
    from dispersed_web.jobs.errors import LaunchRefused

    with pytest.raises(LaunchRefused, match=SAID) as refused:
        copy.request()
    assert refused.value.code == "only_looks"


def test_the_api_refuses_both(copy: World, client: Any) -> None:
    text = make_token(copy)
    address = f"/api/v1/jobs/{copy.job.pk}/stop"
    headers = {"authorization": f"Bearer {text}", "Idempotency-Key": "one"}
    answer = client.post(address, {}, content_type="application/json", headers=headers)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "only_looks"


def make_token(world: World) -> str:
    day = dt.timedelta(days=1)
    who = {"actor": world.actor, "now": world.clock.now}
    _, text = api_tokens.create(world.team, world.user, name="CI", scope="operate", lifetime=day, **who)
    return text


def test_no_sweep_and_no_task_sends_decides_or_tells_anything(copy: World, settings: Any) -> None:
    settings.INSTALLATION_ID = "tests"
    from dispersed_web.jobs import stop
    from dispersed_web.jobs.states import Reason

    stop.request_stop(copy.job, actor=copy.actor, reason=Reason.ADMIN, now=copy.clock.now)
    waiting = copy.request(copy.order("Second"), same_again=True)
    make.make_event(copy.team, audience="admins")
    settings.INSTALLATION_ID = "staging"
    before = changing_requests(copy.control)
    tasks.send_launch(str(waiting.pk))
    tasks.pursue_stop(str(copy.job.pk))
    tasks.sweep_launches_with(lambda job_id: pytest.fail("launches"), lambda key: None)
    tasks.sweep_stops_with(lambda job_id: pytest.fail("stops"))
    tasks.sweep_autostop_with(lambda job_id: pytest.fail("stops"))
    for sweep in (tasks.sweep_budgets, tasks.sweep_notices, tasks.sweep_receiver):
        sweep()
    assert changing_requests(copy.control) == before
    assert not Delivery.objects.exists()
    assert not Sweep.objects.filter(name__in=["launches", "stops", "autostop", "notices"]).exists()
    assert copy.sync(), "it still looks"


def test_even_a_client_that_slips_through_sends_nothing_but_get(copy: World) -> None:
    from dispersed_web.credentials.clients import client_for
    from dispersed_web.dispersed import Outcome, ReadOnly

    before = changing_requests(copy.control)
    with client_for(copy.credential, team_id=copy.team.pk, purpose="stop") as cloud:
        assert cloud.get_job(copy.job.remote_uuid).uuid == copy.job.remote_uuid
        with pytest.raises(ReadOnly) as refused:
            cloud.cancel_job(copy.job.remote_uuid, "dw:user:x")
    assert refused.value.outcome is Outcome.NOT_SENT
    assert SAID in refused.value.sentence
    assert changing_requests(copy.control) == before


def test_health_tells_monitoring_that_nothing_is_stopped_here(copy: World, client: Any) -> None:
    for name in ("launches", "stops", "sync", "autostop"):
        Sweep.objects.update_or_create(name=name, defaults={"finished_at": database_now()})
    assert client.get("/healthz").json() == {"status": "ok", "database": "ok", "mode": "copy"}
    sweep = client.get("/healthz/sweep")
    assert (sweep.status_code, sweep.json()["status"]) == (503, "copy")
    assert client.get("/readyz").json()["installation"] == "failing"


def test_once_adopted_it_acts(copy: World, client: Any) -> None:
    assert installation.adopt(Installation.get().holder, timezone.now())
    client.post(reverse("web:job-stop", args=[copy.team.slug, copy.job.pk]), {})
    copy.job.refresh_from_db()
    assert copy.job.stop_requested_at is not None
    tasks.pursue_stop(str(copy.job.pk))
    assert changing_requests(copy.control)[-1][0] == "PUT"
    assert SAID not in client.get(reverse("web:jobs", args=[copy.team.slug])).content.decode()
