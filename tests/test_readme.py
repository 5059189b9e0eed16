"""The README's promises that a machine can hold it to: its two commands, its table of settings, its links."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
REQUIRED = "required"
NOTHING = "–"
NAME = re.compile(r"DW_[A-Z0-9_]+")
SHELL_DEFAULT = re.compile(r"\$\{(DW_[A-Z0-9_]+):-([^}]*)\}")


def table() -> dict[str, str]:
    """Name → default, as the README has them."""
    return dict(re.findall(r"^\| `(DW_\w+)` \| (.+?) \|", README, re.MULTILINE))


def constants_read() -> Iterator[tuple[str, list[ast.expr]]]:
    """Every variable that a call or a subscript in the product names, with the call's other arguments."""
    for path in (ROOT / "dispersed_web").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                first, others = node.args[0], node.args[1:]
            elif isinstance(node, ast.Subscript):
                first, others = node.slice, []
            else:
                continue
            if isinstance(first, ast.Constant) and NAME.fullmatch(str(first.value)):
                yield first.value, others


def variables_read() -> set[str]:
    shell = {name for path in (ROOT / "bin").iterdir() for name, _ in SHELL_DEFAULT.findall(path.read_text())}
    return shell | {name for name, _ in constants_read()}


def settings_defaults() -> Iterator[tuple[str, str]]:
    """(name, the README's way to write its default) of what the settings and the processes read with a default that is a
    plain value."""
    trees = [
        ast.parse((ROOT / "dispersed_web" / name).read_text()) for name in ("settings.py", "processes.py")
    ]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if not isinstance(node, ast.Call) or not re.fullmatch(r"env\.\w+", ast.unparse(node.func)):
            continue
        name = ast.literal_eval(node.args[0])
        if ast.unparse(node.func) in ("env.items", "env.hosts"):
            yield name, NOTHING
        elif len(node.args) == 1:
            yield name, REQUIRED
        elif isinstance(node.args[1], ast.Constant):
            yield name, written(node.args[1].value)


def written(default: object) -> str:
    text = str(int(default)) if isinstance(default, bool) else str(default)
    return f"`{text}`" if text else NOTHING


def first_block(heading: str) -> str:
    found = re.search(rf"^## {heading}\n\n```sh\n(.*?)```$", README, re.MULTILINE | re.DOTALL)
    assert found, f"“{heading}” does not open with a fenced block"
    return found[1]


def test_the_table_has_every_variable_that_is_read_and_no_other() -> None:
    assert sorted(table()) == sorted(variables_read())


@pytest.mark.parametrize(("name", "default"), sorted(set(settings_defaults())))
def test_the_table_has_the_default_that_is_read(name: str, default: str) -> None:
    assert table()[name] == default


@pytest.mark.parametrize(("heading", "command"), [("Run it", "bin/run\n"), ("Test it", "bin/test\n")])
def test_the_first_block_is_exactly_the_one_command(heading: str, command: str) -> None:
    assert first_block(heading) == command
    assert (ROOT / command.strip()).stat().st_mode & 0o111


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name
)
def test_links_into_the_project_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"
