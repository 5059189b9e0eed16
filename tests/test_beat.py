"""Beat knows when which task is due, and needs no more than that."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from django.conf import settings

from dispersed_web import tasks

LOADS = """
import json, sys
from dispersed_web import beat
print(json.dumps([sorted(row["task"] for row in beat.app.conf.beat_schedule.values()), "django.db" in sys.modules]))
"""


def test_it_has_the_schedule_without_the_tasks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADS], env=dict(os.environ), capture_output=True, text=True, check=True
    )
    due, has_database = json.loads(done.stdout.splitlines()[-1])
    assert due == sorted(row["task"] for row in settings.CELERY_BEAT_SCHEDULE.values())
    assert not has_database


def test_each_entry_names_a_task() -> None:
    known = {
        getattr(tasks, name).name
        for name in vars(tasks)
        if name.startswith("sweep_") and hasattr(getattr(tasks, name), "delay")
    }
    assert {row["task"] for row in settings.CELERY_BEAT_SCHEDULE.values()} <= known


PAUSES = """
import json
from dispersed_web import beat
scheduler = beat.Scheduler(beat.app, lazy=True)
print(json.dumps([scheduler.adjust(seconds) for seconds in (0.004, 1.0, None)]))
"""


def test_it_sleeps_until_something_is_due_and_asks_no_more_often() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PAUSES], env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [0.004, 1.0, None]
