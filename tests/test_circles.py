"""No module needs itself by a detour: neither through imports at its top, nor through those inside of functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent


def modules() -> dict[str, Path]:
    paths = (ROOT / "dispersed_web").rglob("*.py")
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}


def needs(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = name.split(".")[: -node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            named = [f"{module}.{alias.name}" for alias in node.names]
            named = [one if one in known else module for one in named]
        else:
            continue
        for one in named:
            target = one if one in known else f"{one}.__init__"
            if target in known and target != name:
                yield target


def test_no_module_needs_itself() -> None:
    known = modules()
    graph = {name: set(needs(name, path, known)) for name, path in known.items()}
    assert sum(map(len, graph.values())) > len(graph)
    TopologicalSorter(graph).prepare()  # raises with the circle in words
