"""Recipes in a real browser: found in the gallery, made with three inputs, changed, compared and rolled back, with and
without scripts, on a desk and on a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team
from tests import factories
from tests.web.recipe_scenes import BATCH, COMFY, add_version, make_recipe

from .axe import assert_accessible
from .windows import PHONE, OpenWindow, assert_fits, press_in_turn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def team() -> Team:
    return factories.make_team("Vision Lab", slug="vision-lab")


@pytest.fixture
def opener(open_window: OpenWindow, team: Team) -> OpenWindow:
    """Opens a page of the team as its owner."""

    def opened(path: str = "recipes/", **options: Any) -> Page:
        return open_window(f"/t/{team.slug}/{path}", factories.owner_of(team), **options)

    return opened


def add_input(page: Page, number: int, label: str, kind: str, **fields: str) -> None:
    page.get_by_role("button", name="Add an input").click()
    page.locator(f"#id_inputs-{number}-label").fill(label)
    if kind != "text":
        page.locator(f"#id_inputs-{number}-type").select_option(kind)
        expect(page.locator(f"#input-{number} summary")).to_contain_text(fields.pop("says"))
    for name, value in fields.items():
        control = page.locator(f"#id_inputs-{number}-{name}")
        control.select_option(value) if name == "to" else control.fill(value)


def test_a_recipe_of_three_inputs_is_made_and_previewed(opener: OpenWindow, team: Team) -> None:
    page = opener("recipes/new/")
    page.get_by_label("Name", exact=True).fill("Notebook box")
    page.locator("#id_image").fill("dispersednetwork/base")
    page.locator("#id_task").select_option("PERSISTENT")
    add_input(page, 0, "Hugging Face token", "secret", says="Secret", variable="HF_TOKEN")
    add_input(page, 1, "Model", "choice", says="Choice", variable="MODEL", choices="small = 7 B, fast\nlarge")
    add_input(
        page, 2, "For how long", "duration", says="Duration", to="lifetime_s", default="2h", maximum="1d"
    )
    expect(page.locator("#id_inputs-2-key")).to_have_value("for_how_long")
    preview = page.locator("#preview")
    expect(preview.get_by_label("For how long")).to_have_value("2h")
    expect(preview.get_by_label("Model").locator("option", has_text="7 B, fast")).to_be_attached()
    expect(preview.get_by_label("Hugging Face token")).to_be_disabled()
    assert_accessible(page)
    page.get_by_role("button", name="Move For how long up").click()
    expect(page.locator("#id_inputs-1-label")).to_have_value("For how long")
    page.get_by_role("button", name="Make the recipe").click()
    expect(page.get_by_role("heading", name="Notebook box", level=1)).to_be_visible()
    made = Recipe.objects.get(team=team)
    assert [one["key"] for one in made.current.document["inputs"]] == [
        "hugging_face_token",
        "for_how_long",
        "model",
    ]


def test_without_scripts_the_same_is_made_with_plain_buttons(opener: OpenWindow, team: Team) -> None:
    page = opener("recipes/new/", java_script_enabled=False)
    page.get_by_label("Name", exact=True).fill("Plain")
    page.locator("#id_image").fill("dispersednetwork/base")
    page.locator("#id_task").select_option("PERSISTENT")
    page.get_by_role("button", name="Add an input").click()
    page.locator("#id_inputs-0-label").fill("Disk")
    page.locator("#id_inputs-0-key").fill("disk")
    page.locator("#id_inputs-0-type").select_option("number")
    page.get_by_role("button", name="Show the fields of this type").click()
    page.locator("#id_inputs-0-to").select_option("min_storage_gb")
    page.locator("#id_inputs-0-minimum").fill("20")
    page.get_by_role("button", name="Make the recipe").click()
    expect(page.get_by_role("heading", name="Plain", level=1)).to_be_visible()
    asked = Recipe.objects.get(team=team).current.document["inputs"]
    assert asked == [
        {"key": "disk", "type": "number", "to": "min_storage_gb", "label": "Disk", "minimum": 20}
    ]


def test_a_refusal_leads_to_the_fault_and_keeps_everything(opener: OpenWindow) -> None:
    page = opener("recipes/new/")
    page.get_by_label("Name", exact=True).fill("Box")
    page.locator("#id_description_md").fill("An hour of writing.")
    page.locator("#id_gpu_count").fill("many")
    page.keyboard.press("Enter")
    expect(page.locator("#id_gpu_count")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#id_gpu_count")).to_have_value("many")
    expect(page.locator("#id_description_md")).to_have_value("An hour of writing.")
    expect(page.locator(".editor-faults")).to_contain_text("to mend above")
    assert_accessible(page)


def test_versions_are_compared_and_one_rolled_back(opener: OpenWindow, team: Team) -> None:
    recipe = make_recipe(team, factories.owner_of(team))
    page = opener(f"recipes/{recipe.pk}/edit/")
    page.locator("#id_min_vram_gb").fill("48")
    page.get_by_label("What changed").fill("More memory")
    page.get_by_role("button", name="Save version 2").click()
    expect(page.get_by_text("Saved as v2.")).to_be_visible()
    page.get_by_role("link", name="All, compared").click()
    expect(page.locator(".diff-removed")).to_contain_text("24")
    expect(page.locator(".diff-added")).to_contain_text("48")
    assert_accessible(page)
    page.get_by_role("button", name="Roll back to v1").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back to v1").click()
    expect(page.get_by_text("as v3.")).to_be_visible()
    recipe.refresh_from_db()
    assert recipe.current.document["spec"]["min_vram_gb"] == 24


def test_the_gallery_filters_while_one_types_and_pins(opener: OpenWindow, team: Team) -> None:
    owner = factories.owner_of(team)
    make_recipe(team, owner)
    make_recipe(team, owner, "Bench", BATCH, category="batch", icon="batch")
    page = opener()
    expect(page.locator(".recipe-card")).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.type("bench")
    expect(page.locator(".recipe-card")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=bench"))
    page.get_by_role("searchbox").fill("")
    expect(page.locator(".recipe-card")).to_have_count(2)
    page.get_by_text("Batch work", exact=True).click()
    expect(page.locator(".recipe-card")).to_have_count(1)
    page.get_by_role("button", name="Pin Bench").click()
    expect(page.get_by_role("button", name="Pin Bench", pressed=True)).to_be_visible()
    expect(page).to_have_url(re.compile("category=batch"))
    press_in_turn(page, "g", "j")
    page.wait_for_url("**/jobs/")
    press_in_turn(page, "g", "r")
    page.wait_for_url("**/recipes/")
    expect(page.get_by_role("heading", name="Pinned")).to_be_visible()


def test_text_and_form_are_the_same_recipe(opener: OpenWindow, team: Team) -> None:
    recipe = make_recipe(team, factories.owner_of(team))
    page = opener(f"recipes/{recipe.pk}/edit/")
    page.get_by_role("button", name="As YAML").click()
    area = page.locator("#id_yaml")
    text = area.input_value()
    area.fill(text.replace("min_vram_gb: 24", "min_vram_gb: lots"))
    page.get_by_role("button", name="Save version 2").click()
    expect(page.locator(".fault-text")).to_have_text("min_vram_gb: lots")
    expect(page.locator("#preview")).to_contain_text("not complete yet")
    assert_accessible(page)
    area.fill(text.replace("min_vram_gb: 24", "min_vram_gb: 48"))
    page.get_by_role("button", name="Form", exact=True).click()
    expect(page.locator("#id_min_vram_gb")).to_have_value("48")


def test_every_page_fits_a_phone(opener: OpenWindow, team: Team) -> None:
    owner = factories.owner_of(team)
    recipe = make_recipe(team, owner)
    add_version(
        recipe, {**COMFY, "tags": ["other"]}, "A long note on what changed between the one and the other"
    )
    make_recipe(team, owner, "x" * 80, BATCH, icon="batch", archived_at=timezone.now())
    page = opener(size=PHONE, is_mobile=True)
    one = f"recipes/{recipe.pk}/"
    base = page.url
    for path in ("", "?archived=yes", "?q=none", "new/", "import/"):
        _fits(page, f"{base}{path}")
    for path in ("", "?v=1", "edit/", "versions/"):
        _fits(page, f"{base.removesuffix('recipes/')}{one}{path}")


def _fits(page: Page, address: str) -> None:
    page.goto(address)
    assert_fits(page)
