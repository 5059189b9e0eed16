"""No test is in a hurry: what surely comes is waited for as long as a busy machine needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import eventually

FOLDER = Path(__file__).parent
# A pause that is meant is shorter than the first, a limit that is no guess at the machine's speed longer than the second.
PAUSE_S, PATIENT_S = 1, 20
WAITS = {
    "wait",
    "wait_for",
    "join",
    "acquire",
    "communicate",
    "Barrier",
    "urlopen",
    "create_connection",
    "run",
}


def limits(call: ast.Call) -> Iterator[float]:
    """The seconds that a call waits at most, where it says so in figures."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in WAITS:
        return
    named = [one.value for one in call.keywords if one.arg in ("timeout", "limit_s")]
    for value in named + (call.args[:1] if name in ("wait", "join") else []):
        if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
            yield value.value


def hurried(source: str) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [ast.unparse(call) for call in calls if any(PAUSE_S <= s < PATIENT_S for s in limits(call))]


def test_no_wait_has_a_limit_that_a_busy_machine_reaches() -> None:
    found = {
        str(path.relative_to(FOLDER)): calls
        for path in FOLDER.rglob("*.py")
        if (calls := hurried(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "is_hurried"),
    [
        ("done.wait(5)", True),
        ("thread.join(timeout=10)", True),
        ("subprocess.run(['x'], timeout=10.0)", True),
        ("done.wait(LIMIT_S)", False),
        ("so_long.wait(0.3)", False),
        ("process.wait()", False),
        ("subprocess.run(['x'], timeout=120)", False),
    ],
)
def test_such_a_wait_is_found(source: str, is_hurried: bool) -> None:
    assert bool(hurried(source)) is is_hurried


def test_what_never_comes_is_named() -> None:
    with pytest.raises(AssertionError, match="in vain: the moon"):
        eventually(lambda: None, "the moon", limit_s=0)


def test_what_comes_is_given_back() -> None:
    given = iter([None, 0, "it"])
    assert eventually(lambda: next(given), "it", first_s=0) == "it"
