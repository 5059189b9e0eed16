"""What a row says, as tables over statuses and stop phases; no request."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.accounts.models import User
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import ENDED, Job, JobRun, UnmanagedJob
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.web import words
from dispersed_web.web.inventory import unmanaged_rows
from dispersed_web.web.job import connection, extending, timeline
from dispersed_web.web.jobs import cells, rows
from tests import factories

NOW = dt.datetime(2026, 3, 2, 14, 0, tzinfo=dt.UTC)
UTC = dt.UTC


def ago(minutes: float) -> dt.datetime:
    return NOW - dt.timedelta(minutes=minutes)


def made(status: str = "RUNNING", **fields: Any) -> Job:
    """A job that was launched an hour ago, in memory only."""
    values: dict[str, Any] = {
        "title": "Dev",
        "task": "PERSISTENT",
        "created_at": ago(60),
        "launched_at": ago(60),
        "owner": User(name="Bob Ito", email="bob@example.org"),
        "credential": Credential(name="main"),
        "spec": {
            "max_timeout_start_ms": 1_800_000,
            "ssh_key": "ssh-ed25519 x",
            "ports": [22],
            "image": "dispersednetwork/base",
        },
        "remote_uuid": "0193",
        "lifetime_s": 86400,
        "ceiling_s": 7 * 86400,
        "gpu_label": "RTX 5090",
    }
    if status in ("RUNNING", *ENDED):
        values |= {"running_at": ago(50), "hourly_rate_usd": Decimal("0.69"), "spending_since": ago(50)}
        values |= {"reachable_at": ago(49)}
    if status in ENDED:
        values |= {"ended_at": ago(10), "spending_since": None, "spent_usd": Decimal("0.46")}
    if fields.get("stop_requested_at"):
        values |= {"stop_reason": "user", "stop_next_at": NOW}
    return Job(status=status, **values | fields)


STORIES = [
    (made("QUEUED"), "waiting", "Queued", "about to be sent", ["Stop"], ""),
    (made("QUEUED", reason_text="Waiting: no key."), "waiting", "Queued", "Waiting: no key.", ["Stop"], ""),
    (made("LAUNCHING"), "waiting", "Launching", "being sent to Dispersed", ["Stop when found"], ""),
    (made("UNCONFIRMED", fence_at=NOW + dt.timedelta(minutes=7, seconds=30)), "unknown", "No clear answer",
     "looking for it, known by 14:09", ["Stop when found"], ""),
    (made("UNCONFIRMED", fence_at=ago(10)), "unknown", "No clear answer", "still looking for it", ["Stop when found"], ""),
    (made("PENDING", launched_at=ago(1)), "waiting", "Waiting for a node", "1 min of 5 min", ["Stop"], ""),
    (made("ASSIGNED", assigned_at=ago(2)), "waiting", "Node assigned", "2 min ago", ["Stop"], ""),
    (made("PREPARING", assigned_at=ago(6)), "waiting", "Pulling image", "6 min of 30 min", ["Stop"], ""),
    (made(), "running", "Running", "until it is stopped", ["Connect", "Stop"], ""),
    (made(reachable_at=None), "waiting", "Running", "no address, not reachable", ["Connect", "Stop"], ""),
    (made(reachable_at=None, warned_at=ago(1), stop_at=ago(-14)), "running", "Running", "until it is stopped",
     ["Extend", "Stop"], "warned"),
    (made(task="BATCH", reachable_at=None), "running", "Running", "ends by itself", ["Logs", "Stop"], ""),
    (made(warned_at=ago(1), stop_at=ago(-14)), "running", "Running", "until it is stopped", ["Extend", "Stop"], "warned"),
    (made("FAILING"), "alarm", "Failing", "the cloud is ending it", ["Stop"], ""),
    (made("CANCELLING"), "stopping", "Being stopped", "by the cloud or its console", ["Stop"], ""),
    (made(missing_since=ago(1)), "waiting", "Lost sight of", "not shown for 1 min", ["Connect", "Stop"], ""),
    (made(missing_since=ago(3), missing_alarmed_at=ago(2)), "alarm", "Lost sight of", "not shown for 3 min",
     ["Details", "Stop"], "alarmed"),
    (made(stop_requested_at=ago(0.1)), "stopping", "Stopping", "asked 6 s ago", [], ""),
    (made(stop_requested_at=ago(1), stop_sent_at=ago(1)), "stopping", "Stop sent", "asked 1 min ago", [], ""),
    (made(stop_requested_at=ago(6)), "alarm", "Stop not confirmed", "asked 6 min ago", ["Details"], "alarmed"),
    (made("UNCONFIRMED", stop_requested_at=ago(1)), "unknown", "Stops when found", "looking for it", [], ""),
    (made("CANCELLED", stop_requested_at=ago(12), reason="user"), "stopping", "Ended, making sure",
     "a second look follows", [], ""),
    (made("CANCELLED", reason="max_lifetime"), "stopped", "Stopped", "maximum lifetime reached, 13:50",
     ["Launch again"], ""),
    (made("COMPLETED", reason="exited"), "completed", "Completed", "ended by itself, 13:50", ["Launch again"], ""),
    (made("FAILED", reason="cloud", reason_text="The job failed: no such image."), "failed", "Failed", "no such image",
     ["Launch again"], ""),
    (made("FAILED", reason="refused"), "failed", "Not launched", "refused by the cloud, 13:50", ["Launch again"], ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("job", "kind", "label", "detail", "acts", "tone"), STORIES, ids=lambda value: str(value)[:30]
)
def test_one_row_one_story(job, kind, label, detail, acts, tone):
    row = rows.row(job, NOW, UTC)
    told = (row.story.kind, row.story.label, str(row.story.detail).replace(words.NBSP, " "))
    assert told == (kind, label, detail)
    assert [act.label for act in row.acts] == acts
    assert row.tone == tone


@pytest.mark.django_db
def test_every_status_in_every_phase_of_a_stop_has_all_its_words():
    team = factories.make_team()
    key = factories.make_credential(team)
    stops = [
        {},
        {"stop_requested_at": ago(1)},
        {"stop_requested_at": ago(1), "stop_sent_at": ago(0.5)},
        {"stop_requested_at": ago(9), "stop_sent_at": ago(0.5)},
        {"stop_requested_at": ago(9), "stop_sent_at": ago(8), "stop_next_at": None},
    ]
    for status in Status:
        for stop in stops:
            for reason in Reason if status in ENDED else [""]:
                job = made(status, reason=reason, team=team, credential=key, **stop)
                row = rows.row(job, NOW, UTC)
                assert row.story.label
                assert len(timeline.phases(job, NOW, UTC)) == 6
                connection.connection(job, [], NOW)


def test_a_rate_above_the_quote_is_said():
    assert rows.row(made(quoted_usd=Decimal("0.69")), NOW, UTC).rate_note == ""
    surprise = rows.row(made(quoted_usd=Decimal("0.115")), NOW, UTC)
    assert (surprise.rate, surprise.rate_note) == ("$0.69/h", ", quoted\u00a0$0.12")
    assert rows.rate_of(made("PENDING", quoted_usd=Decimal("0.69"))) == "≈\u00a0$0.69/h"
    over = made(rate_exceeded_at=ago(1), rate_cap_usd=Decimal("0.50"), quoted_usd=Decimal("0.40"))
    assert rows.row(over, NOW, UTC).rate_note == ", cap\u00a0$0.50"


def test_words_of_others_are_escaped():
    hostile = "<img src=x onerror=alert(1)>{title}\"'"
    job = made("QUEUED", title=hostile, reason_text=hostile, owner=User(name=hostile), gpu_label=hostile)
    html = cells.table_rows([rows.row(job, NOW, UTC)], cells.Places("/jobs/", "/launch/", "/icons.svg"))
    assert "<img" not in html
    assert html.count("{title}&quot;&#x27;") >= 4


# Reaching it ---------------------------------------------------------------------------------------------------------


def url(description: str, port: int, *, tls: bool = False, protocol: str = "tcp") -> dict[str, Any]:
    container = 22 if description == "ssh" else int(description)
    return {"description": description, "hostname": "ml3.example.net", "port": port, "protocol": protocol, "tls": tls,
            "container_port": container}  # fmt: skip


def run(*urls: dict[str, Any], status: str = "RUNNING") -> JobRun:
    return JobRun(status=status, node_urls=list(urls))


def test_the_ssh_command_and_links():
    found = connection.connection(
        made(),
        [
            run(
                url("ssh", 41822),
                url("8888", 41901, tls=True),
                url("6006", 41902),
                url("53", 41903, protocol="udp"),
            )
        ],
        NOW,
    )
    assert (found.state, found.nodes[0].ssh) == ("ready", "ssh -p 41822 duser@ml3.example.net")
    assert [port.url for port in found.nodes[0].ports] == [
        "https://ml3.example.net:41901/", "http://ml3.example.net:41902/", ""]  # fmt: skip
    assert found.ssh_note == ""


@pytest.mark.parametrize(
    ("image", "user"),
    [
        ("dispersednetwork/base", "duser"),
        ("unsloth/unsloth", "unsloth"),
        ("ghcr.io/x/Unsloth-dev", "unsloth"),
    ],
)
def test_the_user_belongs_to_the_image(image, user):
    assert connection.ssh_user(made(spec={"image": image})) == user


@pytest.mark.parametrize(
    ("job", "runs", "state", "words_of_it"),
    [
        (made("COMPLETED"), [run(url("ssh", 1))], "over", "ended"),
        (made(stop_requested_at=ago(1)), [], "over", "being stopped"),
        (made(spec={}, task="BATCH"), [], "never", "batch job"),
        (made(spec={}), [], "never", "without an SSH key"),
        (made("PENDING"), [], "waiting", "Not reachable yet"),
        (made(running_at=ago(1)), [run()], "waiting", "Not reachable yet"),
        (made(running_at=ago(9)), [run()], "late", "stay so for ever"),
        (
            made(running_at=ago(9), spec={"ssh_key": "k", "ports": [8888]}),
            [run()],
            "late",
            "port 22 is not published",
        ),
        (made(), [run(url("ssh", 1), status="FAILED")], "late", "no address"),
    ],
)
def test_not_yet_is_told_from_never(job, runs, state, words_of_it):
    found = connection.connection(job, runs, NOW)
    assert found.state == state
    assert words_of_it in found.sentence


def test_a_key_without_port_22_is_named():
    job = made(spec={"ssh_key": "k", "ports": [8888]})
    assert "port 22 is not published" in connection.connection(job, [run(url("8888", 1))], NOW).ssh_note
    job = made(spec={"ports": [22]})
    assert "No SSH key" in connection.connection(job, [run(url("ssh", 1))], NOW).ssh_note


# Extending -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_extension_starts_from_the_stop_that_is_planned():
    job = factories.make_job(
        factories.make_team(), task="BATCH", now=NOW, created_at=ago(60), launched_at=ago(60), lifetime_s=7200
    )
    assert extending.wanted(job, {"by": "60"}, NOW, UTC) == ago(-120)
    berlin = dt.timezone(dt.timedelta(hours=1))
    assert extending.wanted(job, {"until": "2026-03-02T20:00"}, NOW, berlin) == dt.datetime(
        2026, 3, 2, 19, tzinfo=UTC
    )


@pytest.mark.parametrize("form", [{}, {"by": "7"}, {"until": "soon"}, {"until": "2026-03-02T13:59"}])
def test_an_extension_without_a_moment_to_come_is_refused(form):
    with pytest.raises(JobError):
        extending.wanted(made(), form, NOW, UTC)


@pytest.mark.django_db
def test_what_cannot_be_extended_is_not_offered():
    team = factories.make_team()

    def is_offered(status: str = "RUNNING", **fields: Any) -> bool:
        job = factories.make_job(team, status, task="BATCH", now=NOW, **fields)
        return extending.options(job, NOW, UTC).possible

    assert is_offered()
    assert not is_offered(lifetime_s=7200, ceiling_s=7200)
    assert not is_offered(stop_requested_at=ago(1))
    assert not is_offered("COMPLETED")
    assert not is_offered(lifetime_s=None, ceiling_s=None)


# Words ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (11100, "3 h 05 min"),
        (187200, "2 d 4 h"),
        (-5, "0 s"),
    ],
)
def test_durations_read_as_the_browser_writes_them(seconds, text):
    assert words.duration(dt.timedelta(seconds=seconds)).replace(words.NBSP, " ") == text


@pytest.mark.parametrize(
    ("hours", "text", "inside"),
    [(1, "15:00", "at 15:00"), (12, "tomorrow 02:00", "tomorrow 02:00"), (-20, "yesterday 18:00", "yesterday 18:00"),
     (240, "12 Mar 14:00", "on 12 Mar 14:00"), (24 * 365, "2 Mar 2027 14:00", "on 2 Mar 2027 14:00")],
)  # fmt: skip
def test_moments_are_said_from_where_the_reader_is(hours, text, inside):
    at = NOW + dt.timedelta(hours=hours)
    assert words.clock_time(at, NOW, UTC) == text
    assert words.at_clock_time(at, NOW, UTC) == inside


def test_an_unmanaged_job_has_its_cost_and_no_marker_in_its_title():
    job = UnmanagedJob(
        credential=Credential(name="main"), remote_uuid="0193", title="theirs dw-x7k2-0123456789abcdef", status="RUNNING",
        hourly_rate_usd=Decimal(2), created_at=ago(30), first_seen_at=ago(20),
    )  # fmt: skip
    (row,) = unmanaged_rows.rows([job], NOW)
    assert (row.title, row.cost.text, row.rate, str(row.runtime)) == (
        "theirs",
        "$1.00",
        "$2.00/h",
        f"30{words.NBSP}min",
    )
