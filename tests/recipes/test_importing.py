"""The commands that write and read files of recipes."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from dispersed_web.events.record import Actor
from dispersed_web.recipes import files, keeping, sharing
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team
from tests import factories
from tests.recipes.documents import INPUTS, SPEC


@pytest.fixture
def team(db: None) -> Team:
    return factories.make_team(slug="lab")


def make(team: Team, name: str = "Machine", **fields: Any) -> Recipe:
    owner = factories.owner_of(team)
    document = {"spec": SPEC, "inputs": [INPUTS["number"], INPUTS["secret"]], "locked": ["image"]}
    values = {"name": name, "visibility": "team", "owner": owner, **fields}
    return keeping.create(team, document=document, actor=Actor.person(owner), now=timezone.now(), **values)


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def test_what_one_team_exports_another_imports(team: Team, tmp_path: Path) -> None:
    make(team, "First", description_md="# One\n\nTwo", category="training", icon="training")
    make(team, "Second")
    make(team, "Hidden", visibility="private")
    old = make(team, "Old")
    sharing.archive(old, actor=Actor.person(old.owner), now=timezone.now())
    file = tmp_path / "recipes.yaml"
    run("export_recipes", "lab", "--out", str(file))
    other = factories.make_team(slug="other")
    owner = factories.owner_of(other)
    assert "“First”, “Second”" in run("import_recipes", "other", str(file), "--owner", owner.email)
    first, second = Recipe.objects.filter(team=other).order_by("name")
    assert (first.name, first.description_md, first.category, first.icon) == (
        "First",
        "# One\n\nTwo",
        "training",
        "training",
    )
    assert (first.owner, first.visibility, second.name) == (owner, "team", "Second")
    original = Recipe.objects.get(team=team, name="First")
    assert first.current.document == original.current.document
    run("import_recipes", "other", str(file), "--owner", owner.email, "--private")
    assert Recipe.objects.filter(team=other, visibility="private").count() == 2


def test_single_recipes_are_exported_by_name(team: Team) -> None:
    make(team, "First")
    make(team, "Second")
    text = run("export_recipes", "lab", "--recipe", "Second")
    assert [one.name for one in files.from_yaml(text)[0]] == ["Second"]
    with pytest.raises(CommandError, match="Third"):
        run("export_recipes", "lab", "--recipe", "Third")
    factories.make_team(slug="empty")
    with pytest.raises(CommandError, match="no recipes"):
        run("export_recipes", "empty")


def test_faults_are_told_with_file_and_line_and_nothing_is_imported(team: Team, tmp_path: Path) -> None:
    make(team)
    file = tmp_path / "bad.yaml"
    text = run("export_recipes", "lab")
    bad = text.replace("gpu_count: 1", "gpu_count: many", 1)
    file.write_text(text + "---\n" + bad)
    line = text.count("\n") + 1 + bad.split("gpu_count: many")[0].count("\n") + 1
    errors = StringIO()
    owner = factories.owner_of(team).email
    with pytest.raises(CommandError) as refused:
        call_command("import_recipes", "lab", str(file), owner=owner, stderr=errors)
    assert refused.value.returncode == 1
    assert errors.getvalue() == f"{file}:{line}:3: gpu_count must be a whole number.\n"
    assert Recipe.objects.count() == 1


def test_a_job_file_of_the_vendor_s_kind_is_imported(team: Team, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    docker = {"image": "", "tag": "", "env": {}, "volumes": []}
    outer = (
        '{"task": "BATCH", "title": "Night", "max_timeout_run_ms": 60000, "parameters": {"type": "docker", '
    )
    file.write_text(outer + f'"parameters": {str(docker).replace(chr(39), chr(34))}}}}}')
    run("import_recipes", "lab", str(file), "--owner", factories.owner_of(team).email)
    assert Recipe.objects.get().current.document["inputs"][0]["key"] == "image"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read"), (b"\xff\xfe", "no text"), (b"x", "Nothing was imported")],
)
def test_what_cannot_be_read_is_said(
    team: Team, tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    file = tmp_path / "x.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=sentence):
        run("import_recipes", "lab", str(file), "--owner", factories.owner_of(team).email)


def test_only_a_member_who_may_make_recipes_can_own_them(team: Team, tmp_path: Path) -> None:
    make(team)
    file = tmp_path / "x.yaml"
    file.write_text(run("export_recipes", "lab"))
    for user in (factories.make_user(), factories.make_member(team, "viewer")):
        with pytest.raises(CommandError, match="may not have recipes"):
            run("import_recipes", "lab", str(file), "--owner", user.email)
    assert Recipe.objects.count() == 1
