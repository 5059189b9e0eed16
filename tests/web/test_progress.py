"""What a job waits for, how long that may take and what follows: every status, every limit, several runs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import Status
from dispersed_web.web.job import progress, timeline
from dispersed_web.web.jobs import rows

NOW = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)
UTC = dt.UTC
SPEC = {"ssh_key": "k", "ports": [22], "max_timeout_assign_ms": 300_000, "max_timeout_start_ms": 1_800_000}
URL = {"description": "ssh", "hostname": "ml3.example.net", "port": 41822, "container_port": 22}


def ago(minutes: float) -> dt.datetime:
    return NOW - dt.timedelta(minutes=minutes)


def made(status: str, spec: dict[str, Any] | None = None, **fields: Any) -> Job:
    """A job that was asked for twelve minutes ago."""
    values: dict[str, Any] = {"task": "PERSISTENT", "title": "Dev", "created_at": ago(12), "send_by": ago(2)}
    if status not in ("QUEUED", "LAUNCHING", "UNCONFIRMED"):
        values["launched_at"] = ago(12)
    return Job(status=status, spec=SPEC | (spec or {}), **values | fields)


def run(
    status: str, started: float, *, running: float | None = None, ended: float | None = None, urls: Any = ()
) -> JobRun:
    return JobRun(
        status=status,
        started_at=ago(started),
        first_seen_at=ago(started),
        running_at=None if running is None else ago(running),
        ended_at=None if ended is None else ago(ended),
        node_urls=list(urls),
    )


def told(job: Job, *runs: JobRun) -> progress.Progress:
    found = progress.progress(job, runs, NOW, UTC)
    assert found is not None
    return found


def plain(text: object) -> str:
    return str(text).replace("\u00a0", " ")


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("stopping", [False, True])
@pytest.mark.parametrize("task", ["PERSISTENT", "BATCH"])
def test_every_status_has_its_words_or_needs_none(status, stopping, task):
    job = made(
        status, task=task, running_at=ago(1), fence_at=NOW, stop_requested_at=ago(1) if stopping else None
    )
    found = progress.progress(job, [], NOW, UTC)
    waits = status in ("QUEUED", "LAUNCHING", "UNCONFIRMED", "PENDING", "ASSIGNED", "PREPARING") or (
        status == "RUNNING" and task == "PERSISTENT"
    )
    assert (found is not None) is (waits and not stopping)
    if found:
        assert found.title
        assert found.text
    assert len(timeline.phases(job, NOW, UTC)) == 6


def test_waiting_for_a_node_counts_against_its_own_limit():
    found = told(made("PENDING", launched_at=ago(3)))
    assert (found.title, plain(found.taken)) == ("Waiting for a node", "3 of 5 min")
    assert (found.gauge.value_s, found.gauge.limit_s) == (180, 300)
    assert "no node is found by 14:02, the cloud ends the job as failed" in found.then


def test_pulling_counts_from_the_assignment_of_this_run():
    found = told(made("PREPARING", assigned_at=ago(9)), run("PREPARING", 6))
    assert (found.title, plain(found.taken)) == ("Pulling the image", "6 of 30 min")
    assert "by 14:24" in found.then
    assert "The job then ends as failed." in found.then


@pytest.mark.parametrize("status", ["ASSIGNED", "PREPARING"])
@pytest.mark.parametrize(
    ("allowed", "failed", "words"),
    [
        (0, 0, "The job then ends as failed."),
        (1, 0, "A new run on another node follows: one more try is allowed."),
        (3, 0, "3 more tries are allowed."),
        (3, 2, "one more try is allowed."),
        (2, 2, "no retry is left."),
    ],
)
def test_what_follows_a_start_that_fails_depends_on_the_retries_left(status, allowed, failed, words):
    earlier = [run("FAILED", 40 + n, ended=35 + n) for n in range(failed)]
    found = told(made(status, {"max_retry_count": allowed}), *earlier, run(status, 2))
    assert words in found.then
    assert ("This is try" in found.text) is bool(failed)
    if failed:
        assert f"This is try {failed + 1}." in found.text


def test_a_limit_that_passed_unnoticed_is_said():
    found = told(made("PREPARING"), run("PREPARING", 45))
    assert "Its time was over at 13:45, and Dispersed has not ended it yet" in found.then
    assert found.gauge.value_s == found.gauge.limit_s


def test_a_limit_that_passed_this_minute_is_still_awaited():
    assert "by 13:59" in told(made("PREPARING"), run("PREPARING", 30.5)).then


def test_between_two_tries_it_waits_for_a_node_again():
    found = told(made("PENDING", {"max_retry_count": 1}, assigned_at=ago(9)), run("FAILED", 9, ended=2))
    assert plain(found.taken) == "2 of 5 min"
    assert "The last try ended" in found.text
    assert "This is try 2." in found.text


def test_starting_counts_until_an_address_is_late():
    found = told(made("RUNNING", running_at=ago(1)), run("RUNNING", 5, running=1))
    assert (found.title, plain(found.taken)) == ("Starting", "1 of 3 min")
    assert "Without an address by 14:02" in found.then


@pytest.mark.parametrize(
    ("job", "runs"),
    [
        (made("RUNNING", running_at=ago(5)), [run("RUNNING", 9, running=5)]),
        (made("RUNNING", {"ssh_key": "", "ports": []}, running_at=ago(1)), [run("RUNNING", 9, running=1)]),
        (made("RUNNING", running_at=ago(1)), [run("RUNNING", 9, running=1, urls=[URL])]),
        (made("RUNNING", task="BATCH", running_at=ago(1)), [run("RUNNING", 9, running=1)]),
        (made("PENDING", missing_since=ago(1)), []),
    ],
    ids=["late", "never", "ready", "batch without a limit", "lost sight of"],
)
def test_who_waits_for_nothing_has_no_bar(job, runs):
    assert progress.progress(job, runs, NOW, UTC) is None


def test_a_batch_run_counts_against_the_limit_of_the_cloud():
    spec = {"max_timeout_run_ms": 3_600_000, "max_retry_count": 1}
    found = told(made("RUNNING", spec, task="BATCH", running_at=ago(4)), run("RUNNING", 6, running=4))
    assert (found.title, plain(found.taken)) == ("Running", "4 of 60 min")
    assert "has not ended by 14:56, the cloud ends this run. A new run" in found.then


def test_a_second_batch_run_counts_its_own_time():
    spec = {"max_timeout_run_ms": 3_600_000, "max_retry_count": 1}
    job = made("RUNNING", spec, task="BATCH", running_at=ago(50), run_running_at=ago(2))
    found = told(job, run("FAILED", 55, running=50, ended=5), run("RUNNING", 4, running=2))
    assert plain(found.taken) == "2 of 60 min"
    assert "no retry is left" in found.then


def test_several_nodes_are_counted():
    job = made("PREPARING", {"max_node_count": 3})
    assert (
        told(job, run("PREPARING", 2), run("PREPARING", 2)).nodes
        == "3 nodes asked for, 2 assigned, 0 reachable."
    )
    job = made("RUNNING", {"max_node_count": 3}, running_at=ago(3))
    found = told(job, run("RUNNING", 6, running=3, urls=[URL]), run("PREPARING", 6))
    assert found.title == "Waiting for the other nodes"
    assert found.nodes == "3 nodes asked for, 2 assigned, 1 reachable."
    assert progress.progress(job, [run("RUNNING", 6, running=3, urls=[URL])], NOW, UTC) is None


def test_a_launch_in_doubt_counts_to_the_moment_of_certainty():
    found = told(made("UNCONFIRMED", unknown_since=ago(5), fence_at=ago(-2)))
    assert plain(found.taken) == "5 of 8 min"
    assert "absent, nothing was started" in found.then
    assert told(made("UNCONFIRMED", unknown_since=ago(5))).gauge is None


def test_a_launch_that_waits_says_why_and_until_when():
    found = told(made("QUEUED", created_at=ago(1), send_by=ago(-9), reason_text="The key is paused."))
    assert found.text == "The key is paused."
    assert "by 14:09, it is given up" in found.then


def test_a_cooked_job_waits_for_an_address_even_without_ports_of_ours():
    job = made("RUNNING", {"ssh_key": "", "ports": []}, cook_uuid="r-1", running_at=ago(1))
    assert told(job, run("RUNNING", 5, running=1)).title == "Starting"


# The line of the lists and the phases ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "label", "detail"),
    [
        (made("PENDING", launched_at=ago(3)), "Waiting for a node", "3 min of 5 min"),
        (made("PREPARING", assigned_at=ago(6)), "Pulling image", "6 min of 30 min"),
        (made("PREPARING", assigned_at=ago(40), run_started_at=ago(6)), "Pulling image", "6 min of 30 min"),
        (made("RUNNING", running_at=ago(1)), "Starting", "no address yet, 1 min"),
        (made("RUNNING", running_at=ago(90), run_running_at=ago(1)), "Starting", "no address yet, 1 min"),
        (made("RUNNING", running_at=ago(1), reachable_at=ago(0)), "Running", "until it is stopped"),
        (made("RUNNING", running_at=ago(4)), "Running", "no address, not reachable"),
        (made("RUNNING", task="BATCH", running_at=ago(1)), "Running", "ends by itself"),
    ],
)
def test_the_line_in_the_lists(job, label, detail):
    story = rows.story_of(job, NOW, UTC)
    assert (story.label, plain(story.detail)) == (label, detail)


def phases(job: Job) -> list[tuple[str, str]]:
    return [(phase.name, phase.state) for phase in timeline.phases(job, NOW, UTC)]


def test_a_machine_is_starting_and_then_reachable():
    job = made("RUNNING", assigned_at=ago(5), running_at=ago(1))
    assert phases(job)[4] == ("Starting", "current")
    job.reachable_at = NOW
    assert phases(job)[4] == ("Reachable", "current")
    assert phases(made("RUNNING", task="BATCH", assigned_at=ago(5), running_at=ago(1)))[4] == (
        "Running",
        "current",
    )


def test_a_later_try_comes_back_to_its_phase():
    job = made("PREPARING", assigned_at=ago(50), running_at=ago(40), run_started_at=ago(2))
    assert [state for _, state in phases(job)] == ["done", "done", "done", "current", "todo", "todo"]
    assert plain(timeline.phases(job, NOW, UTC)[3].detail) == "2 min of 30 min"


def test_a_stop_during_the_start_leaves_what_was_not_reached():
    job = made("PREPARING", assigned_at=ago(5), stop_requested_at=ago(1))
    assert [state for _, state in phases(job)] == ["done", "done", "done", "todo", "todo", "current"]
    assert plain(timeline.phases(job, NOW, UTC)[4].detail) == "not reached"
    assert progress.progress(job, [run("PREPARING", 5)], NOW, UTC) is None
