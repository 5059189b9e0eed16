"""Names of what retires, and what hangs on a credential in words."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest

from dispersed_web.credentials.blast import Blast, LiveJob, hangs_on, means, why_not_delete
from dispersed_web.credentials.retiring import retired_name

DAY = dt.date(2026, 11, 5)
JOB = LiveJob(uuid.uuid4(), "Train", "Ann", Decimal("0.69"))
ONE = Blast(running=(JOB,))


@pytest.mark.parametrize(
    ("name", "taken", "expected"),
    [
        ("Lab", (), "Lab (retired 5 Nov 2026)"),
        ("Lab", ("Lab (retired 5 Nov 2026)",), "Lab (retired 5 Nov 2026, 2)"),
        ("x" * 60, (), "x" * 39 + " (retired 5 Nov 2026)"),
    ],
)
def test_a_retired_name(name: str, taken: tuple[str, ...], expected: str) -> None:
    assert retired_name(name, DAY, taken) == expected


@pytest.mark.parametrize(
    ("blast", "word"),
    [
        (Blast(), ""),
        (Blast(queued=3, watched=1, unmanaged=2), ""),
        (replace(ONE, others=("Twin",)), ""),
        (ONE, "alone can stop 1 running job ($0.69/h)"),
        (Blast(in_doubt=1), "in doubt"),
        (Blast(in_doubt=1, others=("Twin",)), "in doubt"),
        (Blast(running=(replace(JOB, is_found=True),), others=("Twin",)), "without a record"),
        (Blast(ending=2), "not sure yet"),
    ],
)
def test_what_keeps_a_credential_from_being_deleted(blast: Blast, word: str) -> None:
    assert word in why_not_delete(blast)
    assert bool(word) == bool(why_not_delete(blast))


def test_what_a_broken_one_means_for_its_jobs() -> None:
    many = Blast(running=tuple(replace(JOB, title=f"J{n}") for n in range(5)), in_doubt=1)
    assert means(many) == (
        "5 jobs (“J0”, “J1”, “J2” and 2 more; $3.45/h) cannot be stopped from here until it works again. Of 1 launch in "
        "doubt nobody can tell what became of it."
    )
    assert (
        means(replace(ONE, others=("Twin",))) == "1 job (“Train”; $0.69/h) can still be stopped with “Twin”."
    )
    assert means(Blast()) == "No job runs with it."


@pytest.mark.parametrize(
    ("blast", "before", "after"),
    [
        (Blast(), "nothing to do", "nothing to do"),
        (Blast(queued=1, ending=1), "nothing to do", "nothing to do"),
        (
            replace(ONE, others=("Twin",)),
            "can then be stopped with “Twin”",
            "can then be stopped with “Twin”",
        ),
        (ONE, "After that 1 job (“Train”; $0.69/h) cannot be seen or stopped", "End in Dispersed's console"),
        (Blast(in_doubt=2), "After that 2 launches in doubt cannot", "2 launches in doubt cannot be seen"),
        (replace(ONE, in_doubt=1), "and 1 launch in doubt", "and 1 launch in doubt cannot"),
    ],
)
def test_what_hangs_on_a_retired_key_that_expires(blast: Blast, before: str, after: str) -> None:
    assert before in hangs_on(blast, is_over=False)
    assert after in hangs_on(blast, is_over=True)
