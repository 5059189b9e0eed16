"""What the contract tests do to a service that is not theirs: seen in the ledger of one that plays the real service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispersed_web.sandbox import DEMO_KEYS, Sandbox
from dispersed_web.sandbox.control import Control

from .conftest import SPEND

FOLDER = "tests/contract"
SHARED = [
    f"{FOLDER}/{name}.py" for name in ("test_read_only", "test_refusals", "test_fields", "test_spending")
]


@pytest.fixture
def service(control: Control, tmp_path: Path) -> Iterator[Sandbox]:
    """Another sandbox, in the part of the real service: nobody moves its clock, so it is a fast one."""
    with Sandbox(tmp_path, time_scale=200) as sandbox:
        yield sandbox


def run(service: Sandbox, *arguments: str, public: str = DEMO_KEYS[0][0]) -> str:
    named = {
        "DISPERSED_PUBLIC_KEY": public,
        "DISPERSED_SECRET_KEY": DEMO_KEYS[0][1],
        "DISPERSED_API_BASE_URL": service.url,
        "PYTHONPATH": str(Path(__file__).parent),
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "hurried", *arguments],
        env=os.environ | named,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def asked(service: Sandbox) -> Counter[str]:
    return Counter(row["method"] for row in service.control.requests())


def test_with_keys_it_says_so_and_only_reads(service: Sandbox) -> None:
    printed = run(service, *SHARED)
    assert "THIS TALKS TO A REAL SERVICE" in printed
    assert service.url in printed
    assert "It only reads" in printed
    assert set(asked(service)) == {"GET"}
    assert asked(service)["GET"] > 10


def test_with_leave_to_spend_two_jobs_are_launched_and_both_end(service: Sandbox) -> None:
    printed = run(service, f"{FOLDER}/test_spending.py", SPEND)
    assert "LAUNCHES ONE BATCH AND ONE PERSISTENT JOB" in printed
    jobs = service.control.jobs()
    assert sorted((job["task"], job["status"]) for job in jobs) == [
        ("BATCH", "COMPLETED"),
        ("PERSISTENT", "CANCELLED"),
    ]
    assert asked(service)["POST"] == 2


def test_a_run_of_the_whole_suite_does_not_touch_it(service: Sandbox) -> None:
    others = [
        f"--ignore={path}" for path in Path("tests").iterdir() if path.is_dir() and path.name != "contract"
    ]
    printed = run(service, "-k", "test_the_key_belongs_to_somebody", "tests", *others)
    assert "NOT used" in printed
    assert asked(service) == Counter()
