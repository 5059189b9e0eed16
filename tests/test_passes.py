"""Passes of several steps."""

from __future__ import annotations

import pytest

from dispersed_web.passes import one_by_one


def test_a_step_that_fails_keeps_no_other_from_being_done_and_the_pass_from_counting() -> None:
    done = []
    with pytest.raises(ZeroDivisionError):
        one_by_one(lambda: done.append(1), lambda: 1 / 0, lambda: done.append(2), lambda: {}["x"])
    one_by_one(lambda: done.append(3))
    assert done == [1, 2, 3]
