"""Making recipes and changing them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.recipes import keeping, queries, sharing
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.models import Recipe, RecipePin
from dispersed_web.teams.models import Membership, Team
from tests import factories
from tests.recipes.documents import INPUTS, SPEC

DOCUMENT = {"spec": SPEC}
OTHER = {"spec": {**SPEC, "tag": "2"}}
LOCKED = {"spec": {**SPEC, "env": {"A": "1"}}, "locked": ["*"], "inputs": [INPUTS["number"]]}


class Lab:
    """A team with an owner, two members and a viewer."""

    def __init__(self) -> None:
        self.team = factories.make_team()
        self.admin = factories.owner_of(self.team)
        self.author, self.other = factories.make_member(self.team), factories.make_member(self.team)
        self.viewer = factories.make_member(self.team, "viewer")
        self.now = timezone.now()

    def by(self, user: User) -> dict[str, Any]:
        return {"actor": Actor.person(user), "now": self.now}

    def make(self, user: User | None = None, document: Any = DOCUMENT, **fields: Any) -> Recipe:
        user = user or self.author
        values = {"name": "Machine", "owner": user, "visibility": "team", **fields}
        return keeping.create(self.team, document=document, **values, **self.by(user))

    def save(self, recipe: Recipe, document: Any, user: User, seen: int | None = None) -> Any:
        recipe.refresh_from_db()
        number = recipe.current.number if seen is None else seen
        return keeping.save_version(recipe, document, seen_version=number, **self.by(user))


@pytest.fixture
def lab(db: None) -> Lab:
    return Lab()


def code_of(act: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(RecipeRefused) as refused:
        act(*arguments, **named)
    return refused.value.code


def kinds(recipe: Recipe) -> list[str]:
    return list(Event.objects.filter(subject_id=str(recipe.pk)).order_by("id").values_list("kind", flat=True))


def test_a_recipe_is_made_with_its_first_version(lab: Lab) -> None:
    recipe = lab.make(description_md="# Hi", category="training", icon="training", note="First")
    assert (recipe.current.number, recipe.current.note, recipe.owner) == (1, "First", lab.author)
    assert recipe.current.document["spec"]["max_timeout_start_ms"] == 1_800_000
    assert kinds(recipe) == ["recipe.created"]


def test_a_change_is_a_new_version_and_no_change_is_none(lab: Lab) -> None:
    recipe = lab.make()
    assert lab.save(recipe, DOCUMENT, lab.author) is None
    version = lab.save(recipe, OTHER, lab.author)
    recipe.refresh_from_db()
    assert (version.number, recipe.current) == (2, version)
    assert recipe.versions.get(number=1).document["spec"]["tag"] == "latest"
    assert kinds(recipe) == ["recipe.created", "recipe.changed"]


def test_an_editor_does_not_overwrite_what_they_did_not_see(lab: Lab) -> None:
    recipe = lab.make()
    lab.save(recipe, OTHER, lab.author)
    assert code_of(lab.save, recipe, DOCUMENT, lab.author, 1) == "changed_meanwhile"
    assert recipe.versions.count() == 2


def test_a_version_can_be_rolled_back_to(lab: Lab) -> None:
    recipe = lab.make()
    lab.save(recipe, OTHER, lab.author)
    version = keeping.roll_back(recipe, 1, seen_version=2, **lab.by(lab.author))
    assert (version.number, version.document) == (3, recipe.versions.get(number=1).document)
    assert keeping.roll_back(recipe, 1, seen_version=3, **lab.by(lab.author)) is None
    assert code_of(keeping.roll_back, recipe, 9, seen_version=3, **lab.by(lab.author)) == "no_version"
    assert code_of(keeping.roll_back, recipe, 2, seen_version=2, **lab.by(lab.author)) == "changed_meanwhile"
    assert kinds(recipe)[-1] == "recipe.rolled_back"


def test_all_faults_of_a_document_are_told_and_nothing_is_stored(lab: Lab) -> None:
    with pytest.raises(RecipeRefused) as refused:
        lab.make(document={"spec": {**SPEC, "ports": [0], "gpu_count": -1}})
    assert {one.path for one in refused.value.problems} == {("spec", "ports"), ("spec", "gpu_count")}
    assert refused.value.field == "spec.gpu_count"
    assert not Recipe.objects.exists()


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"description_md": "x" * 20_001}, "description_md"),
        ({"description_md": "-----BEGIN OPENSSH PRIVATE KEY-----"}, "description_md"),
        ({"category": "fun"}, "category"),
        ({"icon": "<svg>"}, "icon"),
    ],
)
def test_what_is_said_about_a_recipe_has_bounds(lab: Lab, fields: dict[str, str], at: str) -> None:
    with pytest.raises(RecipeRefused) as refused:
        lab.make(**fields)
    assert refused.value.field == at
    recipe = lab.make()
    with pytest.raises(RecipeRefused) as refused:
        keeping.change_about(recipe, **fields, **lab.by(lab.author))
    assert refused.value.field == at


def test_its_name_and_description_change_without_a_version(lab: Lab) -> None:
    recipe = lab.make()
    assert keeping.change_about(recipe, name="  New   name ", **lab.by(lab.author))
    assert not keeping.change_about(recipe, name="New name", **lab.by(lab.author))
    recipe.refresh_from_db()
    assert (recipe.name, recipe.versions.count()) == ("New name", 1)
    assert "“Machine” to the recipe “New name”" in Event.objects.latest("id").sentence


def acts(lab: Lab, recipe: Recipe, user: User) -> dict[str, Any]:
    by = lab.by(user)
    return {
        "save": lambda: lab.save(recipe, OTHER, user),
        "about": lambda: keeping.change_about(recipe, name="X", **by),
        "back": lambda: keeping.roll_back(recipe, 1, seen_version=1, **by),
        "share": lambda: sharing.share(recipe, **by),
        "archive": lambda: sharing.archive(recipe, **by),
        "unarchive": lambda: sharing.unarchive(recipe, **by),
        "hand over": lambda: sharing.hand_over(recipe, lab.other, **by),
        "private": lambda: sharing.make_private(recipe, **by),
    }


@pytest.mark.parametrize(
    "act", ["save", "about", "back", "share", "archive", "unarchive", "hand over", "private"]
)
def test_nobody_but_its_owner_or_an_admin_changes_a_recipe(lab: Lab, act: str) -> None:
    recipe = lab.make()
    for user in (lab.other, lab.viewer, factories.make_user()):
        assert code_of(acts(lab, recipe, user)[act]) == "not_allowed"
    private = lab.make(visibility="private")
    assert code_of(acts(lab, private, lab.admin)[act]) == "not_allowed"
    if act == "private":
        assert code_of(acts(lab, recipe, lab.admin)[act]) == "not_allowed"
    else:
        acts(lab, recipe, lab.admin)[act]()
    acts(lab, private, lab.author)[act]()


def test_who_left_the_team_changes_nothing_of_theirs(lab: Lab) -> None:
    recipe = lab.make()
    Membership.objects.filter(user=lab.author).delete()
    assert code_of(lab.save, recipe, OTHER, lab.author) == "not_allowed"


def test_a_viewer_makes_and_copies_nothing(lab: Lab) -> None:
    recipe = lab.make()
    assert code_of(lab.make, lab.viewer) == "not_allowed"
    assert code_of(keeping.copy, recipe, user=lab.viewer, **lab.by(lab.viewer)) == "not_allowed"


def test_a_recipe_is_shared_hidden_archived_and_handed_over(lab: Lab) -> None:
    recipe = lab.make(visibility="private")
    seen = lambda user: queries.usable_by(user.pk, lab.team).filter(pk=recipe.pk).exists()  # noqa: E731
    assert (seen(lab.author), seen(lab.other)) == (True, False)
    assert sharing.share(recipe, **lab.by(lab.author))
    assert seen(lab.other)
    assert sharing.archive(recipe, **lab.by(lab.author))
    assert not sharing.archive(recipe, **lab.by(lab.author))
    assert not seen(lab.author)
    assert code_of(lab.save, recipe, OTHER, lab.author) == "archived"
    assert sharing.unarchive(recipe, **lab.by(lab.author))
    assert sharing.make_private(recipe, **lab.by(lab.author))
    assert sharing.hand_over(recipe, lab.other, **lab.by(lab.author))
    assert (seen(lab.author), seen(lab.other)) == (False, True)
    assert code_of(sharing.hand_over, recipe, lab.viewer, **lab.by(lab.other)) == "no_member"
    verbs = [kind.removeprefix("recipe.") for kind in kinds(recipe)]
    assert verbs == ["created", "shared", "archived", "unarchived", "made_private", "handed_over"]


def test_events_do_not_tell_the_name_of_a_private_recipe(lab: Lab) -> None:
    recipe = lab.make(visibility="private", name="Secret plan")
    lab.save(recipe, OTHER, lab.author)
    sharing.archive(recipe, **lab.by(lab.author))
    assert not [one for one in Event.objects.all() if "Secret plan" in one.sentence + str(one.data)]


def test_a_pin_is_ones_own(lab: Lab) -> None:
    recipe = lab.make()
    for _ in range(2):
        sharing.pin(recipe, lab.other)
    assert RecipePin.objects.count() == 1
    assert code_of(sharing.pin, lab.make(visibility="private"), lab.other) == "not_allowed"
    sharing.unpin(recipe, lab.author)
    assert RecipePin.objects.count() == 1
    sharing.unpin(recipe, lab.other)
    assert not RecipePin.objects.exists()


# Copies --------------------------------------------------------------------------------------------------------------


def test_a_copy_is_private_and_knows_its_original(lab: Lab) -> None:
    original = lab.make(description_md="Text", category="training", icon="training")
    made = keeping.copy(original, user=lab.other, **lab.by(lab.other))
    assert (made.name, made.visibility, made.owner) == ("Copy of Machine", "private", lab.other)
    assert (made.copied_from, made.current.document) == (original, original.current.document)
    assert (made.description_md, made.category, made.icon) == ("Text", "training", "training")
    private = lab.make(visibility="private")
    assert code_of(keeping.copy, private, user=lab.other, **lab.by(lab.other)) == "gone"
    foreign = factories.make_member(factories.make_team())
    assert code_of(keeping.copy, original, user=foreign, **lab.by(foreign)) == "gone"


WIDER = [
    {**LOCKED, "locked": []},
    {**LOCKED, "locked": ["image"]},
    {**LOCKED, "spec": {**LOCKED["spec"], "image": "evil/image"}},
    {**LOCKED, "spec": {**LOCKED["spec"], "env": {"A": "2"}}},
    {**LOCKED, "spec": {**LOCKED["spec"], "env": {"A": "1", "B": "2"}}},
    {**LOCKED, "inputs": [{**INPUTS["number"], "maximum": 8}]},
    {**LOCKED, "inputs": [INPUTS["number"], {"key": "image", "type": "text", "to": "image"}]},
    {**LOCKED, "inputs": [INPUTS["number"], INPUTS["text"]]},
    {**LOCKED, "inputs": [INPUTS["number"], INPUTS["secret"]]},
    {**LOCKED, "inputs": [INPUTS["number"], {**INPUTS["env"], "default": None}]},
    {**LOCKED, "inputs": [INPUTS["number"], {**INPUTS["env"], "default": {"B": "1"}, "hidden": True}]},
]
AS_LOCKED = [
    {**LOCKED, "spec": {**LOCKED["spec"], "title": "Mine", "allowed_ips": ["203.0.113.7"]}},
    {**LOCKED, "inputs": []},
    {**LOCKED, "inputs": [{**INPUTS["number"], "label": "GPUs", "help": "How many"}]},
    {**LOCKED, "inputs": [INPUTS["number"], INPUTS["ssh_key"], INPUTS["duration"]]},
    {**LOCKED, "locked": ["*", "title"], "autostop": {"budget_usd": "5"}, "tags": ["mine"]},
]


@pytest.mark.parametrize("wider", WIDER)
def test_a_copy_keeps_the_locks_of_its_original(lab: Lab, wider: dict[str, Any]) -> None:
    original = lab.make(document=LOCKED)
    made = keeping.copy(original, user=lab.other, **lab.by(lab.other))
    assert code_of(lab.save, made, wider, lab.other) == "locked"
    again = keeping.copy(made, user=lab.other, **lab.by(lab.other))
    assert code_of(lab.save, again, wider, lab.other) == "locked"
    lab.save(made, AS_LOCKED[0], lab.other)
    assert code_of(lab.save, made, wider, lab.other) == "locked"
    mine = keeping.copy(original, user=lab.author, **lab.by(lab.author))
    assert lab.save(mine, wider, lab.author).number == 2
    theirs = keeping.copy(original, user=lab.admin, **lab.by(lab.admin))
    assert lab.save(theirs, wider, lab.admin).number == 2


@pytest.mark.parametrize("document", AS_LOCKED)
def test_a_copy_may_change_what_is_not_locked(lab: Lab, document: dict[str, Any]) -> None:
    made = keeping.copy(lab.make(document=LOCKED), user=lab.other, **lab.by(lab.other))
    assert lab.save(made, document, lab.other).number == 2


def test_locks_that_somebody_added_to_their_copy_are_theirs_to_take_away(lab: Lab) -> None:
    made = keeping.copy(
        lab.make(document={**DOCUMENT, "locked": ["image"]}), user=lab.other, **lab.by(lab.other)
    )
    lab.save(made, {**DOCUMENT, "locked": ["image", "tag"]}, lab.other)
    assert lab.save(made, {**OTHER, "locked": ["image"]}, lab.other)
    assert code_of(lab.save, made, {**OTHER, "locked": ["tag"]}, lab.other) == "locked"


def test_a_team_is_not_named_by_what_happens_in_another(lab: Lab) -> None:
    lab.make()
    other = factories.make_team()
    assert not Event.objects.filter(team=other).exists()
    assert Team.objects.get(pk=lab.team.pk).version > Team.objects.get(pk=other.pk).version
