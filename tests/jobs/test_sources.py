"""Whose a job of the cloud is: by the row that claims it, then by its marker."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from dispersed_web.jobs import marker
from dispersed_web.jobs.sources import Marked, Ours, Sighting, Source, source_of

TEAM, OTHER = uuid.uuid4(), uuid.uuid4()
MARK, FOREIGN = marker.new("x7k2"), marker.new("zzzz")
SEEN = Sighting(TEAM, "x7k2", None, None, None, False)


@pytest.mark.parametrize(
    ("changes", "source"),
    [
        ({}, Source.ELSEWHERE),
        ({"mark": FOREIGN}, Source.OTHER_INSTALLATION),
        ({"mark": MARK}, Ours.RECORDLESS),
        ({"mark": MARK, "is_shared": True}, Source.UNCLEAR),
        ({"mark": MARK, "marked": Marked(TEAM, None)}, Ours.LATE),
        ({"mark": MARK, "marked": Marked(TEAM, "another")}, Source.DUPLICATE),
        ({"mark": MARK, "marked": Marked(OTHER, None)}, Source.OTHER_TEAM),
        ({"mark": MARK, "marked": Marked(OTHER, "another")}, Source.OTHER_TEAM),
        ({"claimed_by": TEAM}, Ours.CLAIMED),
        ({"claimed_by": OTHER}, Source.OTHER_TEAM),
        ({"claimed_by": OTHER, "mark": MARK, "marked": Marked(TEAM, None)}, Source.OTHER_TEAM),
        ({"claimed_by": OTHER, "mark": FOREIGN}, Source.OTHER_TEAM),
        ({"claimed_by": TEAM, "mark": FOREIGN}, Ours.CLAIMED),
    ],
)
@pytest.mark.parametrize("is_shared", [False, True])
def test_each_sighting_has_one_source(changes, source, is_shared):
    seen = replace(SEEN, **({"is_shared": is_shared} if source != Ours.RECORDLESS else {}) | changes)
    assert source_of(seen) == source


def test_a_filler_is_never_taken_for_a_marker():
    from dispersed_web.jobs.making import filler

    fillers = {filler() for _ in range(200)}
    assert len(fillers) == 200
    assert all(len(one) <= 32 and marker.find([one]) is None for one in fillers)
