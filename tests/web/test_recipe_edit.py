"""Making and changing recipes, as a form and as YAML: what is typed is kept, what is wrong is shown where it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.document import INPUT_TYPES
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team
from dispersed_web.web.forms.recipe import RecipeForm
from dispersed_web.web.recipes.recipe_editing import Start
from tests import factories as make
from tests.web.recipe_scenes import BATCH, COMFY, add_version, make_recipe

pytestmark = pytest.mark.django_db
ROWS = {
    f"{prefix}-{name}": value
    for prefix in ("env", "inputs", "volumes", "links")
    for name, value in (("TOTAL_FORMS", "0"), ("INITIAL_FORMS", "0"))
}
TYPED = {
    **ROWS,
    "name": "Box",
    "category": "machine",
    "icon": "machine",
    "task": "PERSISTENT",
    "image": "dispersednetwork/base",
}

TEXT = {"type": "text", "key": "x", "to": "env.", "variable": "X"}


@pytest.fixture
def team() -> Team:
    return make.make_team("Vision Lab", slug="vision-lab")


@pytest.fixture
def owner(client: Client, team: Team) -> Any:
    return make.sign_in(client, make.owner_of(team))


@pytest.fixture
def new(team: Team) -> str:
    return reverse("web:recipe-new", args=[team.slug])


def edit_url(recipe: Recipe) -> str:
    return reverse("web:recipe-edit", args=[recipe.team.slug, recipe.pk])


def rows(prefix: str, *filled: dict[str, str]) -> dict[str, str]:
    found = {f"{prefix}-TOTAL_FORMS": str(len(filled)), f"{prefix}-INITIAL_FORMS": "0"}
    for number, row in enumerate(filled):
        found |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return found


def fields_of(form: Any) -> dict[str, Any]:
    """What a browser would send of an untouched form."""
    found: dict[str, Any] = {}
    for one in (form, *(row for rows in form.all_rows for row in rows)):
        for bound in one:
            value = bound.value()
            if value is not False and value not in (None, "", []):
                found[bound.html_name] = "on" if value is True else value
    for formset in form.all_rows:
        found |= {bound.html_name: bound.value() for bound in formset.management_form}
    return found


# Making --------------------------------------------------------------------------------------------------------------


def test_a_recipe_is_made_of_what_is_typed(client: Client, team: Team, owner: Any, new: str) -> None:
    typed = {
        **TYPED,
        "description_md": "To work on.",
        "ports": "22 8888",
        "min_vram_gb": "24",
        "gpu_count": "0",
        "max_timeout_start_ms": "45m",
        "lifetime_s": "8h",
        "tags": "lab, to keep",
        "lock_image": "on",
        "lock_gpu": "on",
        "note": "First",
        **rows("env", {"name": "MODE", "value": " fast ", "lock": "on"}, {"name": "", "value": ""}),
        **rows(
            "inputs",
            {
                "type": "secret", "key": "token", "label": "Token", "required": "on",
                "to": "env.", "variable": "HF_TOKEN",
            },
            {
                "type": "number", "key": "disk", "label": "Disk", "to": "min_storage_gb",
                "minimum": "10", "unit": "GB", "default": "50",
            },
        ),
        **rows("links", {"port": "8888", "label": "Notebook", "path": "/lab"}),
    }  # fmt: skip
    answer = client.post(new, typed)
    made = Recipe.objects.get()
    assert answer["Location"] == reverse("web:recipe", args=[team.slug, made.pk])
    assert (made.owner, made.visibility, made.name, made.current.note) == (owner, "private", "Box", "First")
    document = made.current.document
    assert document["spec"]["ports"] == [22, 8888]
    assert document["spec"]["gpu_count"] == 0
    assert document["spec"]["max_timeout_start_ms"] == 2_700_000
    assert document["spec"]["env"] == {"MODE": " fast "}
    assert document["autostop"] == {"lifetime_s": 28_800}
    assert document["tags"] == ["lab", "to keep"]
    assert document["locked"] == ["env.MODE", "gpu", "image"]
    assert [one["key"] for one in document["inputs"]] == ["token", "disk"]
    assert document["inputs"][1] == {
        "key": "disk", "type": "number", "to": "min_storage_gb", "label": "Disk", "minimum": 10, "unit": "GB", "default": 50
    }  # fmt: skip
    assert document["connection"] == {"links": [{"port": 8888, "label": "Notebook", "path": "/lab"}]}


WITH_VOLUMES = {
    "spec": {
        "task": "PERSISTENT",
        "title": "Box",
        "image": "dispersednetwork/base",
        "volumes": [
            {"image": "ghcr.io/org/data", "mount": "/data", "user": "robot"},
            {"image": "b", "mount": "/b"},
        ],
    },
    "secrets": {"volume./data": "ghcr-login"},
    "locked": ["volume./data"],
}


@pytest.mark.parametrize("document", [COMFY, BATCH, WITH_VOLUMES], ids=["many parts", "few", "volumes"])
def test_an_untouched_form_is_the_same_recipe(client: Client, team: Team, owner: Any, document: Any) -> None:
    recipe = make_recipe(team, owner, document=document)
    form = client.get(edit_url(recipe)).context["form"]
    answer = client.post(edit_url(recipe), fields_of(form), follow=True)
    assert "What it launches is as before" in answer.content.decode()
    assert recipe.versions.count() == 1


def test_volumes_are_typed_as_rows_that_may_name_a_secret(client: Client, owner: Any, new: str) -> None:
    data = {"image": "ghcr.io/org/data", "mount": "/data", "user": "robot", "team_secret": "ghcr-login"}
    client.post(new, {**TYPED, **rows("volumes", {**data, "lock": "on"}, {"image": "b", "mount": "/b"})})
    document = Recipe.objects.get().current.document
    assert document["spec"]["volumes"] == WITH_VOLUMES["spec"]["volumes"]
    assert (document["secrets"], document["locked"]) == ({"volume./data": "ghcr-login"}, ["volume./data"])


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        ({"image": "b", "mount": "/b", "team_secret": "two words"}, "team_secret", "has letters, digits"),
        ({"image": "b", "mount": "b"}, "", "must be absolute"),
        ({"mount": "/b"}, "", "needs an image"),
    ],
)
def test_the_fault_of_a_volume_is_told_beside_it(
    client: Client, owner: Any, new: str, row: dict[str, str], field: str, said: str
) -> None:
    form = client.post(new, {**TYPED, **rows("volumes", row)}).context["form"]
    told = form.volumes.forms[0].errors[field] if field else form.volumes.non_form_errors()
    assert said in str(told)


def test_every_type_of_input_goes_through_the_form_unchanged(team: Team, owner: Any) -> None:
    values: dict[str, dict[str, Any]] = {
        "text": {
            "to": "env.A", "default": "x", "pattern": "x+", "pattern_hint": "Write x.", "max_length": 9,
            "placeholder": "xx",
        },
        "lines": {"to": "env.B", "default": "one"},
        "number": {"to": "env.C", "default": 1.5, "minimum": 0, "maximum": 2.5, "unit": "GB"},
        "choice": {
            "to": "env.D", "default": "a",
            "choices": [{"value": "a", "label": "A = a"}, {"value": "b", "label": "b"}],
        },
        "gpu": {"to": "gpu", "default": "RTX 5090"},
        "region": {"to": "allowed_region_codes", "default": ["eu-west-1"]},
        "switch": {"to": "env.E", "default": True, "on": "yes", "off": "no"},
        "secret": {"to": "env.F_TOKEN", "required": True},
        "ssh_key": {"to": "ssh_key"},
        "duration": {"to": "lifetime_s", "default": "2h", "minimum": 60, "maximum": 86400},
        "ports": {"to": "ports", "default": [22, 80], "locked": True},
        "env": {"to": "env", "default": {"G": "1", "H": ""}},
        "addresses": {"to": "allowed_ips", "default": ["192.0.2.0/24"], "hidden": True},
    }  # fmt: skip
    assert set(values) == set(INPUT_TYPES)
    inputs = [
        {"key": f"k{n}", "type": kind, "label": kind, **one} for n, (kind, one) in enumerate(values.items())
    ]
    recipe = make_recipe(team, owner, document={**BATCH, "inputs": inputs})
    shown = Start.of_recipe(recipe).form()
    sent = RecipeForm(_post(fields_of(shown)))
    assert sent.is_valid(), (sent.errors, sent.inputs.errors)
    document, problems = from_anything(sent.document_json())
    assert not problems
    assert document.to_json() == recipe.current.document


def _post(fields: dict[str, Any]) -> Any:
    from django.http import QueryDict

    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


# Faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"image": ""}, "image"),
        ({"gpu_count": "many"}, "“many” is no whole number."),
        ({"max_timeout_start_ms": "soon"}, "45 min"),
        ({"lifetime_s": "5s"}, "Between 1 minute and two years"),
        ({"budget_usd": "-1"}, "An amount above 0"),
        ({"lock_lifetime_s": "on"}, "Say which lifetime is locked."),
        ({"ssh_user": "Root Beer"}, "small letters"),
        (rows("env", {"name": "A B", "value": "1"}), "letters, digits and _ only"),
        (rows("env", {"name": "HF_TOKEN", "value": "hf_123"}), "looks like a secret"),
        (rows("env", {"name": "A", "value": "1"}, {"name": "A", "value": "2"}), "A is in the list twice."),
        (rows("links", {"port": "99999", "label": "x"}), "between 1 and 65535"),
        (rows("inputs", {"type": "text", "key": "Bad key", "to": "env.", "variable": "X"}), "small letters, digits and _"),
        (rows("inputs", {"type": "text", "key": "x", "to": "env.", "variable": ""}), "letters, digits and _ only"),
        (rows("inputs", {"type": "number", "key": "x", "to": "gpu_count", "default": "9", "maximum": "4"}), "At most 4."),
        (rows("inputs", {"type": "choice", "key": "x", "to": "env.", "variable": "X"}), "A choice needs"),
        (rows("inputs", {**TEXT, "pattern": "("}), "no regular expression"),
        (rows("inputs", TEXT, {**TEXT, "key": "y"}), "sets this too"),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, dict) else None,
)  # fmt: skip
def test_faults_are_shown_and_nothing_typed_is_lost(
    client: Client, owner: Any, new: str, typed: dict[str, str], words: str
) -> None:
    answer = client.post(new, {**TYPED, "description_md": "Long words that took an hour.", **typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "to mend above" in page
    assert "Long words that took an hour." in page
    for name, value in typed.items():
        if value and not name.endswith(("_FORMS", "-type", "-to")) and not name.startswith("lock_"):
            assert value.replace("“", "&") in page.replace("&quot;", '"'), name
    assert not Recipe.objects.exists()


def test_a_fault_of_an_input_stands_in_that_input(client: Client, owner: Any, new: str) -> None:
    good = {"type": "text", "key": "a", "to": "env.", "variable": "A"}
    form = client.post(new, {**TYPED, **rows("inputs", good, {**good, "key": "1"})}).context["form"]
    assert not form.inputs[0].errors
    assert set(form.inputs[1].errors) == {"key", "variable"}
    assert form.inputs[1].opens


def test_buttons_add_move_and_remove_inputs(client: Client, owner: Any, new: str) -> None:
    def press(act: str, fields: dict[str, Any]) -> Any:
        answer = client.post(new, {**fields, "act": act})
        assert answer.status_code == 200
        assert not Recipe.objects.exists()
        return answer.context["form"]

    form = press("add-inputs", TYPED)
    assert [row.kind for row in form.inputs] == ["text"]
    two = rows(
        "inputs", {"type": "text", "key": "a", "label": "A"}, {"type": "number", "key": "b", "minimum": "3"}
    )
    typed = {**TYPED, **two}
    for act in ("up-inputs-1", "down-inputs-0"):
        form = press(act, typed)
        assert [row["key"].value() for row in form.inputs] == ["b", "a"]
        assert form.inputs[0]["minimum"].value() == "3"
    for act in ("up-inputs-0", "down-inputs-1", "remove-inputs-9", "remove-inputs-99999", "nonsense"):
        assert [row["key"].value() for row in press(act, typed).inputs] == ["a", "b"]
    assert [row["key"].value() for row in press("remove-inputs-0", typed).inputs] == ["b"]
    form = press("refresh-inputs-0", {**typed, "inputs-0-type": "choice"})
    assert "choices" in form.inputs[0].fields


# YAML ----------------------------------------------------------------------------------------------------------------


def test_the_form_becomes_text_and_back_without_a_loss(client: Client, team: Team, owner: Any) -> None:
    recipe = make_recipe(team, owner)
    fields = fields_of(client.get(edit_url(recipe)).context["form"])
    text = client.post(
        edit_url(recipe), {**fields, "name": "New name", "show": "yaml", "as": "form"}
    ).context["form"]
    assert "name: New name" in text.text
    sent = {"yaml": text.text, "as": "yaml", "seen": "1", "began": text["began"].value(), "note": "By text"}
    back = client.post(edit_url(recipe), {**sent, "show": "form"}).context["form"]
    assert back["name"].value() == "New name"
    assert back.document.to_json() == recipe.current.document
    assert (back["note"].value(), str(back["seen"].value())) == ("By text", "1")
    sent["yaml"] = text.text.replace("min_vram_gb: 24", "min_vram_gb: 48")
    client.post(edit_url(recipe), sent)
    recipe.refresh_from_db()
    assert (recipe.name, recipe.current.number, recipe.current.note) == ("New name", 2, "By text")
    assert recipe.current.document["spec"]["min_vram_gb"] == 48


def test_faults_of_the_text_name_their_line_and_keep_it(client: Client, owner: Any, new: str) -> None:
    text = "dispersed_web: recipe/1\nname: Box\nspec:\n  image: a/b\n  task: PERSISTENT\n  gpu_count: lots\n"
    for button in ("save", "show"):
        answer = client.post(new, {"as": "yaml", "yaml": text, button: "form"})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "Line 6" in page
        assert '<code class="fault-text">  gpu_count: lots</code>' in page
        assert answer.context["form"].text == text
    assert not Recipe.objects.exists()


def test_what_cannot_be_read_keeps_the_form_in_place_of_the_text(
    client: Client, owner: Any, new: str
) -> None:
    answer = client.post(new, {**TYPED, "gpu_count": "many", "show": "yaml"})
    assert answer.status_code == 422
    assert not answer.context["as_yaml"]
    assert "“many” is no whole number." in answer.content.decode()


# Together ------------------------------------------------------------------------------------------------------------


def test_two_at_once_the_second_is_told_and_loses_nothing(client: Client, team: Team, owner: Any) -> None:
    recipe = make_recipe(team, owner)
    fields = fields_of(client.get(edit_url(recipe)).context["form"])
    other = make.make_member(team, "admin", make.make_user(name="Bob Ito"))
    add_version(recipe, {**COMFY, "spec": {**COMFY["spec"], "image": "lab/theirs"}}, "Our own image", other)
    mine = {**fields, "min_vram_gb": "80", "note": "Mine"}
    answer = client.post(edit_url(recipe), mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    for words in ("Bob Ito", "Our own image", "lab/theirs"):
        assert words in page
    form = answer.context["form"]
    assert form["min_vram_gb"].value() == "80"
    assert recipe.versions.count() == 2
    client.post(edit_url(recipe), {**mine, "seen": form["seen"].value()})
    recipe.refresh_from_db()
    assert recipe.current.number == 3
    assert recipe.current.document["spec"]["min_vram_gb"] == 80


def test_only_what_one_changed_of_the_words_is_saved(client: Client, team: Team, owner: Any) -> None:
    recipe = make_recipe(team, owner)
    fields = fields_of(client.get(edit_url(recipe)).context["form"])
    Recipe.objects.filter(pk=recipe.pk).update(name="Renamed meanwhile")
    client.post(edit_url(recipe), {**fields, "description_md": "Mine"})
    recipe.refresh_from_db()
    assert (recipe.name, recipe.description_md) == ("Renamed meanwhile", "Mine")


def test_a_copy_keeps_the_locks_of_its_original(client: Client, team: Team) -> None:
    original = make_recipe(team, make.owner_of(team))
    member = make.sign_in(client, make.make_member(team))
    client.post(reverse("web:recipe-copy", args=[team.slug, original.pk]))
    copy = Recipe.objects.get(owner=member)
    fields = fields_of(client.get(edit_url(copy)).context["form"])
    fields.pop("lock_image")
    answer = client.post(edit_url(copy), {**fields, "image": "evil/image"})
    assert answer.status_code == 422
    assert "locked by the recipe that this was copied from" in answer.content.decode()
    assert copy.versions.count() == 1


def test_the_preview_is_the_form_that_a_launcher_will_see(client: Client, team: Team, owner: Any) -> None:
    address = reverse("web:recipe-preview", args=[team.slug])
    asked = rows(
        "inputs",
        {
            "type": "choice",
            "key": "m",
            "label": "Model",
            "to": "env.",
            "variable": "M",
            "choices": "a = First\nb",
        },
    )
    page = client.post(
        address, {**TYPED, "image": "", **asked, "description_md": "**Bold** <script>"}
    ).content.decode()
    assert 'name="in-m"' in page
    assert "First" in page
    assert "<strong>Bold</strong> &lt;script&gt;" in page
    assert "fieldset disabled" in page
    broken = client.post(address, {**TYPED, **rows("inputs", {"type": "text", "key": "!", "to": "image"})})
    assert "not complete yet" in broken.content.decode()
    assert not Recipe.objects.exists()


def test_rows_beyond_all_bounds_are_refused(client: Client, owner: Any, new: str) -> None:
    answer = client.post(new, {**TYPED, "inputs-TOTAL_FORMS": "5000", "env-TOTAL_FORMS": "x"})
    assert answer.status_code == 422
    assert client.post(new, {"act": "add-inputs"}).status_code == 200
    assert client.post(new, {}).status_code == 422
    assert not Recipe.objects.exists()


def test_an_archived_recipe_is_not_edited(client: Client, team: Team, owner: Any) -> None:
    recipe = make_recipe(team, owner)
    fields = fields_of(client.get(edit_url(recipe)).context["form"])
    Recipe.objects.filter(pk=recipe.pk).update(archived_at=recipe.created_at)
    answer = client.post(edit_url(recipe), {**fields, "min_vram_gb": "80"})
    assert answer.status_code == 422
    assert "Bring it back first" in answer.content.decode()


def opened_before_volumes_were_rows(**more: Any) -> dict[str, Any]:
    rest = json.dumps({"image_source": "docker", "volumes": [{"image": "team/data", "mount": "/data"}]})
    return (
        {name: value for name, value in TYPED.items() if not name.startswith("volumes-")}
        | {"rest": rest}
        | more
    )


def test_an_editor_that_was_open_across_the_upgrade_keeps_its_volumes(
    client: Client, team: Team, owner: Any, new: str
) -> None:
    assert client.post(new, opened_before_volumes_were_rows()).status_code == 302
    spec = Recipe.objects.get(team=team, name="Box").current.document["spec"]
    assert spec["volumes"] == [{"image": "team/data", "mount": "/data"}]
    assert spec["image_source"] == "docker"


def test_with_a_fault_it_shows_them_as_rows_and_what_is_removed_then_stays_away(
    client: Client, team: Team, owner: Any, new: str
) -> None:
    page = client.post(new, opened_before_volumes_were_rows(name=""))
    form = page.context["form"]
    assert page.status_code == 422
    assert [row["image"].value() for row in form.volumes] == ["team/data"]
    again = {name: value for name, value in fields_of(form).items() if value is not None}
    again |= {"name": "Box", "volumes-0-DELETE": "on"}
    assert client.post(new, again).status_code == 302
    assert "volumes" not in Recipe.objects.get(team=team, name="Box").current.document["spec"]
