"""Statuses: every one has its place, and the cloud's words are taken over without guessing."""

from __future__ import annotations

import pytest

from dispersed_web.dispersed import LIVE, TERMINAL
from dispersed_web.jobs import states
from dispersed_web.jobs.states import REASON_WORDS, Reason, Status


def test_every_status_is_in_exactly_one_phase() -> None:
    phases = [states.UNSENT, states.IN_DOUBT, states.IN_CLOUD, states.ENDED]
    assert sum(map(len, phases)) == len(Status)
    assert frozenset().union(*phases) == frozenset(Status)


def test_the_clouds_words_are_ours() -> None:
    assert set(LIVE) == {status.value for status in states.IN_CLOUD}
    assert set(TERMINAL) == {status.value for status in states.ENDED}


def test_every_reason_has_words() -> None:
    assert set(REASON_WORDS) == set(Reason)


@pytest.mark.parametrize(
    ("job", "run", "previous", "expected"),
    [
        ("PENDING", None, Status.PENDING, Status.PENDING),
        ("ASSIGNED", "PREPARING", Status.PENDING, Status.PREPARING),
        ("RUNNING", "PREPARING", Status.ASSIGNED, Status.PREPARING),
        ("RUNNING", "RUNNING", Status.PREPARING, Status.RUNNING),
        ("RUNNING", None, Status.PREPARING, Status.RUNNING),
        ("CANCELLING", "RUNNING", Status.RUNNING, Status.CANCELLING),
        ("CANCELLED", None, Status.RUNNING, Status.CANCELLED),
        ("HIBERNATING", None, Status.PREPARING, Status.PREPARING),
        ("HIBERNATING", None, Status.UNCONFIRMED, Status.RUNNING),
        ("running", None, Status.PENDING, Status.PENDING),
        ("", None, Status.RUNNING, Status.RUNNING),
    ],
)
def test_what_the_cloud_says(job: str, run: str | None, previous: Status, expected: Status) -> None:
    assert states.from_cloud(job, run, previous) == expected


@pytest.mark.parametrize("word", ["STOPPED", "DONE", "GONE", "TERMINATED", "cancelled"])
@pytest.mark.parametrize("previous", list(Status))
def test_an_unknown_word_never_counts_as_ended(word: str, previous: Status) -> None:
    assert states.from_cloud(word, None, previous) not in states.ENDED


@pytest.mark.parametrize(
    ("status", "asked", "reason"),
    [
        (Status.COMPLETED, "", Reason.EXITED),
        (Status.FAILED, "", Reason.CLOUD),
        (Status.CANCELLED, "", Reason.CLOUD),
        (Status.CANCELLED, "max_lifetime", Reason.MAX_LIFETIME),
        (Status.COMPLETED, "user", Reason.USER),
    ],
)
def test_why_it_ended(status: Status, asked: str, reason: Reason) -> None:
    assert states.end_reason(status, asked) == reason
