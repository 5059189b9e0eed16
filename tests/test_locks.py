"""The lock files hold what pyproject.toml asks for, and name no registry."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = PROJECT["project"]["dependencies"]
WANTED = {
    "requirements.lock": RUNTIME,
    "requirements-dev.lock": [*RUNTIME, *PROJECT["dependency-groups"]["dev"]],
}


def locked(name: str) -> dict[str, set[str]]:
    """Versions by package: more than one where they differ by platform."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text(), re.MULTILINE):
        versions.setdefault(canonicalize_name(package), set()).add(version)
    return versions


@pytest.mark.parametrize("name", WANTED)
def test_every_wanted_package_is_locked_in_a_wanted_version(name: str) -> None:
    versions = locked(name)
    for requirement in map(Requirement, WANTED[name]):
        if requirement.marker is None or requirement.marker.evaluate(default_environment()):
            found = versions.get(canonicalize_name(requirement.name), set())
            assert found, f"{requirement.name} is not in {name}"
            assert all(map(requirement.specifier.contains, found)), f"{name} has {requirement.name} {found}"


def test_what_is_tested_is_what_runs() -> None:
    tested = locked("requirements-dev.lock")
    assert {name: tested.get(name) for name in locked("requirements.lock")} == locked("requirements.lock")


@pytest.mark.parametrize("name", WANTED)
def test_every_package_has_a_hash_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    for entry in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
        assert "--hash=sha256:" in entry or not entry.strip()
