"""What people keep with jobs, and their SSH keys and calendar, in a real browser."""

from __future__ import annotations

import re
from typing import Any
from urllib.request import urlopen

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from dispersed_web.jobs import keeping
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Team
from tests import factories as make

from .axe import assert_accessible
from .windows import PHONE, OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def job(transactional_db: None) -> Job:
    team = make.make_team("Vision Lab", owner=make.make_user("ana@example.org", "Ana"))
    make.make_member(team, user=make.make_user("bob@example.org", "Bob"))
    return make.make_job(team, title="Dev box")


def at(job: Job, name: str = "job") -> str:
    return reverse(f"web:{name}", args=[job.team.slug, job.pk])


def stored(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_notes_tags_and_star_are_changed_in_place(open_window: OpenWindow, job: Job) -> None:
    page = open_window(at(job), make.owner_of(job.team))
    page.get_by_role("link", name="Write notes").click()
    page.locator("#id_notes").fill("**seed** 7")
    page.get_by_placeholder("Add a tag").fill("Night run")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("link", name="night run")).to_be_visible()
    expect(page.locator("#id_notes")).to_have_value("**seed** 7")
    with page.expect_response(lambda answer: "v=" in answer.url and answer.status == 200):
        Team.bump(job.team_id)
    expect(page.locator("#id_notes")).to_have_value("**seed** 7")
    page.get_by_role("button", name="Save the notes").click()
    expect(page.locator("#job-notes strong")).to_have_text("seed")
    star = page.get_by_role("button", name="My favourite")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Remove the tag night run").click()
    expect(page.get_by_role("link", name="night run")).to_have_count(0)
    assert_accessible(page)
    assert stored(job).notes == "**seed** 7"


def test_of_two_who_write_notes_the_second_sees_the_first(open_window: OpenWindow, job: Job) -> None:
    page = open_window(at(job), make.owner_of(job.team))
    page.get_by_role("link", name="Write notes").click()
    page.locator("#id_notes").fill("mine")
    keeping.set_notes(job, "theirs", seen=None, actor=make.LAUNCHER, now=timezone.now())
    page.get_by_role("button", name="Save the notes").click()
    expect(page.get_by_text("What they say now")).to_be_visible()
    expect(page.locator("#job-notes .prose")).to_have_text("theirs")
    expect(page.locator("#id_notes")).to_have_value("mine")
    assert_accessible(page)
    page.locator("#id_notes").fill("both")
    page.get_by_role("button", name="Save the notes").click()
    expect(page.locator("#job-notes .prose")).to_have_text("both")


def test_renaming_and_handing_over_from_a_phone(open_window: OpenWindow, job: Job) -> None:
    page = open_window(at(job), make.owner_of(job.team), size=PHONE)
    menu = page.get_by_label("More for this job")
    menu.click()
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Title").fill("Training")
    assert_accessible(page)
    page.get_by_role("button", name="Rename it").click()
    expect(page.get_by_role("heading", name="Training", level=1)).to_be_visible()
    menu.click()
    page.get_by_role("link", name="Hand over").click()
    page.get_by_label("New owner").select_option(label="Bob (bob@example.org)")
    assert_accessible(page)
    page.get_by_role("button", name="Hand it over").click()
    expect(page.get_by_text("belongs to Bob now")).to_be_visible()
    assert str(stored(job).owner) == "Bob"


def test_without_javascript_all_of_it_works_too(open_window: OpenWindow, job: Job) -> None:
    page = open_window(at(job), make.owner_of(job.team), java_script_enabled=False)
    page.get_by_role("link", name="Write notes").click()
    page.locator("#id_notes").fill("a")
    page.get_by_role("button", name="Save the notes").click()
    expect(page.locator("#job-notes .prose")).to_have_text("a")
    page.get_by_placeholder("Add a tag").fill("night")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("link", name="night")).to_be_visible()
    star = page.get_by_role("button", name="My favourite")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.get_by_label("More for this job").click()
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Title").fill("Training")
    page.get_by_role("button", name="Rename it").click()
    expect(page.get_by_role("heading", name="Training", level=1)).to_be_visible()
    assert (stored(job).notes, keeping.tags_of(job)) == ("a", ["night"])
    assert keeping.is_starred(job, make.owner_of(job.team).pk)


def test_ones_stars_stand_in_the_table_and_stay_when_it_is_renewed(open_window: OpenWindow, job: Job) -> None:
    ana = make.owner_of(job.team)
    make.make_job(job.team, title="Other")
    keeping.star(job, ana.pk)
    page = open_window(reverse("web:jobs", args=[job.team.slug]), ana)
    starred = page.locator("tr.is-starred")
    expect(starred).to_have_count(1)
    expect(starred).to_contain_text("Dev box")
    with page.expect_response(lambda answer: "v=" in answer.url and answer.status == 200):
        Team.bump(job.team_id)
    expect(starred).to_have_count(1)
    page.get_by_text("Starred", exact=True).click()
    expect(page.locator(".row-title")).to_have_text(["Dev box"])
    page.locator("select[name=owner]").select_option(label="Bob")
    expect(page.get_by_text("No job matches")).to_be_visible()


def test_columns_are_hidden_without_javascript(open_window: OpenWindow, job: Job) -> None:
    page = open_window(
        reverse("web:jobs", args=[job.team.slug]) + "?show=all",
        make.owner_of(job.team),
        java_script_enabled=False,
    )
    expect(page.locator("td.col-gpu")).to_be_visible()
    page.get_by_text("Columns").click()
    page.get_by_label("GPU").uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("td.col-gpu")).to_be_hidden()
    expect(page.locator("td.col-cost")).to_be_visible()
    assert "show=all" in page.url


def test_keys_and_calendar_in_the_profile(open_window: OpenWindow, job: Job, live_server: Any) -> None:
    ana = make.owner_of(job.team)
    page = open_window(reverse("web:me"), ana)
    page.get_by_label("SSH public key").fill(
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----"
    )
    expect(page.get_by_text("That was a private key")).to_be_visible()
    expect(page.get_by_label("SSH public key")).to_have_value("")
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_label("SSH public key")).to_have_attribute("aria-invalid", "true")
    assert_accessible(page)
    page.get_by_label("SSH public key").fill(make.SSH_KEY)
    page.get_by_role("button", name="Add the key").click()
    expect(page.locator(".fingerprint")).to_contain_text("SHA256:")
    assert ana.default_ssh_key == make.SSH_KEY
    page.get_by_role("button", name="Make a private address").click()
    address = page.locator("#calendar-address").inner_text()
    assert (
        page.get_by_role("link", name="Open in my calendar program")
        .get_attribute("href")
        .startswith("webcal://")
    )
    assert_accessible(page)
    path = re.search(r"/cal/[\w-]{43}\.ics", address)[0]
    with urlopen(live_server.url + path) as answer:
        assert b"Dev box" in answer.read()
