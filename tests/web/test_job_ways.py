"""What a person sees on a job's page after the launch: progress, the ways into the machine, runs, causes, origin."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from dispersed_web.credentials import vault
from dispersed_web.events.models import Event
from dispersed_web.jobs import runs
from dispersed_web.jobs.models import Job
from dispersed_web.recipes.models import Recipe, RecipeVersion
from tests import factories
from tests.jobs.world import World

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
URL = {"description": "ssh", "hostname": "ml3.example.net", "port": 41822, "container_port": 22}
PAGE = {"description": "5000", "hostname": "ml3.example.net", "port": 41900, "container_port": 5000}
CANARY = "canary-access-token-5f1c"


@pytest.fixture
def team(client):
    team = factories.make_team()
    factories.sign_in(client, factories.owner_of(team))
    return team


def at(job: Job, name: str = "job", *more: object) -> str:
    return reverse(f"web:{name}", args=[job.team.slug, job.pk, *more])


def page(client: Any, job: Job, name: str = "job", **options: Any) -> str:
    response = client.get(at(job, name), **options)
    assert response.status_code == 200
    return response.content.decode().replace("\u00a0", " ").replace("&#x27;", "'")


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def reachable(team: Any, **fields: Any) -> tuple[Job, Any]:
    job = factories.make_job(team, reachable_at=timezone.now(), **fields)
    run = factories.make_run(job, node_urls=[URL, PAGE])
    run.access_tokens_sealed = vault.seal(CANARY, runs.token_place(job, run.remote_uuid))
    run.save()
    return job, run


# Progress ---------------------------------------------------------------------------------------------------------------


def test_a_start_is_drawn_with_its_limit_and_what_follows(client, team):
    now = timezone.now()
    job = factories.make_job(team, "PREPARING", now=now, run_started_at=now - dt.timedelta(minutes=2))
    factories.make_run(job, started_at=now - dt.timedelta(minutes=2), status="PREPARING")
    html = page(client, job)
    bar = re.search(r'<progress class="meter" max="300" value="(\d+)" data-gauge-since="[^"]+"', html)
    assert 120 <= int(bar[1]) < 200
    assert "Pulling the image" in html
    assert "The job then ends as failed." in html
    assert "style=" not in html


def test_the_title_of_the_window_says_ready_until_somebody_connects(client, team):
    job, _ = reachable(team)
    assert f"<title>Ready: {job.title}" in page(client, job)
    part = page(client, job, headers=HTMX)
    assert part.startswith(f"<title>Ready: {job.title} · {team.name}</title>")
    client.post(at(job, "job-connect"))
    assert "<title>Ready" not in page(client, job)
    assert page(client, job, headers=HTMX).startswith(f"<title>{job.title} · {team.name}</title>")


# Connecting -------------------------------------------------------------------------------------------------------------


def test_the_ways_in_are_shown_by_an_act_and_never_with_a_secret(client, team):
    job, run = reachable(team)
    assert "ml3.example.net" not in page(client, job)
    client.post(at(job, "job-connect"))
    html = client.get(f"{at(job)}?connect=open").content.decode()
    for words in (
        "ssh -p 41822 duser@ml3.example.net",
        "StrictHostKeyChecking accept-new",
        "vscode://vscode-remote/ssh-remote+duser@ml3.example.net:41822/opt/dispersedworker/",
        "http://ml3.example.net:41900/",
        "Web page with sign-in",
        at(job, "job-token", run.pk),
        "Check from the server",
    ):
        assert words in html
    assert CANARY not in html
    assert Event.objects.filter(kind="job.connected").count() == 1


def test_a_recipe_says_how_to_connect_as_safe_markdown(client, team):
    recipe = Recipe.objects.create(team=team, name="Studio", owner=factories.owner_of(team))
    document = {
        "connection": {
            "text": "Open the **studio** <script>alert(1)</script>",
            "ssh_user": "ubuntu",
            "links": [{"port": 5000, "label": "Studio", "path": "app"}],
        }
    }
    version = RecipeVersion.objects.create(recipe=recipe, number=1, document=document)
    job, _ = reachable(team, recipe_version=version)
    html = client.get(f"{at(job)}?connect=open").content.decode()
    assert "<strong>studio</strong>" in html
    assert "<script>alert" not in html
    assert 'href="http://ml3.example.net:41900/app"' in html
    assert "ubuntu@ml3.example.net" in html


def test_every_node_has_a_block_of_its_own(client, team):
    job, _ = reachable(team)
    factories.make_run(job, node_urls=[{**URL, "port": 42000}])
    html = client.get(f"{at(job)}?connect=open").content.decode()
    for words in ("Node 1", "Node 2", "ssh -p 41822", "ssh -p 42000", "Host dw-development-environment-2"):
        assert words in html


def test_an_address_that_never_comes_is_said_with_what_to_do(client, team):
    job = factories.make_job(team)
    factories.make_run(job)
    html = page(client, job)
    assert "It runs and costs money, but cannot be reached" in html
    assert "Jobs were seen to stay so for ever" in html
    assert "Stop the job" in html
    assert f"?again={job.pk}" in html


# The access token ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["a page", "a dialog"])
def test_the_access_token_is_revealed_once_and_remembered(client, team, headers):
    job, run = reachable(team)
    response = client.post(at(job, "job-token", run.pk), headers=headers)
    assert CANARY in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    event = Event.objects.get(kind="job.token_shown")
    assert CANARY not in f"{event.sentence} {event.data}"
    assert "looked up the access token" in page(client, job, "job-events")
    for name in ("job", "job-events", "job-spec", "job-activity"):
        assert CANARY not in page(client, job, name)


def test_looking_at_the_address_of_the_token_reveals_nothing(client, team):
    job, run = reachable(team)
    assert client.get(at(job, "job-token", run.pk)).status_code == 405
    assert not Event.objects.filter(kind="job.token_shown").exists()


def test_a_token_of_a_machine_that_is_gone_is_refused(client, team):
    job, run = reachable(team)
    Job.objects.filter(pk=job.pk).update(status="CANCELLED", ended_at=timezone.now())
    html = client.post(at(job, "job-token", run.pk)).content.decode()
    assert CANARY not in html
    assert "This machine is gone" in html


def test_a_run_of_another_job_is_not_found(client, team):
    job, _ = reachable(team)
    _, other = reachable(factories.make_team())
    assert client.post(at(job, "job-token", other.pk)).status_code == 404


def test_a_viewer_may_look_but_not_reveal_nor_check(client, team):
    job, run = reachable(team)
    factories.sign_in(client, factories.make_member(team, "viewer"))
    html = page(client, job)
    assert "Members of the team can connect to it" in html
    assert at(job, "job-token", run.pk) not in html
    for address in (at(job, "job-token", run.pk), at(job, "job-reach")):
        assert client.post(address).status_code == 403
    assert not Event.objects.filter(kind="job.token_shown").exists()


def test_a_stranger_and_nobody_get_no_further(client, team):
    job, run = reachable(team)
    addresses = (at(job, "job-token", run.pk), at(job, "job-reach"))
    factories.sign_in(client, factories.make_user())
    assert [client.post(one).status_code for one in addresses] == [404, 404]
    client.logout()
    assert [client.post(one).status_code for one in addresses] == [302, 302]


# Checking ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["a page", "a dialog"])
def test_a_check_from_the_server_says_what_it_found(client, team, headers):
    job = factories.make_job(team)
    factories.make_run(job, node_urls=[{**URL, "hostname": "node2-us-east-1.proxy.sandbox.invalid"}])
    html = client.post(at(job, "job-reach"), headers=headers).content.decode()
    assert "Simulated" in html
    assert "there is nothing to connect to" in html
    assert Job.objects.get(pk=job.pk).connected_at is None


def test_a_check_without_an_address_says_so(client, team):
    job = factories.make_job(team)
    assert "There is no address to try yet" in client.post(at(job, "job-reach")).content.decode()


# Runs, causes, origin ------------------------------------------------------------------------------------------------------


def test_several_runs_are_a_table_with_links_to_their_logs(client, team):
    job = factories.make_job(team)
    assert 'id="runs"' not in page(client, job)
    now = timezone.now()
    first = factories.make_run(job, status="FAILED", running_at=None, ended_at=now - dt.timedelta(minutes=58))
    second = factories.make_run(job, node_urls=[URL])
    html = page(client, job)
    assert 'id="runs"' in html
    for run in (first, second):
        assert f"{at(job, 'job-logs')}?run={run.pk}" in html
    assert "Ended while its image was pulled" in html


def test_a_cause_with_its_step_stands_beside_the_words_of_the_cloud(client, team):
    job = factories.make_job(team, "FAILED", reason_text="The job failed: Container exited with code 137")
    factories.make_run(job)
    text = plain(page(client, job))
    for words in (
        "Container exited with code 137",
        "Likely cause",
        "Out of memory",
        "Ask for more RAM",
        "Read its log",
    ):
        assert words in text


def test_an_end_elsewhere_is_explained(client, team):
    job = factories.make_job(team, "CANCELLED", reason_text="The cloud cancelled the job: bye")
    text = plain(page(client, job))
    assert "It was cancelled elsewhere" in text
    assert "Launch the same again" in text


def test_the_recipe_and_its_version_are_named_to_those_who_may_see_it(client, team):
    owner = factories.owner_of(team)
    recipe = Recipe.objects.create(team=team, name="Fine-tune", owner=owner)
    old, new = (RecipeVersion.objects.create(recipe=recipe, number=n, document={}) for n in (7, 9))
    recipe.current = new
    recipe.save()
    job = factories.make_job(team, recipe_version=old)
    text = plain(page(client, job))
    assert "Fine-tune v7" in text
    assert "current is v9" in text
    assert f"{reverse('web:recipe', args=[team.slug, recipe.pk])}?v=7" in page(client, job)
    factories.sign_in(client, factories.make_member(team, "admin"))
    assert "Fine-tune" not in page(client, job)


def test_launcher_and_owner_are_told_apart(client, team):
    bob = factories.make_member(team, "member", factories.make_user(name="Bob Ito"))
    ana = factories.make_member(team, "member", factories.make_user(name="Ana Duarte"))
    job = factories.make_job(team, created_by=bob)
    assert "Launched by" not in page(client, job)
    Job.objects.filter(pk=job.pk).update(owner=ana, origin="adopted")
    text = plain(page(client, job))
    assert "Launched by Bob Ito" in text
    assert "Answers for it Ana Duarte" in text
    assert "it was launched elsewhere" in text


# The sandbox's faults: each ends in a page that says the truth and what to do -----------------------------------------


@pytest.fixture
def world(sandbox, client) -> World:
    world = World(sandbox)
    factories.sign_in(client, world.user)
    return world


def now_of(world: World, job: Job, client: Any) -> str:
    """The page as it stands when our clock says what the test's says."""
    job.refresh_from_db()
    with time_machine.travel(world.clock.now, tick=False):
        return plain(page(client, job))


