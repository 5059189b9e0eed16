"""A secret of the team in a real browser: added once, launched with by name, and masked where the container prints it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from dispersed_web.clock import database_now
from dispersed_web.jobs import market, sending, sync
from dispersed_web.jobs.models import Job
from tests import factories

from .windows import OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
VALUE = "hf_canaryTeamSecret7e1b"


def test_a_secret_is_added_launched_with_and_masked_in_the_log(open_window: OpenWindow, sandbox: Any) -> None:
    team = factories.make_team("Vision Lab", slug="vision-lab")
    credential = factories.make_credential(team, sandbox)
    market.refresh(credential.pk, database_now)
    page = open_window("/t/vision-lab/secrets/", factories.owner_of(team))
    page.get_by_role("link", name="Add a secret").click()
    page.get_by_label("Name", exact=True).fill("hf-token")
    page.get_by_label("Value", exact=True).fill(VALUE)
    page.get_by_role("button", name="Add the secret").click()
    expect(page.get_by_role("link", name="hf-token", exact=True)).to_be_visible()
    assert VALUE not in page.content()

    page.goto("/t/vision-lab/launch/?example=development-environment")
    page.locator("[name=env-0-name]").fill("SANDBOX_BEHAVIOUR")
    page.locator("[name=env-0-kind]").select_option(label="hf-token")
    expect(page.locator("[name=env-0-value]")).to_be_hidden()
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page).to_have_url(re.compile(r"/t/vision-lab/jobs/[0-9a-f-]{36}/"))

    job = Job.objects.get()
    sending.send(job.pk, database_now)
    sandbox.control.advance(400)
    sync.sync(credential.pk, database_now)
    page.goto(f"/t/vision-lab/jobs/{job.pk}/logs/")
    line = page.get_by_text("is unknown; it knows")
    expect(line).to_contain_text("SANDBOX_BEHAVIOUR=••••")
    assert VALUE not in page.content()
    page.goto(f"/t/vision-lab/jobs/{job.pk}/spec/")
    expect(page.get_by_text("the team’s secret “hf-token”", exact=True)).to_be_visible()
    assert VALUE not in page.content()
