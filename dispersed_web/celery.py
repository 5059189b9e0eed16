"""The Celery application. All tasks stand in ``tasks.py``; the schedule of beat stands in ``settings.py``."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dispersed_web.settings")

app = Celery("dispersed_web")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["dispersed_web"])


@worker_init.connect
def begin(sender: Any, **_: Any) -> None:
    """Before the first task is taken."""
    from dispersed_web import worker
    from dispersed_web.clock import database_now
    from dispersed_web.jobs import starting

    starting.begin(database_now)
    worker.begin(sender.concurrency or 1)


@worker_shutting_down.connect
def end(**_: Any) -> None:
    """Lets go of what waits in the worker's threads; its rows are found again."""
    from dispersed_web import worker

    worker.end()