def test_a_node_that_never_finishes_the_pull(client, world):
    world.control.add_fault("POST /v1/jobs", "stuck_preparing", runs=1)
    job = world.launched(max_retry_count=1, max_timeout_start_ms=120_000)
    world.pass_time(20)
    text = now_of(world, job, client)
    assert "Pulling the image" in text
    assert "one more try is allowed" in text
    world.pass_time(120)
    text = now_of(world, job, client)
    assert "Runs" in text
    assert "Did not start within 2 min" in text
    world.pass_time(60)
    world.pass_time(10)
    assert "Reachable" in now_of(world, job, client)


def test_a_start_that_fails_for_good(client, world):
    world.control.add_fault("POST /v1/jobs", "stuck_preparing")
    job = world.launched(max_timeout_start_ms=120_000)
    world.pass_time(20)
    assert "The job then ends as failed" in now_of(world, job, client)
    world.pass_time(150)
    text = now_of(world, job, client)
    assert "It took too long to start" in text
    assert "Change it and launch again" in text
    assert "did not start within 120000 ms" in text


def test_no_node_at_all(client, world):
    world.control.add_fault("POST /v1/jobs", "stuck_pending")
    job = world.launched(max_timeout_assign_ms=300_000)
    world.pass_time(60)
    assert "no node is found by" in now_of(world, job, client)
    world.pass_time(300)
    assert "No node was found in time" in now_of(world, job, client)


