"""Beat knows when which task is due, and needs no more than that."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

from dispersed_web import tasks
from dispersed_web.web.management.commands import reconcile

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


def test_what_comes_in_one_message_is_what_is_due_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(tasks, "one_by_one", lambda *steps: asked.extend(step.__name__ for step in steps))
    together = {1: tasks.sweep_each_second, 2: tasks.sweep_each_two_seconds, 5: tasks.sweep_each_five_seconds}
    for every_s, task in together.items():
        asked.clear()
        task()
        due = [f"sweep_{name}" for name, period_s in settings.PASS_EVERY_S.items() if period_s == every_s]
        assert sorted(asked) == sorted(due)


def test_reconcile_makes_the_same_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(reconcile.Passes, "_every", lambda self, name, run: made.append(name))
    reconcile.Passes(None, None, None).tick()  # type: ignore[arg-type]
    assert sorted(made) == sorted(settings.PASS_EVERY_S)


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
