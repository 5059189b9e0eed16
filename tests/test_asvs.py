"""The table of the OWASP Application Security Verification Standard: complete, well-formed, and its proofs exist."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STATUSES = {"met", "partly", "not", "not applicable"}
# How many requirements of level 1 and 2 each chapter of version 5.0.0 has. Left out: V9 (no self-contained tokens but
# those that an identity provider signs), V10 (OAuth, of which only the client of one provider is used), V17 (WebRTC).
CHAPTERS = {
    **{"V1": 27, "V2": 11, "V3": 19, "V4": 10, "V5": 9, "V6": 35, "V7": 18},
    **{"V8": 7, "V11": 14, "V12": 9, "V13": 13, "V14": 9, "V15": 13, "V16": 16},
}

Row = dict[str, str]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with (ROOT / "docs/asvs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_requirement_of_level_1_and_2_has_one_row(rows: list[Row]) -> None:
    assert len({row["id"] for row in rows}) == len(rows) == 210
    assert Counter(row["id"].partition(".")[0] for row in rows) == CHAPTERS
    numbers = [[int(part) for part in row["id"][1:].split(".")] for row in rows]
    assert numbers == sorted(numbers)
    assert all(len(number) == 3 for number in numbers)


def test_every_row_is_well_formed(rows: list[Row]) -> None:
    wrong = [
        row["id"]
        for row in rows
        if row["status"] not in STATUSES
        or row["level"] not in ("1", "2")
        or not 5 <= len(row["requirement"]) <= 90
        or None in row
    ]
    assert wrong == []


def test_what_is_met_is_shown_and_what_is_not_is_explained(rows: list[Row]) -> None:
    unshown = [row["id"] for row in rows if row["status"] == "met" and not row["shown_by"]]
    unexplained = [row["id"] for row in rows if row["status"] != "met" and not row["remark"]]
    assert (unshown, unexplained) == ([], [])


def test_every_proof_exists(rows: list[Row]) -> None:
    named = {proof for row in rows for proof in row["shown_by"].split()}
    assert sorted(proof for proof in named if not (ROOT / proof).is_file()) == []
    documents = {one for row in rows for one in re.findall(r"docs/[\w-]+\.md", row["remark"])}
    assert sorted(one for one in documents if not (ROOT / one).is_file()) == []


def test_the_document_gives_the_same_figures(rows: list[Row]) -> None:
    counted = Counter(row["status"] for row in rows)
    text = (ROOT / "docs/security.md").read_text()
    for status, word in (("met", "met"), ("partly", "met in part"), ("not", "not met")):
        assert f"{counted[status]} {word}" in text
    assert f"{counted['not applicable']} do not apply" in text
