"""Launching from recipes in a real browser: few steps, live prices, the review, several at once, presets."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dispersed_web.clock import database_now
from dispersed_web.jobs import market, sending
from dispersed_web.jobs.models import Job, Preset
from dispersed_web.recipes import starters
from dispersed_web.teams.models import Team, TeamSshKey
from tests import factories

from .axe import assert_accessible
from .windows import LOOKS, OpenWindow, assert_fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def team(sandbox: Any) -> Team:
    team = factories.make_team("Vision Lab", slug="vision-lab")
    starters.install(team, database_now())
    market.refresh(factories.make_credential(team, sandbox).pk, database_now)
    return team


@pytest.fixture
def opener(open_window: OpenWindow, team: Team) -> OpenWindow:
    """Opens a page of the team as a member with a key in the profile."""
    member = factories.make_member(team, user=factories.make_user(ssh_key=factories.SSH_KEY))
    return lambda path="", **options: open_window(f"/t/{team.slug}/{path}", member, **options)


def sent(sandbox: Any) -> dict[str, Any]:
    """The one job as the cloud's own ledger has it."""
    job = Job.objects.get()
    sending.send(job.pk, database_now)
    job.refresh_from_db()
    assert job.status == "PENDING"
    return sandbox.control.job(job.remote_uuid)["spec"]


def start(page: Page, name: str) -> None:
    page.locator(".launch-start", has=page.get_by_text(name, exact=True)).click()
    page.get_by_role("heading", name=f"Launch {name}").wait_for()


def launch(page: Page) -> None:
    page.locator(".launch-submit").get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_url(re.compile(r"/t/vision-lab/jobs/[0-9a-f-]{36}/"))


@pytest.mark.parametrize("blind", [False, True], ids=["with JavaScript", "without"])
@pytest.mark.parametrize(
    ("name", "task", "image", "ports"),
    [
        ("ComfyUI", "PERSISTENT", "dispersednetwork/comfyui", [22]),
        ("SSH machine", "PERSISTENT", "otoy/dispersed-base", [22]),
        ("GPU benchmark", "BATCH", "dispersednetwork/pytorch-benchmark", None),
    ],
)
def test_a_starter_recipe_is_three_clicks_away(opener, sandbox, name, task, image, ports, blind):
    page = opener(java_script_enabled=not blind)
    page.locator(".nav-item, .sidebar a").get_by_text("Launch", exact=True).first.click()  # 1
    start(page, name)  # 2
    launch(page)  # 3
    spec = sent(sandbox)
    docker = spec["parameters"]["parameters"]
    assert (spec["task"], docker["image"], docker.get("ports")) == (task, image, ports)
    if task == "PERSISTENT":
        assert docker["sshkey"] == factories.SSH_KEY


def test_the_price_follows_the_answers_and_a_suggestion_is_taken_with_a_click(opener, sandbox):
    page = opener("launch/")
    start(page, "ComfyUI")
    page.locator(".launch-suggested label").click()
    expect(page.locator("#estimate")).to_contain_text("RTX A4000")
    expect(page.locator("#estimate .launch-price")).to_contain_text("$0.17/h")
    page.get_by_role("radio", name=re.compile("^RTX 5090")).check()
    expect(page.locator("#estimate")).to_contain_text("RTX 5090")
    expect(page.get_by_role("radio", name=re.compile("^RTX 5090"))).to_be_checked()
    launch(page)
    assert sent(sandbox)["gpu_registry_uuid"] == Job.objects.get().spec["gpu_registry_uuid"]


def test_the_review_shows_the_request_and_launches_it(opener, sandbox):
    page = opener("launch/")
    start(page, "SSH machine")
    page.get_by_text("Machine, access, limits…").click()
    page.locator("#id_env-0-name").fill("HF_TOKEN")
    page.locator("#id_env-0-value").fill("hf_canary")
    page.get_by_role("button", name="Review the request").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("What Dispersed gets")
    body = json.loads(page.locator("#review-body").inner_text())
    assert body["parameters"]["parameters"]["env"]["HF_TOKEN"] == "•••"
    assert "hf_canary" not in dialog.inner_text()
    assert_accessible(page)
    dialog.get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_url(re.compile(r"/jobs/[0-9a-f-]{36}/"))
    docker = sent(sandbox)["parameters"]["parameters"]
    assert docker["env"]["HF_TOKEN"] == "hf_canary"


def test_several_are_confirmed_with_their_price(opener):
    page = opener("launch/")
    start(page, "GPU benchmark")
    page.get_by_label("Copies").fill("3")
    page.locator(".launch-submit").get_by_role("button", name="Launch", exact=True).click()
    question = page.get_by_role("group", name="Launch 3 jobs?")
    expect(question).to_contain_text(re.compile(r"Together \$0\.5\d to"))
    assert not Job.objects.exists()
    assert_accessible(page)
    question.get_by_role("button", name="Launch 3 jobs").click()
    page.wait_for_url("**/t/vision-lab/jobs/")
    titles = sorted(Job.objects.values_list("title", flat=True))
    assert titles == ["GPU benchmark #1", "GPU benchmark #2", "GPU benchmark #3"]


def test_a_key_of_the_team_or_another_is_chosen(opener, team, sandbox):
    other = factories.SSH_KEY.replace("somebody@laptop", "jump@host")
    TeamSshKey.objects.create(team=team, name="Jump host", line=other, fingerprint="SHA256:x")
    page = opener("launch/")
    start(page, "SSH machine")
    choice = page.get_by_label("SSH key", exact=True)
    expect(choice).to_have_value(re.compile("^mine:"))
    text = page.get_by_label("SSH public key")
    expect(text).to_be_hidden()
    choice.select_option("other")
    expect(text).to_be_visible()
    choice.select_option(label="Jump host")
    expect(text).to_be_hidden()
    launch(page)
    assert sent(sandbox)["parameters"]["parameters"]["sshkey"] == other


def test_a_preset_stands_on_top_of_the_form(opener):
    page = opener("launch/")
    start(page, "ComfyUI")
    page.get_by_label("Title").fill("My pictures")
    page.get_by_text("Save as a preset").click()
    page.get_by_label("Name of the preset").fill("Pictures")
    page.get_by_label("This is my usual").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("“Pictures” is saved")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("My pictures")
    assert Preset.objects.get().is_usual
    assert not Job.objects.exists()
    page = opener("launch/")
    page.locator(".launch-start").first.click()
    expect(page.get_by_label("Title")).to_have_value("My pictures")
    assert "/recipes/" in page.url


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_a_recipes_form_fits_and_is_accessible(opener, size, scheme):
    page = opener("launch/", size=size, color_scheme=scheme)
    assert_accessible(page)
    start(page, "ComfyUI")
    assert_accessible(page)
    page.locator("#id_in-image").fill("")
    page.get_by_text("Machine, access, limits…").click()
    page.get_by_label("Ports to publish").fill("http")
    page.locator(".launch-submit").get_by_role("button", name="Launch", exact=True).click()
    expect(page.get_by_text("Nothing was launched")).to_be_attached()
    expect(page.get_by_text("“http” is not a port number")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
