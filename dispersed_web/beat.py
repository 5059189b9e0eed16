"""Beat. Its Celery application has the schedule and neither the tasks nor Django, of which
beat needs nothing, and it does without Celery's command line, which would be a fifth of its memory."""

from __future__ import annotations

import logging.config
from typing import Any

from celery import Celery
from celery.beat import PersistentScheduler
from celery.signals import setup_logging

from dispersed_web import settings

app = Celery("dispersed_web", fixups=[])
app.config_from_object(settings, namespace="CELERY")


@setup_logging.connect
def log(**_: Any) -> None:
    """Instead of Celery's own set-up of logs, which knows nothing of secrets."""
    logging.config.dictConfig(settings.LOGGING)


class Scheduler(PersistentScheduler):
    """Sleeps until the next task is due. Celery's own wakes a hundredth of a second too early each time and asks again and
    again until then, which was nearly all that beat did."""

    def adjust(self, n: float | None, drift: float = 0.0) -> float | None:
        return n


def run() -> None:
    """Until it is told to stop."""
    app.Beat(quiet=True, scheduler=Scheduler).run()
