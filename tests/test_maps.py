"""The maps of the two folders with the most modules name each of them, and nothing that is not there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "dispersed_web"


@pytest.mark.parametrize("folder", ["jobs", "web/forms"])
def test_the_map_of_a_folder_names_each_of_its_modules(folder: str) -> None:
    text = importlib.import_module(f"dispersed_web.{folder.replace('/', '.')}").__doc__ or ""
    lines = re.findall(r"^(?: *\S+(?: \S+)*)? {2,}([a-z_ ]+)$", text, re.MULTILINE)
    named = sorted(" ".join(lines).split())

    there = sorted(
        path.stem for path in (ROOT / folder).glob("*.py") if path.stem not in ("__init__", "apps")
    )
    assert named == there, f"put new modules into the text of dispersed_web/{folder}/__init__.py"
