"""Who may import whom: the doors on top, then the domain from what acts to what is known, the cloud's client apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "dispersed_web"
LAYERS = (
    {"web", "api", "supervisor"},
    {"tasks"},
    {"notifications"},
    {"autostop"},
    {"signals"},
    {"jobs"},
    {"recipes", "credentials", "costs"},
    {"events", "teams"},  # what happens to a team is an event of the team
    {"accounts"},
)
LEVEL = {folder: level for level, layer in enumerate(LAYERS) for folder in layer}
ALONE = {"dispersed", "sandbox"}
WIRING = {
    "settings",
    "env",
    "errors",
    "urls",
    "wsgi",
    "celery",
    "beat",
    "processes",
    "commands",
    "clock",
    "local_time",
    "durations",
    "log_lines",
    "plain_sql",
    "public_addresses",
    "fair_pool",
    "worker",
    "passes",
    "__init__",
}


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def stands_above(there: str, here: str) -> bool:
    """Neighbours may use each other, except the doors: nothing imports a door."""
    if there not in LEVEL or here not in LEVEL:
        return False
    return LEVEL[there] < max(LEVEL[here], 1)


def faults(path: Path) -> Iterator[str]:
    here = layer_of(path)
    for module in imported_modules(path):
        parts = module.split(".")
        there = parts[1] if parts[0] == ROOT.name and len(parts) > 1 else ""
        if here in ALONE and parts[0] == ROOT.name and there != here:
            yield f"{here} imports {module}, but it must need nothing of ours"
        elif LEVEL.get(here, 0) > 1 and parts[0] == "celery":
            yield f"{here} imports {module}, but the domain knows no Celery"
        elif there != here and stands_above(there, here):
            yield f"{here} imports {module}, which stands above it"


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path: Path) -> None:
    assert not list(faults(path))


def test_the_forms_import_each_other_in_one_direction() -> None:
    """A circle, also one for type checkers alone, is a module whose place was not found."""
    package = f"{ROOT.name}.web.forms"
    needs = {
        path.stem: {
            module.removeprefix(f"{package}.").partition(".")[0]
            for module in imported_modules(path)
            if module.startswith(f"{package}.")
        }
        for path in (ROOT / "web" / "forms").glob("*.py")
    }
    while needs:  # takes away what needs nothing that is left
        free = {name for name, others in needs.items() if not others & (needs.keys() - {name})}
        assert free, f"these import each other: {sorted(needs)}"
        needs = {name: others for name, others in needs.items() if name not in free}


def test_every_folder_has_its_layer() -> None:
    names = {layer_of(path) for path in ROOT.rglob("*.py")}
    assert names <= LEVEL.keys() | ALONE | WIRING
