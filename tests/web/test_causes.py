"""Why a job ended and what to do: the cloud's words, the phase, the specification and the log read together."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.jobs import settling
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import RecipeVersion
from dispersed_web.web.job import causes, longer, provenance, run_rows

NOW = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)
UTC = dt.UTC


def ago(minutes: float) -> dt.datetime:
    return NOW - dt.timedelta(minutes=minutes)


def failed(said: str = "", *, ran: float | None = None, assigned: bool = True, **fields: Any) -> Job:
    """A job that the cloud shows as failed, whose container ran for so many minutes, or never."""
    spec = {"image": "ghcr.io/lab/model", "tag": "v2", "max_timeout_start_ms": 1_800_000} | fields.pop(
        "spec", {}
    )
    values: dict[str, Any] = {
        "task": "PERSISTENT",
        "title": "Dev",
        "created_at": ago(60),
        "launched_at": ago(60),
        "assigned_at": ago(50) if assigned else None,
        "running_at": None if ran is None else ago(10 + ran),
        "ended_at": ago(10),
        "reason": "cloud",
        "reason_text": f"The job failed: {said}" if said else "The job failed and gave no reason.",
        "gpu_label": "RTX 5090",
    }
    return Job(spec=spec, **{"status": "FAILED"} | values | fields)


def runs_of(job: Job) -> list[JobRun]:
    if job.assigned_at is None:
        return []
    return [
        JobRun(
            status="FAILED",
            started_at=ago(50),
            first_seen_at=ago(50),
            running_at=job.running_at,
            ended_at=ago(10),
        )
    ]


@pytest.mark.parametrize(
    ("job", "log", "key", "words"),
    [
        (failed("No node could be assigned within 300000 ms", assigned=False), "", "no_node", "RTX 5090"),
        (failed(assigned=False), "", "no_node", "5 min"),
        (failed(assigned=False, spec={"allowed_region_codes": ["eu-west-1"]}), "", "no_node", "the region eu-west-1"),
        (failed("The container did not start within 1800000 ms"), "", "start_timeout", "within 30 min"),
        (failed(), "", "start_timeout", "takes longer to pull"),
        (failed("Image not found: ghcr.io/lab/model:v2"), "", "image", "ghcr.io/lab/model:v2"),
        (failed("manifest unknown"), "", "image", "Check image and tag"),
        (failed("no such image."), "", "image", "model:v2"),
        (failed("pull access denied for lab/model, repository does not exist or may require 'docker login'"), "",
         "registry", "none was given"),
        (failed("unauthorized: authentication required", spec={"has_registry_secret": True}), "", "registry",
         "did not accept the user or the password"),
        (failed("write failed: no space left on device"), "", "disk", "storage"),
        (failed("Insufficient balance"), "", "credit", "Add credit"),
        (failed("Node lost", ran=30), "", "node_lost", "retries allowed"),
        (failed("Node lost"), "", "node_lost", "other people"),
        (failed("The run exceeded max_timeout_run_ms (60000 ms)", ran=1, task="BATCH",
                spec={"max_timeout_run_ms": 60_000}), "", "run_timeout", "1 min"),
        (failed("Container exited with code 137", ran=20), "", "memory", "more RAM"),
        (failed("OOMKilled", ran=20), "", "memory", "killed"),
        (failed("Container exited with code 1", ran=20), "torch.OutOfMemoryError: CUDA out of memory.", "gpu_memory",
         "more memory"),
        (failed("Container exited with code 127", ran=0.1, spec={"image": "dispersednetwork/base"}), "", "no_key",
         "port 22"),
        (failed("Container exited with code 127", spec={"image": "dispersednetwork/base"}), "", "no_key", "port 22"),
        (failed("Container exited with code 3"), "", "exit", "at once, with code 3"),
        (failed("Container exited with code 127", ran=0.1, spec={"ssh_key": "k", "image": "dispersednetwork/base"}), "",
         "exit", "was not found"),
        (failed("Container exited with code 1", ran=0.1), "x\nValueError: no model\nbye", "exit", "ValueError: no model"),
        (failed("Container exited with code 3", ran=30), "", "exit", "Its log says more"),
        (failed("something nobody knows", ran=30), "", "unknown", "log"),
        (failed("something nobody knows"), "", "unknown", "before its container ran"),
        (failed(reason="refused", reason_text="Dispersed refused it: ports is too long.", assigned=False, launched_at=None),
         "", "refused", "Change what was refused"),
        (failed(reason="refused", reason_text="The key may not do that: forbidden.", assigned=False), "", "key",
         "credential"),
        (failed(reason="refused", reason_text="Insufficient credit.", assigned=False), "", "credit", "Add credit"),
        (failed(reason="expired", reason_text="It was not sent within 10 minutes.", assigned=False), "", "unsent", "safe"),
        (failed(reason="never_arrived", reason_text=f"Ana {settling.LOOKED}: nothing.", assigned=False), "", "settled",
         "if you still want it"),
        (failed(reason="lost", reason_text=f"Ana {settling.LOOKED}: gone."), "", "lost", "kept of its log"),
        (failed(reason="never_arrived", reason_text="It never reached Dispersed.", assigned=False), "", "never_arrived",
         "safe"),
        (failed(status="CANCELLED", reason_text="The cloud cancelled the job: bye", ran=30), "", "elsewhere", "console"),
        (failed(status="COMPLETED", reason="exited", reason_text="The job ended by itself.", ran=0.2), "", "exit",
         "keeps running"),
        (failed(status="CANCELLED", reason="stuck_starting", stop_reason="stuck_starting",
                reason_text="Stopped: stuck while starting."), "", "start_timeout", "within 30 min"),
    ],
)  # fmt: skip
def test_the_likely_cause_and_the_next_step(job, log, key, words):
    found = causes.cause(job, runs_of(job), log)
    assert found is not None
    assert found.key == key
    assert words in f"{found.title} {found.text} {found.next}".replace("\u00a0", " ")
    assert found.acts


@pytest.mark.parametrize(
    "job",
    [
        failed(status="RUNNING", ran=5, ended_at=None),
        failed(status="CANCELLED", reason="user", stop_reason="user", ran=5),
        failed(status="CANCELLED", reason="idle", stop_reason="idle", ran=5),
        failed(status="COMPLETED", reason="exited", task="BATCH", ran=5),
        failed(stop_requested_at=ago(1), stop_next_at=NOW),
    ],
    ids=["alive", "stopped by a person", "stopped for idleness", "work that was done", "making sure"],
)
def test_what_needs_no_explaining_has_no_cause(job):
    assert causes.cause(job, runs_of(job)) is None


@pytest.mark.parametrize(
    "status", [status for status in Status if status in ("COMPLETED", "FAILED", "CANCELLED")]
)
@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("task", ["BATCH", "PERSISTENT"])
def test_every_end_is_explained_or_ordinary(status, reason, task):
    for ran in (None, 0.1, 30):
        job = failed(status=status, reason=reason, task=task, ran=ran)
        found = causes.cause(job, runs_of(job))
        assert found is None or (found.title and found.text and found.next)
        if status == "FAILED" and reason == "cloud":
            assert found is not None


def test_tries_are_counted():
    job = failed("The container did not start within 1800000 ms", spec={"max_retry_count": 2})
    assert "It was tried 3 times." in causes.cause(job, runs_of(job) * 3).text


def test_ended_at_once_is_told_from_ended_later():
    job = failed("Container exited with code 1", ran=0.5)
    assert causes.cause(job, runs_of(job)).title == "It ended at once, with code 1"
    job = failed("Container exited with code 1", ran=50)
    assert causes.cause(job, runs_of(job)).title == "Its program ended with code 1"


def test_a_long_line_of_the_log_is_cut():
    job = failed("Container exited with code 1", ran=5)
    assert len(causes.cause(job, runs_of(job), "Error " + "x" * 5000).next) < 260


# Runs -------------------------------------------------------------------------------------------------------------------


def run(
    status: str, started: float, ended: float | None = None, running: float | None = None, **fields: Any
) -> JobRun:
    return JobRun(
        status=status,
        started_at=ago(started),
        first_seen_at=ago(started),
        ended_at=None if ended is None else ago(ended),
        running_at=None if running is None else ago(running),
        **fields,
    )


def test_one_run_needs_no_table():
    assert run_rows.table(failed(), [run("FAILED", 50, 10)], NOW, UTC) == []


@pytest.mark.parametrize(
    ("one", "label", "why"),
    [
        (run("FAILED", 45, 15), "Failed", "Did not start within 30 min"),
        (run("FAILED", 45, 44), "Failed", "Ended while its image was pulled: node lost, or image not found"),
        (
            run("FAILED", 45, 15, 40),
            "Failed",
            "Failed after running for 25 min: its program ended, or the node was lost",
        ),
        (run("CANCELLED", 45, 15, 40), "Stopped", "Stopped with its job"),
        (run("COMPLETED", 45, 15, 40), "Completed", "Ended by itself"),
        (run("RUNNING", 45, running=40, node_urls=[{"hostname": "ml3.example.net"}]), "Reachable", ""),
        (run("RUNNING", 45, running=40), "Running", ""),
        (run("PREPARING", 2), "Pulling image", ""),
        (run("ASSIGNED", 2), "Node assigned", ""),
        (run("FAILING", 2), "Failing", ""),
        (run("CANCELLING", 2), "Being stopped", ""),
        (run("WARMED_UP", 2), "Not known", ""),
    ],
)
def test_each_run_says_how_it_stands_and_why_it_ended(one, label, why):
    later = run("PREPARING", 1)
    row = run_rows.table(failed(status="PREPARING"), [one, later], NOW, UTC)[1]
    assert (row.number, row.story.label, row.why.replace("\u00a0", " ")) == (1, label, why)


def test_the_newest_run_comes_first_with_rate_and_cost():
    runs = [
        run("FAILED", 90, 30, 85, hourly_rate_usd=Decimal(1)),
        run(
            "RUNNING", 30, running=25, hourly_rate_usd=Decimal(2), node_urls=[{"hostname": "ml4.example.net"}]
        ),
    ]
    new, old = run_rows.table(failed(status="RUNNING"), runs, NOW, UTC)
    assert (new.number, new.node, new.rate, new.cost.text, new.cost.since) == (
        2,
        "ml4.example.net",
        "$2.00/h",
        "$1.00",
        ago(30),
    )
    assert (old.cost.text, old.cost.since, str(old.lasted)) == ("$1.00", None, "1\u00a0h\u00a000\u00a0min")


def test_the_last_run_says_the_cause_of_the_job():
    job = failed("Node lost", ran=30)
    runs = [run("FAILED", 90, 60, 85), run("FAILED", 50, 10, 45)]
    rows = run_rows.table(job, runs, NOW, UTC, causes.cause(job, runs))
    assert rows[0].why == "The node was lost"
    assert rows[1].why.startswith("Failed after running")


# Where it came from -----------------------------------------------------------------------------------------------------


def test_a_job_launched_here_by_its_owner_says_nothing():
    assert provenance.provenance(Job(origin="launched"), may_see_recipe=False).is_plain


@pytest.mark.parametrize("origin", ["adopted", "found", "imported"])
def test_other_origins_are_said(origin):
    assert provenance.provenance(Job(origin=origin), may_see_recipe=False).origin


def recipe_job(**document: Any) -> Job:
    made = Document.from_json({"spec": {"task": "PERSISTENT", "title": "Dev", "image": "a/b"}, **document})
    job = failed("The container did not start within 1800000 ms")
    job.recipe_version = RecipeVersion(document=made.to_json())
    return job


def test_a_recipe_that_holds_the_time_is_not_asked_for_a_longer_one():
    asked = {"key": "patience", "type": "duration", "to": "max_timeout_start_ms", "default": 1800}
    for job, query in (
        (recipe_job(), "&max_timeout_start=1h"),
        (recipe_job(locked=["max_timeout_start_ms"]), ""),
        (recipe_job(inputs=[asked]), "&in-patience=1h"),
        (recipe_job(inputs=[asked | {"maximum": 2400}]), ""),
        (recipe_job(inputs=[asked | {"hidden": True}]), ""),
    ):
        assert longer.query_of(job, causes.cause(job, runs_of(job))) == query
