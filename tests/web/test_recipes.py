"""The gallery of recipes, the page of one, and what people do with it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web.jobs.models import Market
from dispersed_web.recipes.models import Recipe, RecipePin
from dispersed_web.teams.models import Team
from tests import factories as make
from tests.web.recipe_scenes import BATCH, COMFY, add_version, make_recipe

pytestmark = pytest.mark.django_db

ALL, MAKERS = ("viewer", "member", "admin", "owner"), ("member", "admin", "owner")
EDITORS = ("admin", "owner")
# Name, method, the roles that may do it with a recipe that the team has from somebody else
ADDRESSES = [
    ("recipes", "get", ALL),
    ("recipe", "get", ALL),
    ("recipe-versions", "get", ALL),
    ("recipe-export", "get", ALL),
    ("recipes-export", "get", ALL),
    ("recipe-pin", "post", ALL),
    ("recipe-new", "get", MAKERS),
    ("recipe-new", "post", MAKERS),
    ("recipe-preview", "post", MAKERS),
    ("recipe-import", "get", MAKERS),
    ("recipe-import", "post", MAKERS),
    ("recipes-starters", "post", MAKERS),
    ("recipe-copy", "post", MAKERS),
    ("recipe-edit", "get", EDITORS),
    ("recipe-edit", "post", EDITORS),
    ("recipe-share", "post", EDITORS),
    ("recipe-archive", "post", EDITORS),
    ("recipe-roll-back", "post", EDITORS),
    ("recipe-hand-over", "get", EDITORS),
    ("recipe-hand-over", "post", EDITORS),
]
OF_THE_TEAM = {
    "recipes",
    "recipes-export",
    "recipe-new",
    "recipe-preview",
    "recipe-import",
    "recipes-starters",
}
addresses = pytest.mark.parametrize(("name", "method", "allowed"), ADDRESSES)


@pytest.fixture
def team() -> Team:
    return make.make_team("Vision Lab", slug="vision-lab")


@pytest.fixture
def recipe(team: Team) -> Recipe:
    return make_recipe(team, make.make_member(team, "member"))


@pytest.fixture
def owner(client: Client, team: Team) -> Any:
    return make.sign_in(client, make.owner_of(team))


def url(name: str, recipe: Recipe, slug: str = "") -> str:
    slug = slug or recipe.team.slug
    return reverse(f"web:{name}", args=[slug] if name in OF_THE_TEAM else [slug, recipe.pk])


# Who may -------------------------------------------------------------------------------------------------------------


@addresses
@pytest.mark.parametrize("role", ALL)
def test_each_role(client: Client, recipe: Recipe, name: str, method: str, allowed: Any, role: str) -> None:
    make.sign_in(client, make.make_member(recipe.team, role))
    before = list(Recipe.objects.values())
    answer = getattr(client, method)(url(name, recipe))
    assert (answer.status_code != 403) == (role in allowed)
    if role in allowed:
        assert answer.status_code in (200, 302, 404, 422)
    else:
        assert list(Recipe.objects.values()) == before


@addresses
def test_strangers_and_visitors_get_nothing(
    client: Client, recipe: Recipe, name: str, method: str, allowed: Any
) -> None:
    signed_out = getattr(client, method)(url(name, recipe))
    assert signed_out.status_code == 302
    assert signed_out["Location"].startswith("/account/login/")
    stranger = make.make_team()
    make.sign_in(client, make.owner_of(stranger))
    assert getattr(client, method)(url(name, recipe)).status_code == 404
    if name not in OF_THE_TEAM:
        assert getattr(client, method)(url(name, recipe, stranger.slug)).status_code == 404


@pytest.mark.parametrize("name", sorted({name for name, *_ in ADDRESSES} - OF_THE_TEAM))
def test_a_private_recipe_is_its_owners_alone(client: Client, team: Team, owner: Any, name: str) -> None:
    mine = make_recipe(team, make.make_member(team), visibility="private")
    method = next(method for one, method, _ in ADDRESSES if one == name)
    assert getattr(client, method)(url(name, mine)).status_code == 404
    missing = make_recipe(team, owner)
    missing.pk = uuid.uuid4()
    assert getattr(client, method)(url(name, missing)).status_code == 404


# The gallery ---------------------------------------------------------------------------------------------------------


def test_an_empty_gallery_offers_the_ways_to_a_first_recipe(client: Client, team: Team, owner: Any) -> None:
    page = client.get(reverse("web:recipes", args=[team.slug])).content.decode()
    for words in ("No recipes yet", "Add the starter recipes", "New recipe", "Import"):
        assert words in page
    client.post(reverse("web:recipes-starters", args=[team.slug]))
    page = client.get(reverse("web:recipes", args=[team.slug])).content.decode()
    assert page.count('class="recipe-card"') == Recipe.objects.filter(team=team).count() > 5
    assert "Add the starter recipes" not in page


def test_cards_say_machine_price_owner_and_use(client: Client, team: Team, owner: Any) -> None:
    credential = make.make_credential(team)
    gpus = [
        {"uuid": "u1", "name": "NVIDIA RTX 4090", "vram_gb": 24},
        {"uuid": "u2", "name": "H100", "vram_gb": 80},
    ]
    offers = [
        {
            "gpu_registry_uuid": gpu,
            "gpu_label": "",
            "gpu_count": 1,
            "region_code": "eu-west-1",
            "hourly_rate_usd": usd,
        }
        for gpu, usd in (("u1", "0.3500"), ("u2", "2.4000"))
    ]
    Market.objects.create(credential=credential, gpus=gpus, offers=offers, fetched_at=timezone.now())
    make_recipe(team, owner, launches=12)
    make_recipe(team, None, "Mine", BATCH, source="starter:batch", visibility="team")
    page = client.get(reverse("web:recipes", args=[team.slug])).content.decode()
    for words in ("from $0.35/h", "Any GPU ≥ 24 GB, persistent", "12 launches", "Starter", "Any GPU, batch"):
        assert words in page
    assert "Pictures and video from text." in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Bench", "ComfyUI"]),
        ("?q=comfy", ["ComfyUI"]),
        ("?q=DISPERSEDNETWORK+bench", ["Bench"]),
        ("?q=nothing-like-it", []),
        ("?category=batch", ["Bench"]),
        ("?category=nonsense", ["Bench", "ComfyUI"]),
        ("?archived=yes", ["Old"]),
    ],
)
def test_search_category_and_archive(
    client: Client, team: Team, owner: Any, query: str, names: list[str]
) -> None:
    make_recipe(team, owner)
    make_recipe(team, owner, "Bench", BATCH, category="batch")
    make_recipe(team, owner, "Old", BATCH, archived_at=timezone.now())
    make_recipe(team, make.make_member(team), "Hidden", BATCH, visibility="private")
    shelves = client.get(reverse("web:recipes", args=[team.slug]) + query).context["gallery"].shelves
    assert [card.recipe.name for shelf in shelves for card in shelf.cards] == names


def test_pinned_come_first_then_what_the_person_used_lately(client: Client, team: Team, owner: Any) -> None:
    rows = [make_recipe(team, owner, name, BATCH) for name in ("A", "B", "C", "D")]
    RecipePin.objects.create(recipe=rows[3], user=owner)
    RecipePin.objects.create(recipe=rows[0], user=make.make_member(team))
    hour = dt.timedelta(hours=1)
    for row, ago, user in ((rows[1], 5, owner), (rows[2], 2, owner), (rows[0], 1, make.make_member(team))):
        make.make_job(
            team, recipe_version=row.current, created_by=user, created_at=timezone.now() - ago * hour
        )
    shelves = client.get(reverse("web:recipes", args=[team.slug])).context["gallery"].shelves
    found = [(shelf.title, [card.recipe.name for card in shelf.cards]) for shelf in shelves]
    assert found == [("Pinned", ["D"]), ("Used lately by you", ["C", "B"]), ("All others", ["A"])]


def test_the_number_of_queries_does_not_grow(
    client: Client, team: Team, owner: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        make_recipe(team, make.make_member(team), f"R {number}")
    address = reverse("web:recipes", args=[team.slug])
    client.get(address)
    with django_assert_max_num_queries(16):
        page = client.get(address)
    assert page.content.decode().count('class="recipe-card"') == 30


def test_beyond_a_hundred_it_says_how_to_find_the_others(client: Client, team: Team, owner: Any) -> None:
    for number in range(103):
        make_recipe(team, owner, f"R {number:03}", BATCH)
    page = client.get(reverse("web:recipes", args=[team.slug])).content.decode()
    assert page.count('class="recipe-card"') == 100
    assert "3 more are not shown" in page
    assert "R 102" in client.get(reverse("web:recipes", args=[team.slug]) + "?q=102").content.decode()


def test_a_filtered_gallery_is_fetched_alone(client: Client, team: Team, owner: Any) -> None:
    make_recipe(team, owner)
    part = client.get(reverse("web:recipes", args=[team.slug]) + "?q=comfy", headers={"HX-Request": "true"})
    assert part.content.decode().strip().startswith('<div id="recipes">')


# The page ------------------------------------------------------------------------------------------------------------


def test_the_page_tells_what_is_asked_launched_and_locked(client: Client, recipe: Recipe, owner: Any) -> None:
    page = client.get(url("recipe", recipe)).content.decode()
    for words in (
        "<strong>SDXL</strong>",
        "Hugging Face token",
        "HF_TOKEN",
        "Duration, at most 24",
        "dispersednetwork/comfyui",
        "PROVISIONING",
        "$1.50/h",
        "<strong>web page</strong>",
        "/launch/",
    ):
        assert words in page
    image = next(
        line
        for group in client.get(url("recipe", recipe)).context["groups"]
        for line in group.lines
        if line.name == "Image"
    )
    assert image.is_locked


def test_hostile_words_stay_words(client: Client, team: Team, owner: Any) -> None:
    bad = "<script>alert(1)</script>"
    document = {
        **COMFY,
        "spec": {**COMFY["spec"], "env": {"PROVISIONING": bad}},
        "inputs": [{"key": "x", "type": "text", "to": "env.X", "label": bad, "help": bad, "default": bad}],
        "tags": [bad],
        "connection": {"text": bad, "links": [{"port": 1, "label": bad}]},
    }
    mine = make_recipe(team, owner, bad, document, description_md=f"{bad} [x](javascript:alert(1))")
    add_version(mine, {**document, "tags": ["other"]}, bad)
    for name in ("recipes", "recipe", "recipe-versions", "recipe-edit"):
        page = client.get(url(name, mine)).content.decode()
        assert bad not in page
        assert 'href="javascript' not in page
    assert "alert(1)" in client.get(url("recipe-export", mine)).content.decode()


def test_an_old_version_is_read_and_says_so(client: Client, recipe: Recipe, owner: Any) -> None:
    add_version(recipe, {**COMFY, "spec": {**COMFY["spec"], "image": "lab/other"}}, "Another image")
    old = client.get(url("recipe", recipe) + "?v=1").content.decode()
    assert "not the current one" in old
    assert "dispersednetwork/comfyui" in old
    new = client.get(url("recipe", recipe)).content.decode()
    assert "not the current one" not in new
    assert "lab/other" in new
    assert "Another image" in new
    for wrong in ("3", "x", "-1", "99999999999"):
        assert client.get(url("recipe", recipe) + f"?v={wrong}").status_code == 404


def test_its_launches_are_listed_with_their_version(client: Client, recipe: Recipe, owner: Any) -> None:
    job = make.make_job(recipe.team, title="Storyboard", recipe_version=recipe.current)
    add_version(recipe, BATCH)
    page = " ".join(client.get(url("recipe", recipe)).content.decode().split())
    assert f"/jobs/{job.pk}/" in page
    assert "v1, current is v2" in page


# Acts ----------------------------------------------------------------------------------------------------------------


def test_pin_and_unpin(client: Client, recipe: Recipe, owner: Any) -> None:
    client.post(url("recipe-pin", recipe), {"pin": "yes"})
    assert RecipePin.objects.filter(recipe=recipe, user=owner).count() == 1
    back = client.post(url("recipe-pin", recipe), {"pin": "no", "back": "gallery", "q": "a b"})
    assert back["Location"] == f"{url('recipes', recipe)}?q=a+b"
    assert not RecipePin.objects.exists()


def test_copy_share_archive_and_restore(client: Client, recipe: Recipe, owner: Any) -> None:
    answer = client.post(url("recipe-copy", recipe))
    copy = Recipe.objects.exclude(pk=recipe.pk).get()
    assert answer["Location"] == url("recipe", copy)
    assert (copy.owner, copy.visibility, copy.copied_from) == (owner, "private", recipe)
    assert "Copied from" in client.get(url("recipe", copy)).content.decode()
    client.post(url("recipe-share", copy), {"visibility": "team"})
    copy.refresh_from_db()
    assert copy.visibility == "team"
    client.post(url("recipe-archive", copy), {"archive": "yes"})
    copy.refresh_from_db()
    assert copy.archived_at
    page = client.get(url("recipe", copy)).content.decode()
    assert "It launches nothing until it is restored" in page
    assert f"{url('recipe', copy)}launch/" not in page
    client.post(url("recipe-archive", copy), {"archive": "no"})
    copy.refresh_from_db()
    assert copy.archived_at is None


def test_an_admin_does_not_hide_what_is_somebody_elses(client: Client, recipe: Recipe, owner: Any) -> None:
    answer = client.post(url("recipe-share", recipe), {"visibility": "private"}, follow=True)
    assert "Only its owner may make a recipe private" in answer.content.decode()
    recipe.refresh_from_db()
    assert recipe.visibility == "team"


def test_a_recipe_is_handed_over_to_a_member(client: Client, recipe: Recipe, owner: Any) -> None:
    viewer, heir = make.make_member(recipe.team, "viewer"), make.make_member(recipe.team)
    page = client.get(url("recipe-hand-over", recipe)).content.decode()
    assert str(heir) in page
    assert str(viewer) not in page
    assert client.post(url("recipe-hand-over", recipe), {"to": str(viewer.pk)}).status_code == 422
    answer = client.post(url("recipe-hand-over", recipe), {"to": str(heir.pk)})
    assert answer["Location"] == url("recipe", recipe)
    recipe.refresh_from_db()
    assert recipe.owner == heir
    log = client.get(reverse("web:team-events", args=[recipe.team.slug])).content.decode()
    assert f"handed the recipe “ComfyUI” to {heir}" in log


def test_a_private_one_is_out_of_sight_then(client: Client, team: Team, owner: Any) -> None:
    mine, heir = make_recipe(team, owner, visibility="private"), make.make_member(team)
    answer = client.post(url("recipe-hand-over", mine), {"to": str(heir.pk)})
    assert answer["Location"] == url("recipes", mine)
    assert client.get(url("recipe", mine)).status_code == 404
