import pytest

from dispersed_web.dispersed.transport import Deadline


def test_a_wait_is_cut_to_what_is_left():
    deadline = Deadline()
    deadline.start(10)
    assert deadline.cut(60, TimeoutError) <= 10
    assert deadline.cut(None, TimeoutError) <= 10
    assert deadline.cut(0.25, TimeoutError) == 0.25


def test_nothing_is_waited_for_when_the_time_is_over():
    deadline = Deadline()
    deadline.start(0)
    with pytest.raises(TimeoutError):
        deadline.cut(60, TimeoutError)


def test_each_request_begins_unsent():
    deadline = Deadline()
    deadline.wrote = True
    deadline.start(1)
    assert not deadline.wrote
