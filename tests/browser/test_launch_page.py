"""Launching through a real browser, against the simulated cloud: one form, one job, whatever people click."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dispersed_web.clock import database_now
from dispersed_web.jobs import market, sending, specs
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Team
from tests import factories
from tests.web.launch_forms import PRIVATE_KEY

from .axe import assert_accessible
from .windows import LOOKS, OpenWindow, assert_fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def team(sandbox: Any) -> Team:
    """A team that can launch on the simulated cloud, with its prices."""
    team = factories.make_team("Vision Lab", slug="vision-lab")
    market.refresh(factories.make_credential(team, sandbox).pk, database_now)
    return team


@pytest.fixture
def opener(open_window: OpenWindow, team: Team) -> OpenWindow:
    """Opens the launch page as a member with a key in the profile."""
    member = factories.make_member(team, user=factories.make_user(ssh_key=factories.SSH_KEY))
    return lambda **options: open_window(f"/t/{team.slug}/launch/", member, **options)


def fill(page: Page, title: str = "T") -> None:
    page.get_by_label("Title").fill(title)
    page.get_by_label("Container image").fill("org/image")


def launch(page: Page) -> None:
    page.get_by_role("button", name="Launch", exact=True).click()


def at_a_job(page: Page) -> re.Pattern[str]:
    return re.compile(r"/t/vision-lab/jobs/[0-9a-f-]{36}/")


def in_the_cloud(job: Job, sandbox: Any) -> dict[str, Any]:
    """Sends the launch as the background would, and reads the cloud's own ledger."""
    sending.send(job.pk, database_now)
    job.refresh_from_db()
    assert job.status == "PENDING"
    return sandbox.control.job(job.remote_uuid)["spec"]


@pytest.mark.parametrize("blind", [False, True], ids=["with JavaScript", "without"])
@pytest.mark.parametrize(
    ("example", "task", "image", "tag"),
    [
        (
            "Process Dataset",
            "BATCH",
            "dispersednetwork/pytorch-pytorch",
            "2.7.1-cuda12.8-cudnn9-runtime",
        ),
        ("Development Environment", "PERSISTENT", "dispersednetwork/base", "latest"),
    ],
)
def test_the_documented_jobs_are_two_clicks_away(opener, sandbox, example, task, image, tag, blind):
    page = opener(java_script_enabled=not blind)
    page.get_by_role("link", name=example).click()
    expect(page.get_by_label("Title")).to_have_value(example)
    launch(page)
    page.wait_for_url(at_a_job(page))
    spec = in_the_cloud(Job.objects.get(), sandbox)
    docker = spec["parameters"]["parameters"]
    assert (spec["task"], docker["image"], docker["tag"]) == (task, image, tag)
    assert spec["max_timeout_run_ms"] == (3_600_000 if task == "BATCH" else None)
    if task == "PERSISTENT":
        assert (docker["ports"], docker["sshkey"]) == ([22], factories.SSH_KEY)


@pytest.mark.parametrize("example", ["Process Dataset", "Development Environment"])
def test_the_documented_jobs_can_be_typed(opener, sandbox, example):
    page = opener()
    page.get_by_label("Title").fill(example)
    image, tag = ("dispersednetwork/base", "latest")
    if example == "Process Dataset":
        image, tag = "dispersednetwork/pytorch-pytorch", "2.7.1-cuda12.8-cudnn9-runtime"
    else:
        page.get_by_role("radio", name="Persistent").check()
    page.get_by_label("Container image").fill(f"{image}:{tag}")
    page.get_by_label("Container image").press("Tab")
    expect(page.locator("#id_tag")).to_have_value(tag)
    launch(page)
    page.wait_for_url(at_a_job(page))
    docker = in_the_cloud(Job.objects.get(), sandbox)["parameters"]["parameters"]
    assert (docker["image"], docker["tag"]) == (image, tag)


def test_a_double_click_launches_once(opener):
    page = opener()
    fill(page)
    page.get_by_role("button", name="Launch", exact=True).dblclick()
    page.wait_for_url(at_a_job(page))
    assert Job.objects.count() == 1


def test_two_posts_of_one_form_at_once_launch_once(opener):
    page = opener()
    fill(page)
    urls = page.evaluate(
        """async () => {
            const body = () => new URLSearchParams(new FormData(document.getElementById("launch-form")));
            const send = () => fetch(location.href, {method: "POST", body: body()}).then((answer) => answer.url);
            return Promise.all([send(), send(), send()]);
        }"""
    )
    assert Job.objects.count() == 1
    assert {url.rstrip("/").rpartition("/")[2] for url in urls} == {str(Job.objects.get().pk)}


def test_reloading_the_job_page_and_going_back_launch_nothing(opener):
    page = opener()
    fill(page)
    token = page.locator("[name=form_token]").input_value()
    launch(page)
    page.wait_for_url(at_a_job(page))
    job_url = page.url
    page.reload()
    page.go_back()
    page.wait_for_url("**/launch/")
    assert Job.objects.count() == 1
    page.locator("[name=form_token]").evaluate("(input, token) => { input.value = token; }", token)
    fill(page)
    launch(page)
    page.wait_for_url(job_url)
    assert Job.objects.count() == 1


