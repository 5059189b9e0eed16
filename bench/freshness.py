"""From a change in the cloud to the page that somebody looks at: goal 10."""

from __future__ import annotations

import random
import threading
import time

from bench.browser import Browser, poll_address, poll_s
from bench.plan import Plan
from bench.report import Figure, percentile, spread
from bench.stack import TEAM, Stack

BETWEEN_S = (0.5, 2.5)
LONGEST_S = 60.0
# Without the jobs that other measures have launched.
ADDRESS = f"/t/{TEAM}/jobs/?task=PERSISTENT"


def measure(stack: Stack, plan: Plan, jobs: dict[str, str]) -> list[Figure]:
    """``jobs``: the cloud's uuid → ours, the newest ones on the first page. They end one by one."""
    session = stack.seed("people", team=TEAM, count=1)[0]
    ended: dict[str, float] = {}
    done = threading.Event()
    chosen = dict(list(jobs.items())[: plan.changes])
    thread = threading.Thread(target=_end, args=(stack, chosen, ended, done))
    thread.start()
    try:
        seconds = _watch(Browser(stack.port, session), set(chosen.values()), ended)
    finally:
        done.set()
        thread.join()
    return [
        Figure(
            "10",
            "change in the cloud → on the page, p95",
            percentile(seconds, 95),
            "s",
            8,
            5.5,
            spread(seconds, "s"),
        )
    ]


def _end(stack: Stack, jobs: dict[str, str], ended: dict[str, float], done: threading.Event) -> None:
    for remote_uuid, job_id in jobs.items():
        if done.wait(random.uniform(*BETWEEN_S)):
            return
        stack.cloud.finish_job(remote_uuid)
        ended[job_id] = time.monotonic()


def _watch(browser: Browser, jobs: set[str], ended: dict[str, float]) -> list[float]:
    """Polls as often as the page says, until all jobs have left the table; gives how long each took."""
    part = browser.get(ADDRESS, part=True).text
    assert all(f'id="job-{job_id}"' in part for job_id in jobs), "not all jobs are on the page"
    seconds, waiting = [], set(jobs)
    give_up = time.monotonic() + len(jobs) * BETWEEN_S[1] + LONGEST_S
    while waiting and time.monotonic() < give_up:
        time.sleep(poll_s(part))
        answer = browser.get(poll_address(part), part=True)
        if answer.status == 204:
            continue
        part, now = answer.text, time.monotonic()
        gone = {job_id for job_id in waiting if f'id="job-{job_id}"' not in part}
        seconds += [now - ended[job_id] for job_id in gone]
        waiting -= gone
    assert not waiting, f"{len(waiting)} ended jobs never left the page"
    return seconds