def test_an_image_that_no_registry_has(client, world):
    world.control.add_fault("POST /v1/jobs", "image_not_found")
    job = world.launched()
    world.pass_time(60)
    text = now_of(world, job, client)
    assert "The image was not found" in text
    assert "Image not found: dispersednetwork/base:latest" in text


def test_an_address_that_never_comes(client, world):
    world.control.add_fault("POST /v1/jobs", "empty_node_urls")
    job = world.launched()
    world.pass_time(40)
    world.pass_time(1)
    assert "Its address comes some seconds to two minutes later" in now_of(world, job, client)
    world.pass_time(200)
    text = now_of(world, job, client)
    assert "Dispersed gives no address for it" in text
    assert "Stop the job" in text
    assert not Event.objects.filter(kind="job.ready").exists()


def test_a_container_that_ends_at_once(client, world):
    world.control.add_fault("POST /v1/jobs", "exit_at_once", exit_code=1)
    job = world.launched()
    for _ in range(3):
        world.pass_time(20)
    text = now_of(world, job, client)
    assert "with code 1" in text
    assert "Read its log" in text


def test_a_node_that_dies(client, world):
    world.control.add_fault("POST /v1/jobs", "node_death", after_s=60, lag_s=120)
    job = world.launched()
    world.pass_time(40)
    world.pass_time(10)
    assert "has an address" in now_of(world, job, client)
    world.pass_time(60)
    assert "Check from the server" in now_of(world, job, client)
    world.pass_time(200)
    text = now_of(world, job, client)
    assert "The node was lost" in text
    assert "Launch the same again" in text


def test_a_node_with_six_gpus(client, world):
    world.control.add_fault("POST /v1/jobs", "six_gpu_node")
    job = world.launched()
    world.pass_time(40)
    text = now_of(world, job, client)
    assert re.search(r"\$4\.14/h|\$[3-9]\.\d\d/h", text)
    assert "more GPUs costs as many times more" in text


def test_a_list_that_lags(client, world):
    world.control.set_listing_lag(30)
    job = world.launched()
    text = now_of(world, job, client)
    assert "Waiting for a node" in text
    world.pass_time(60)
    world.pass_time(10)
    assert "Reachable" in now_of(world, job, client)


def test_a_machine_that_took_its_time_is_told_ready_once(client, world):
    job = world.launched()
    world.control.set_listing_lag(0)
    world.clock.advance(61)
    world.control.advance(40)
    for _ in range(3):
        world.pass_time(5)
    assert Event.objects.filter(kind="job.ready", subject_id=str(job.pk)).count() == 1
    assert "The machine is ready" in now_of(world, job, client)