def test_the_same_in_two_tabs_is_asked_about(opener):
    first = opener()
    second = first.context.new_page()
    second.goto(first.url)
    for page in (first, second):
        fill(page)
    launch(first)
    first.wait_for_url(at_a_job(first))
    launch(second)
    expect(second.get_by_text("less than a minute ago")).to_be_visible()
    assert Job.objects.count() == 1
    second.get_by_label("Launch the same again").check()
    launch(second)
    second.wait_for_url(at_a_job(second))
    assert Job.objects.count() == 2


def test_the_task_shows_what_applies_to_it(opener):
    page = opener()
    expect(page.get_by_label("Run for at most")).to_be_visible()
    expect(page.get_by_label("Stop after")).to_be_hidden()
    page.get_by_role("radio", name="Persistent").check()
    expect(page.get_by_label("Run for at most")).to_be_hidden()
    expect(page.get_by_label("Stop after")).to_be_visible()


def test_the_estimate_follows_the_choice(opener):
    page = opener()
    estimate = page.locator("#estimate")
    page.get_by_role("radio", name="Persistent").check()
    page.get_by_role("radio", name=re.compile("^RTX 5090")).check()
    expect(estimate).to_contain_text("RTX 5090")
    expect(estimate).to_contain_text("bills until it is stopped")
    page.get_by_text("Regions").click()
    page.get_by_label("Virginia (us-east-1)").check()
    expect(estimate).to_contain_text("$0.69/h")
    expect(estimate).to_contain_text("at most $16.56")
    expect(page.get_by_role("radio", name=re.compile("^RTX 5090"))).to_be_checked()
    page.get_by_label("Stop after").fill("1h")
    expect(estimate).to_contain_text("at most $0.69")


def test_secrets_are_masked_while_they_are_typed(opener, sandbox):
    page = opener()
    fill(page)
    page.locator("#id_env-0-name").fill("HF_TOKEN")
    value = page.locator("#id_env-0-value")
    expect(value).to_have_attribute("type", "password")
    value.fill("hf_canary")
    page.locator(".env-row").first.get_by_role("button", name="Show what is typed").click()
    expect(value).to_have_attribute("type", "text")
    page.locator("#id_env-1-name").fill("MODEL")
    expect(page.locator("#id_env-1-value")).to_have_attribute("type", "text")
    page.locator("#id_env-1-kind").select_option("secret")
    expect(page.locator("#id_env-1-value")).to_have_attribute("type", "password")
    page.locator("#id_env-1-value").fill("llama")
    page.get_by_role("button", name="Add a variable").click()
    page.locator("#id_env-2-name").fill("GONE")
    page.locator(".env-row").last.get_by_role("button", name="Remove this variable").click()
    launch(page)
    page.wait_for_url(at_a_job(page))
    job = Job.objects.get()
    assert specs.restore(job).env == {"HF_TOKEN": "hf_canary", "MODEL": "llama"}
    assert "hf_canary" not in page.content() + str(job.spec)


def test_pasted_lines_fill_rows(opener):
    page = opener()
    page.get_by_text("Paste NAME=value lines").click()
    page.locator("#id_env_lines").fill("export A=1\nHF_TOKEN='x y'\nrubbish\nB=2")
    page.get_by_role("button", name="Make rows of them now").click()
    expect(page.locator("#id_env_lines")).to_have_value("rubbish")
    names = [page.locator(f"#id_env-{number}-name").input_value() for number in range(3)]
    assert names == ["A", "HF_TOKEN", "B"]
    expect(page.locator("#id_env-1-value")).to_have_value("x y")
    expect(page.locator("#id_env-1-value")).to_have_attribute("type", "password")


def test_a_pasted_private_key_leaves_the_page_at_once(opener):
    page = opener()
    page.get_by_label("SSH public key").first.select_option("other")
    page.locator("#id_ssh_key").fill(PRIVATE_KEY)
    expect(page.locator("#id_ssh_key")).to_have_value("")
    expect(page.get_by_text("That was a private key")).to_be_visible()


def test_enter_in_a_field_launches_nothing(opener):
    page = opener()
    fill(page)
    page.get_by_label("Title").press("Enter")
    page.locator("#id_tag").press("Enter")
    expect(page.get_by_role("button", name="Launch", exact=True)).to_be_visible()
    assert not Job.objects.exists()


def test_a_refusal_leads_to_the_first_fault(opener):
    page = opener()
    fill(page)
    page.get_by_label("Ports to publish").fill("http")
    launch(page)
    expect(page.get_by_text("“http” is not a port number")).to_be_in_viewport()
    expect(page.get_by_label("Ports to publish")).to_be_focused()
    expect(page.get_by_label("Title")).to_have_value("T")


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_page_fits_and_is_accessible(opener, size, scheme):
    page = opener(size=size, color_scheme=scheme)
    assert_accessible(page)
    page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")
    page.get_by_label("Ports to publish").fill("http")
    launch(page)
    expect(page.get_by_text("Nothing was launched")).to_be_attached()
    assert_accessible(page)
    assert_fits(page)
